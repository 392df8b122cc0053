import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { schemaFault } from './fault.js';

/** What the rows or the columns of a table stand for, and the name of each. */
export interface ReportAxis {
  /** The axis `task` has the indices of tasks (from 1) as names: the harness writes the names of the tasks beside them. */
  readonly title: string;
  readonly names: readonly string[];
}

/** One table of what a method says it learned. */
export interface ReportTable {
  readonly title: string;
  /** What the cells are, as in `share of its atoms`; columns of several kinds name theirs themselves. */
  readonly unit?: string;
  readonly rows: ReportAxis;
  readonly columns: ReportAxis;
  /** (rows, columns); null where there is nothing to say. */
  readonly cells: readonly (readonly (number | string | null)[])[];
  /** Least and largest value of a table of like numbers, which is then shaded as a heat map. */
  readonly scale?: readonly [number, number];
}

/** Stands in tables and lines for what is not there. */
export const MISSING = '–';

const DIGITS = 3;

/** A cell as text. */
export function cellText(cell: ReportTable['cells'][number][number]): string {
  if (cell === null) return MISSING;
  return typeof cell === 'string' || Number.isInteger(cell) ? String(cell) : cell.toFixed(DIGITS);
}

let compiled: ValidateFunction<readonly ReportTable[]> | undefined;

/** The compiled schema, at its first use: most commands never see a report. */
function schema(): ValidateFunction<readonly ReportTable[]> {
  if (!compiled) {
    const { definitions } = JSON.parse(readFileSync(new URL('../../schemas/results.schema.json', import.meta.url), 'utf8')) as { definitions: object };
    compiled = new Ajv({ verbose: true, allowUnionTypes: true, keywords: ['patternErrorMessage'] }).compile<readonly ReportTable[]>({ definitions, type: 'array', items: { $ref: '#/definitions/reportTable' } });
  }
  return compiled;
}

/** What is wrong with a report, as `/0/cells: …`; null where it is a list of tables whose cells are as many as their names. */
export function reportFault(report: unknown): string | null {
  const validate = schema();
  if (!validate(report)) {
    return schemaFault(validate.errors!, 'the report').message;
  }
  for (const [i, { rows, columns, cells }] of report.entries()) {
    if (cells.length !== rows.names.length) return `/${i}/cells: ${cells.length} rows for ${rows.names.length} names`;
    const ragged = cells.findIndex((row) => row.length !== columns.names.length);
    if (ragged >= 0) return `/${i}/cells/${ragged}: ${cells[ragged]!.length} cells for ${columns.names.length} names`;
  }
  return null;
}
