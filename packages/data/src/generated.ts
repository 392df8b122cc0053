import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Example, LetheError, type Split } from '@lethe/core';
import { rowFault } from './line.js';
import type { Placed } from './rows.js';

/** What the code of a suite with generated rows exports. */
export interface Generator {
  /**
   * `count` distinct rows of a split, with complete prompts; the same for the same arguments. The splits of a task share
   * no prompt.
   */
  generate(taskId: string, split: Split, count: number, seed: number): readonly Example[];
}

/**
 * Imports a compiled generator.
 *
 * @throws LetheError LETHE_DATA_MISSING where it is not built, LETHE_SUITE_INVALID where it does not export `generate`
 */
export async function importGenerator(code: string): Promise<Generator> {
  if (!existsSync(code)) {
    throw new LetheError('LETHE_DATA_MISSING', 'the code that makes the rows of the suite is not built', { where: code, remedy: 'npm run build' });
  }
  const remedy = 'export a function generate(taskId, split, count, seed) from it, and import it alone with node to see what is wrong';
  let module: Partial<Generator>;
  try {
    module = (await import(pathToFileURL(code).href)) as Partial<Generator>;
  } catch (cause) {
    throw new LetheError('LETHE_SUITE_INVALID', `the code of the suite cannot be imported: ${String(cause)}`, { where: code, remedy, cause });
  }
  if (typeof module.generate !== 'function') {
    throw new LetheError('LETHE_SUITE_INVALID', 'the code of the suite does not export a function "generate"', { where: code, remedy });
  }
  return module as Generator;
}

/** What is wrong with a generated row, if anything. */
function faultOf({ id, prompt, options, answer }: Example): string | undefined {
  if (typeof id !== 'string' || id === '') return 'it has no id';
  if (typeof prompt !== 'string' || prompt === '') return 'it has no prompt';
  if (!Array.isArray(options) || options.length < 2 || new Set(options).size !== options.length) return 'it has not two or more different options';
  if (options.some((option) => typeof option !== 'string' || option.trim() === '')) return 'an option is not a text';
  return Number.isInteger(answer) && answer >= 0 && answer < options.length ? undefined : `its answer, ${answer}, is not the index of an option`;
}

/**
 * Rows of one split, made by the suite's code and checked.
 *
 * @param where where the suite file speaks of the task
 * @param taken ids of the task's rows so far, with where they stand; added to
 * @throws LetheError LETHE_SUITE_INVALID where the code throws or makes another number of rows, LETHE_DATA_ROW for a bad row
 */
export function generateRows(
  { generate }: Generator, task: string, split: Split, count: number, seed: number, where: string, taken: Map<string, string>,
): Placed[] {
  if (count === 0) return [];
  let rows: readonly Example[];
  try {
    rows = generate(task, split, count, seed);
  } catch (cause) {
    throw new LetheError('LETHE_SUITE_INVALID', `the rows of task "${task}" cannot be made: ${cause instanceof Error ? cause.message : String(cause)}`, {
      where, remedy: 'mend the task in the suite file or in the code of the suite', cause,
    });
  }
  if (rows.length !== count) {
    throw new LetheError('LETHE_SUITE_INVALID', `the code of the suite made ${rows.length} ${split} rows of task "${task}", not ${count}`, {
      where, remedy: 'mend the code of the suite',
    });
  }
  return rows.map(({ id, prompt, options, answer }, n) => {
    const example: Example = { id, prompt, options, answer };
    const place = `task "${task}", ${split} row ${n} (${id})`;
    const fault = faultOf(example) ?? (taken.has(id) ? `its id is taken by ${taken.get(id)}` : undefined);
    if (fault !== undefined) throw rowFault(place, `a generated row cannot be used: ${fault}`, 'mend the code of the suite');
    taken.set(id, place);
    return { example, where: place, at: n, text: '' };
  });
}
