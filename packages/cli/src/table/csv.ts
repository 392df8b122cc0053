import { type CompletedRun, type Run, budgetWords } from '@lethe/core';
import { METRICS } from '@lethe/metrics';
import { type Value, csvLines } from '../csv-lines.js';
import { valueOf } from './summary.js';

/** A field of a line, by its name in the first one. */
interface Field {
  readonly name: string;
  /** Null or undefined where the run has none: the field is empty. */
  readonly of: (run: Run) => Value;
}

/** A field that a run has which came to its end. */
const measured = (name: string, of: (run: CompletedRun) => Value): Field => ({ name, of: (run) => (run.status === 'completed' ? of(run) : null) });

const COSTS = ['trainableParameters', 'storedBytes', 'addedParameters', 'trainTokens', 'trainSeconds', 'evalSeconds', 'peakBytes'] as const;

const FIELDS: readonly Field[] = [
  { name: 'suite', of: ({ suite }) => suite.id },
  { name: 'suiteVersion', of: ({ suite }) => suite.version },
  { name: 'size', of: ({ suite }) => suite.size },
  { name: 'prompts', of: ({ suite }) => suite.prompts },
  { name: 'changedBudget', of: ({ suite }) => budgetWords(suite.changed ?? {}).join(', ') },
  { name: 'scored', of: ({ suite }) => suite.scored ?? 'test' },
  { name: 'model', of: ({ model }) => model.id },
  { name: 'modelSha256', of: ({ model }) => model.sha256 },
  { name: 'method', of: ({ method }) => method.id },
  { name: 'label', of: ({ method }) => method.label },
  { name: 'methodVersion', of: ({ method }) => method.version },
  { name: 'options', of: ({ method }) => JSON.stringify(method.options) },
  { name: 'bound', of: ({ method }) => method.capabilities.bound },
  { name: 'order', of: ({ order }) => order.id },
  { name: 'seed', of: ({ seed }) => seed },
  { name: 'status', of: ({ status }) => status },
  ...METRICS.map((metric) => measured(metric.id, (run) => valueOf(run, metric))),
  ...COSTS.map((name) => measured(name, ({ cost }) => cost[name])),
];

/**
 * Runs as CSV, a line each below the names of the fields: what it was, how it ended, every metric as a fraction and what it cost. Fields that a run
 * does not have are empty.
 */
export const csvOf = (runs: readonly Run[]): string =>
  csvLines([FIELDS.map(({ name }) => name), ...runs.map((run) => FIELDS.map(({ of }) => of(run)))]);
