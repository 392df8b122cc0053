import type { CompletedRun, Metrics } from '@lethe/core';
import type { Interval } from '@lethe/metrics';
import { bytes, count, seconds } from './format.js';

/** A metric as the pages name it. */
export interface MetricColumn {
  readonly metric: keyof Metrics;
  readonly title: string;
  /** For the heading of a column. */
  readonly short: string;
  readonly better: 1 | -1;
  /** What the metric can be at all: scores are in [0, 1], and no difference of them is outside of [-1, 1]. */
  readonly range: readonly [least: number, most: number];
}

export const SCORE = [0, 1] as const;
const CHANGE = [-1, 1] as const;

/** All metrics, the one that ranks first. */
export const METRICS: readonly MetricColumn[] = [
  { metric: 'averageAccuracy', title: 'Average accuracy', short: 'Average accuracy', better: 1, range: SCORE },
  { metric: 'forgetting', title: 'Forgetting', short: 'Forgetting', better: -1, range: CHANGE },
  { metric: 'backwardTransfer', title: 'Backward transfer', short: 'Backward transfer', better: 1, range: CHANGE },
  { metric: 'forwardTransfer', title: 'Forward transfer', short: 'Forward transfer', better: 1, range: CHANGE },
  { metric: 'learningAccuracy', title: 'Learning accuracy', short: 'Learning accuracy', better: 1, range: SCORE },
  { metric: 'averageIncrementalAccuracy', title: 'Average incremental accuracy', short: 'Incremental accuracy', better: 1, range: SCORE },
  { metric: 'generalDelta', title: 'General ability delta', short: 'General ability', better: 1, range: CHANGE },
];

/** The part of an interval in which the metric can lie: a t interval may pass what no model can score, which says nothing. */
export function withinReach(interval: Interval, [least, most]: MetricColumn['range']): Interval {
  const { low, high } = interval;
  return { ...interval, low: low === null ? null : Math.max(low, least), high: high === null ? null : Math.min(high, most) };
}

/** What a run cost, as the pages name it. */
export interface CostColumn {
  readonly title: string;
  readonly value: (cost: CompletedRun['cost']) => number;
  readonly show: (value: number) => string;
}

/** Costs of the table: the mean over runs. */
export const COSTS: readonly CostColumn[] = [
  { title: 'Trained parameters', value: (cost) => cost.trainableParameters, show: count },
  { title: 'Stored', value: (cost) => cost.storedBytes, show: bytes },
  { title: 'Training time', value: (cost) => cost.trainSeconds, show: seconds },
];

/** Costs that only the pages of methods and runs have room for. */
export const MORE_COSTS: readonly CostColumn[] = [
  { title: 'Added parameters', value: (cost) => cost.addedParameters, show: count },
  { title: 'Training tokens', value: (cost) => cost.trainTokens, show: count },
  { title: 'Scoring time', value: (cost) => cost.evalSeconds, show: seconds },
  { title: 'Peak memory of the process', value: (cost) => cost.peakBytes, show: bytes },
];
