import { type NdArray, bytesOfState, jsonFault, reportFault } from '@lethe/core';
import { type Rule, type Subject } from '../rule.js';
import { FEATURES, ROWS, toyRows } from '../toy-world.js';

/** Bytes that are saved after every stage. */
async function storedBytes(subject: Subject): Promise<number[]> {
  return (await subject.walked()).map(({ state }) => bytesOfState(state));
}

export const growth: Rule = {
  id: 'growth',
  title: 'grows with the number of tasks as its manifest declares',
  remedy: 'Correct capabilities.growth in plugin.json (none, sublinear or linear), or keep less.',
  exempt: ({ manifest }) => (manifest.stream === 'joint' ? 'it trains once' : null),
  async check(subject) {
    const declared = subject.tested.manifest.capabilities.growth;
    const bytes = await storedBytes(subject);
    const [first, second, third] = bytes as [number, number, number];
    const sizes = `after tasks 1, 2 and 3 it saves ${bytes.join(', ')} bytes`;
    if (declared === 'none') return third === second ? null : `declares growth none, but ${sizes}`;
    // what is bounded from above may find nothing more to keep in the third of three tasks as small as these
    if (declared === 'linear' && third <= first) return `declares growth linear, but ${sizes}`;
    // a task may add no more than the larger of the first two did; one that shares adds less than the first on average
    if (third - second > Math.max(first, second - first)) return `declares growth ${declared}, but ${sizes}`;
    if (declared === 'sublinear' && third - first >= 2 * first) return `declares growth sublinear, but every task adds as much as the first: ${sizes}`;
    return null;
  },
};

/** Of a copy in 32 bits that was scaled: the distance from a multiple of the row, as a share of its length. */
const ALIKE = 1e-5;

/** Whether values stand in an array, next to each other or one below the other, as they are or all multiplied by one number. */
function holds({ shape, data }: NdArray, values: Float32Array): boolean {
  const square = values.reduce((sum, v) => sum + v * v, 0);
  return [...new Set([1, shape.at(-1) ?? 1])].some((stride) => {
    for (let at = 0; at + (values.length - 1) * stride < data.length; at++) {
      const factor = values.reduce((sum, v, k) => sum + v * data[at + k * stride]!, 0) / square;
      const away = values.reduce((sum, v, k) => sum + (data[at + k * stride]! - factor * v) ** 2, 0);
      if (factor !== 0 && away <= ALIKE ** 2 * factor ** 2 * square) return true;
    }
    return false;
  });
}

export const rehearsal: Rule = {
  id: 'rehearsal',
  title: 'keeps no rows of tasks unless its manifest declares it',
  remedy: 'Set capabilities.rehearsal to true in plugin.json, or keep statistics (means, covariances) instead of rows.',
  exempt: ({ manifest }) => (manifest.capabilities.rehearsal ? 'its manifest declares it' : null),
  async check(subject) {
    const rows = toyRows(1).flatMap(({ z }, t) => Array.from({ length: ROWS }, (_, r) =>
      ({ name: `row ${r + 1} of task ${t + 1}`, values: z.data.subarray(r * FEATURES, (r + 1) * FEATURES) })));
    for (const [i, { state }] of (await subject.walked()).entries()) {
      if (state.rows?.length) return `it keeps ${state.rows.length} rows, saved after stage ${i + 1}`;
      for (const [name, array] of Object.entries({ ...state.trainable, ...state.frozen, ...state.stored })) {
        const found = rows.find(({ values }) => holds(array, values));
        if (found) return `array "${name}", saved after stage ${i + 1}, holds the features of ${found.name}`;
      }
    }
    return null;
  },
};

/** All numbers and the longest text within plain JSON. */
function contentsOf(json: unknown): { numbers: number[]; text: string } {
  if (typeof json === 'number') return { numbers: [json], text: '' };
  if (typeof json === 'string') return { numbers: [], text: json };
  if (typeof json !== 'object' || json === null) return { numbers: [], text: '' };
  const parts = Object.values(json).map(contentsOf);
  return { numbers: parts.flatMap(({ numbers }) => numbers), text: parts.map(({ text }) => text).reduce((a, b) => (b.length > a.length ? b : a), '') };
}

/** Fractions and letters that JSON may hold for each task: counters, owners and a few thresholds need no more. */
const [FRACTIONS, LETTERS] = [8, 64];

export const storedInArrays: Rule = {
  id: 'stored-bytes',
  title: 'keeps what it has learned in arrays, whose bytes are counted',
  remedy: 'Put values into save().stored as arrays; json is for counters, owners and names.',
  async check(subject) {
    for (const [i, { state }] of (await subject.walked()).entries()) {
      const { numbers, text } = contentsOf(state.json);
      const fractions = numbers.filter((value) => !Number.isInteger(value)).length;
      if (fractions > FRACTIONS * (i + 1)) return `json holds ${fractions} fractions after stage ${i + 1}: values that stored bytes do not count`;
      if (text.length > LETTERS * (i + 1)) return `json holds a text of ${text.length} letters after stage ${i + 1}`;
    }
    return null;
  },
};

export const jsonState: Rule = {
  id: 'json-state',
  title: 'keeps plain JSON in save().json, and tables in report()',
  remedy: 'Use objects, lists, texts, finite numbers, booleans and null; a Map becomes a list of pairs, what is not there null. report() gives a '
    + 'list of ReportTable (packages/core/src/report.ts).',
  async check(subject) {
    for (const [i, { state, report }] of (await subject.walked()).entries()) {
      const found = jsonFault(state.json, 'json') ?? (report === undefined ? null : jsonFault(report, 'report()'));
      if (found) return `after stage ${i + 1} ${found}`;
      const fault = report === undefined ? null : reportFault(report);
      if (fault) return `after stage ${i + 1} report() is not a list of tables: ${fault}`;
    }
    return null;
  },
};
