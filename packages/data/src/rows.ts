import { type Example, type Split, didYouMean } from '@lethe/core';
import type { FileTask } from './definition.js';
import { readJsonLines, rowFault } from './jsonl.js';
import { fillPrompt } from './template.js';

/** A row and where it comes from: `file:line`, or the task, split and id of a generated one. */
export interface Placed {
  readonly example: Example;
  readonly where: string;
}

const FIELDS = ['id', 'input', 'output'] as const;

function checkFields(value: unknown, where: string): Record<(typeof FIELDS)[number], string> {
  const remedy = 'a row is {"id": "…", "input": "…", "output": "…"}; other fields are ignored';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw rowFault(where, 'the row is not an object', remedy);
  const row = value as Record<string, unknown>;
  for (const field of FIELDS) {
    if (!Object.hasOwn(row, field)) {
      throw rowFault(where, `the row has no field "${field}".${didYouMean(field, Object.keys(row))}`, remedy);
    }
    const text = row[field];
    if (typeof text !== 'string' || text.trim() === '') {
      throw rowFault(where, `the field "${field}" is ${JSON.stringify(text)}, not a text`, remedy);
    }
  }
  return row as Record<(typeof FIELDS)[number], string>;
}

/**
 * The rows of one file of a task, prompts filled in, in the order of the file.
 *
 * @param taken ids of the task's rows so far, with where they stand; added to
 * @throws LetheError LETHE_DATA_ROW with file:line, LETHE_DATA_CHANGED, LETHE_DATA_MISSING
 */
export async function readRows(file: string, split: Split, task: FileTask, taken: Map<string, string>): Promise<Placed[]> {
  const options = task.labels.map(({ answer }) => ` ${answer}`);
  const answers = new Map(task.labels.map(({ output }, index) => [output, index]));
  const rows: Placed[] = [];
  for await (const { value, where } of readJsonLines(file, task.sha256?.[split])) {
    const { id, input, output } = checkFields(value, where);
    const answer = answers.get(output);
    if (answer === undefined) {
      const known = [...answers.keys()];
      throw rowFault(where, `the output "${output}" is not a label of task "${task.id}".${didYouMean(output, known)}`, `the labels are: ${known.join(', ')}`);
    }
    const other = taken.get(id);
    if (other !== undefined) throw rowFault(where, `the id "${id}" is taken by ${other}`, 'give every row of a task an id of its own');
    taken.set(id, where);
    rows.push({ example: { id, prompt: fillPrompt(task, input), options, answer }, where });
  }
  return rows;
}
