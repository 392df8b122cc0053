import type { CompletedRun, Metrics } from '@lethe/core';
import { METRICS as CATALOGUE, type Range } from '@lethe/metrics';
import { bytes, count, seconds } from './format.js';

/** A metric as the pages name it. */
export interface MetricColumn {
  readonly metric: keyof Metrics;
  readonly title: string;
  /** For the heading of a column. */
  readonly short: string;
  readonly better: 1 | -1;
  readonly range: Range;
}

function column(metric: keyof Metrics, title: string, short = title): MetricColumn {
  const { better, range } = CATALOGUE.find(({ id }) => id === metric)!;
  return { metric, title, short, better, range };
}

/** All metrics, the one that ranks first. */
export const METRICS: readonly MetricColumn[] = [
  column('averageAccuracy', 'Average accuracy'),
  column('forgetting', 'Forgetting'),
  column('backwardTransfer', 'Backward transfer'),
  column('forwardTransfer', 'Forward transfer'),
  column('learningAccuracy', 'Learning accuracy'),
  column('averageIncrementalAccuracy', 'Average incremental accuracy', 'Incremental accuracy'),
  column('generalDelta', 'General ability delta', 'General ability'),
];

/** The one by which methods are ranked. */
export const RANKING = METRICS[0]!;

/** What a run cost, as the pages name it. */
export interface CostColumn {
  readonly title: string;
  readonly value: (cost: CompletedRun['cost']) => number;
  readonly show: (value: number) => string;
}

/** A cost of the table. */
export interface TableCost extends CostColumn {
  /** For the heading of its column. */
  readonly short: string;
  /** What is counted, below that. */
  readonly counts?: string;
}

/** Costs of the table: the mean over runs. */
export const COSTS: readonly TableCost[] = [
  { title: 'Trained parameters', short: 'Trained', counts: 'parameters', value: (cost) => cost.trainableParameters, show: count },
  { title: 'Added parameters', short: 'Added', counts: 'parameters', value: (cost) => cost.addedParameters, show: count },
  { title: 'Stored', short: 'Stored', value: (cost) => cost.storedBytes, show: bytes },
  { title: 'Training time', short: 'Training time', value: (cost) => cost.trainSeconds, show: seconds },
];

/** Costs that only the pages of methods and runs have room for. */
export const MORE_COSTS: readonly CostColumn[] = [
  { title: 'Training tokens', value: (cost) => cost.trainTokens, show: count },
  { title: 'Scoring time', value: (cost) => cost.evalSeconds, show: seconds },
  { title: 'Peak memory of the process', value: (cost) => cost.peakBytes, show: bytes },
];
