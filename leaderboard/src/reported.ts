import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LetheError, didYouMean, readDocument, schemaFault } from '@lethe/core';
import { METRICS, type Metric } from '@lethe/metrics';
import { Ajv } from 'ajv';

/** One method in a table of a paper, its values in percent by metric id. */
export interface ReportedRow {
  readonly method: string;
  readonly values: Readonly<Record<string, number>>;
}

/** A table that Lethe did not measure. Its rows stand on one model and protocol, as far as those are known. */
export interface ReportedTable {
  readonly id: string;
  readonly suite: string;
  readonly title: string;
  readonly source: string;
  readonly url?: string;
  /** Read in the paper itself, in a text that prints its table, or computed from logs that its authors released. */
  readonly seen: 'paper' | 'reproduced' | 'logs';
  readonly model: string;
  readonly protocol: string;
  readonly note?: string;
  /** The metrics that any row has. */
  readonly metrics: readonly Metric[];
  readonly rows: readonly ReportedRow[];
}

/** The tables that come with Lethe. */
export const REPORTED = fileURLToPath(new URL('../../reported', import.meta.url));

/** How the numbers came here, for readers. */
export const SEEN: Readonly<Record<ReportedTable['seen'], string>> = {
  paper: 'read in the paper', reproduced: 'not read in the papers themselves but in a text that prints their tables', logs: 'computed from released logs',
};

interface FileTable extends Omit<ReportedTable, 'suite' | 'metrics' | 'rows'> {
  readonly rows: readonly Readonly<{ method: string } & Record<string, number | string>>[];
}

const checkShape = new Ajv({ allErrors: true, verbose: true, keywords: ['patternErrorMessage'] }).compile<{ suite: string; tables: readonly FileTable[] }>(
  JSON.parse(readFileSync(new URL('../../schemas/reported.schema.json', import.meta.resolve('@lethe/core')), 'utf8')) as object);

function readFile(file: string): ReportedTable[] {
  const { value, locate } = readDocument(file, 'YAML', 'LETHE_REPORTED_INVALID');
  const refuse = (pointer: string, message: string): never => {
    throw new LetheError('LETHE_REPORTED_INVALID', message, { where: locate(pointer), remedy: 'Write the table as the others in this folder are.' });
  };
  if (!checkShape(value)) {
    const { pointer, message } = schemaFault(checkShape.errors!, 'the file');
    return refuse(pointer, message);
  }
  const { suite, tables } = value;
  const ids = METRICS.map(({ id }) => id);
  return tables.map(({ rows, ...table }, i) => {
    rows.forEach((row, r) => {
      const unknown = Object.keys(row).find((key) => key !== 'method' && !ids.includes(key));
      if (unknown !== undefined) refuse(`/tables/${i}/rows/${r}/${unknown}`, `There is no metric "${unknown}".${didYouMean(unknown, ids)}`);
    });
    const first = tables.findIndex(({ id }) => id === table.id);
    if (first !== i) refuse(`/tables/${i}/id`, `The table "${table.id}" is there twice.`);
    return {
      ...table, suite, metrics: METRICS.filter(({ id }) => rows.some((row) => id in row)),
      rows: rows.map(({ method, ...values }) => ({ method, values: values as unknown as Record<string, number> })),
    };
  });
}

/**
 * The tables of a folder, by suite: numbers that papers report, as data. They are shown as reported and never ranked, averaged or compared
 * with what was measured.
 *
 * @throws LETHE_REPORTED_INVALID with file and line
 */
export function readReported(folder = REPORTED): ReportedTable[] {
  return readdirSync(folder).filter((name) => name.endsWith('.yaml')).sort().flatMap((name) => readFile(join(folder, name)));
}
