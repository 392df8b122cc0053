import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Example, LetheError, type Split, frameWithin } from '@lethe/core';
import { scorerOf } from '@lethe/scorers';
import type { GeneratedTask } from './definition.js';
import { rowFault } from './line.js';
import type { Placed } from './rows.js';

/** A row of a task that is answered by writing: its right answer, or several, of which the first is trained on. */
export interface WrittenRow extends Pick<Example, 'id' | 'prompt' | 'source'> {
  readonly answer: string | readonly string[];
}

/** What the code of a suite with generated rows exports. */
export interface Generator {
  /**
   * `count` distinct rows of a split, with complete prompts; the same for the same arguments. The splits of a task share
   * no prompt.
   */
  generate(taskId: string, split: Split, count: number, seed: number): readonly (Example | WrittenRow)[];
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
    throw new LetheError('LETHE_SUITE_INVALID', `the code of the suite cannot be imported: ${String(cause)}`, {
      where: frameWithin(cause, dirname(code)) ?? code, remedy, cause,
    });
  }
  if (typeof module.generate !== 'function') {
    throw new LetheError('LETHE_SUITE_INVALID', 'the code of the suite does not export a function "generate"', { where: code, remedy });
  }
  return module as Generator;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

/** What a row of options is, or what is wrong with it. */
function chosen({ id, prompt, options, answer }: Example): Example | string {
  if (!Array.isArray(options) || options.length < 2 || new Set(options).size !== options.length) return 'it has not two or more different options';
  if (!options.every(isText)) return 'an option is not a text';
  if (!Number.isInteger(answer) || answer < 0 || answer >= options.length) return `its answer, ${answer}, is not the index of an option`;
  return { id, prompt, options, answer };
}

/** What a row whose answer is written is, or what is wrong with it. */
function written({ id, prompt, answer, source }: WrittenRow, needsSource: boolean): Example | string {
  const texts: readonly unknown[] = Array.isArray(answer) ? answer : [answer];
  if (texts.length === 0 || !texts.every(isText)) return 'its answer is neither a text nor a list of texts';
  if (needsSource && !isText(source)) return 'it has no source, with which its scorer compares';
  const options = [...new Set(texts)].map((text) => ` ${text.trim()}`);
  return { id, prompt, options, answer: 0, ...(needsSource && { source: source! }) };
}

/** A generated row as it is used, or what is wrong with it. */
function exampleOf(row: Example | WrittenRow, task: GeneratedTask): Example | string {
  if (!isText(row.id)) return 'it has no id';
  if (!isText(row.prompt)) return 'it has no prompt';
  return task.written ? written(row as WrittenRow, scorerOf(task.written.scorer).needsSource) : chosen(row as Example);
}

/**
 * Rows of one split, made by the suite's code and checked.
 *
 * @param where where the suite file speaks of the task
 * @param taken ids of the task's rows so far, with where they stand; added to
 * @throws LetheError LETHE_SUITE_INVALID where the code throws or makes another number of rows, LETHE_DATA_ROW for a bad row
 */
export function generateRows(
  { generate }: Generator, task: GeneratedTask, split: Split, count: number, seed: number, where: string, taken: Map<string, string>,
): Placed[] {
  if (count === 0) return [];
  let rows: readonly (Example | WrittenRow)[];
  try {
    rows = generate(task.id, split, count, seed);
  } catch (cause) {
    throw new LetheError('LETHE_SUITE_INVALID', `the rows of task "${task.id}" cannot be made: ${cause instanceof Error ? cause.message : String(cause)}`, {
      where, remedy: 'mend the task in the suite file or in the code of the suite', cause,
    });
  }
  if (rows.length !== count) {
    throw new LetheError('LETHE_SUITE_INVALID', `the code of the suite made ${rows.length} ${split} rows of task "${task.id}", not ${count}`, {
      where, remedy: 'mend the code of the suite',
    });
  }
  return rows.map((row, n) => {
    const { id } = row;
    const place = `task "${task.id}", ${split} row ${n} (${id})`;
    const example = taken.has(id) ? `its id is taken by ${taken.get(id)}` : exampleOf(row, task);
    if (typeof example === 'string') throw rowFault(place, `a generated row cannot be used: ${example}`, 'mend the code of the suite');
    taken.set(id, place);
    return { example, where: place, at: n, text: '', group: '' };
  });
}
