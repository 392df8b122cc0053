import type { Matrix, Metrics } from '@lethe/core';
import { FORMULAS } from './metrics.js';
import type { Range } from './statistics/interval.js';
import { meanOf, wholeMean } from './statistics/mean.js';

/** What metrics are made of. */
export interface Measured {
  /** (T+1) x T scores in [0, 1], row 0 those of the base model; null where a method does not pass a point. */
  readonly matrix: Matrix;
  /** Probe scores by probe id. */
  readonly general: { readonly base: Readonly<Record<string, number>>; readonly final: Readonly<Record<string, number>> };
  /** Test rows of every task, in the order of the columns. */
  readonly rows: readonly number[];
}

/** A number that sums up a run. */
export interface Metric {
  readonly id: string;
  readonly title: string;
  /** 1 where higher is better, -1 where lower is. */
  readonly better: 1 | -1;
  /** The least and the most that it can be, whatever was measured. */
  readonly range: Range;
  /** With R[i][j] the score on task j after training task i, n[j] its test rows, T tasks. */
  readonly formula: string;
  /** Who prints it, and under which name. */
  readonly source: string;
  /** Null where it is not defined. */
  of(run: Measured): number | null;
}

/** Of scores, which are in [0, 1], and of differences between them: of either sign, losses alone, and sizes of losses alone. */
const SCORE: Range = [0, 1];
const CHANGE: Range = [-1, 1];
const LOSS: Range = [-1, 0];
const DROP: Range = [0, 1];

const own = (id: keyof Metrics, title: string, better: 1 | -1, range: Range, formula: string, source: string): Metric =>
  ({ id, title, better, range, formula, source, of: ({ matrix, general }) => FORMULAS[id](matrix, general) });

/** The metrics that results hold and pages show. */
const OWN: readonly Metric[] = [
  own('averageAccuracy', 'average accuracy', 1, SCORE, 'mean_j R[T][j]',
    'ACC of Lopez-Paz and Ranzato 2017 (arXiv 1706.08840); AA, AP or OP in tables'),
  own('forgetting', 'forgetting', -1, CHANGE, '1/(T-1) sum_{j<T} (max_{1<=i<T} R[i][j] - R[T][j])',
    'the forgetting measure of Chaudhry et al. 2018 (arXiv 1801.10112); FT or F.Ra in tables'),
  own('backwardTransfer', 'backward transfer', 1, CHANGE, '1/(T-1) sum_{j<T} (R[T][j] - R[j][j])',
    'BWT of Lopez-Paz and Ranzato 2017; TRACE prints it with OP'),
  own('forwardTransfer', 'forward transfer', 1, CHANGE, '1/(T-1) sum_{j>1} (R[j-1][j] - R[0][j])',
    'FWT of Lopez-Paz and Ranzato 2017, against the base model in place of random weights'),
  own('learningAccuracy', 'learning accuracy', 1, SCORE, 'mean_j R[j][j]', 'LA of Riemer et al. 2019 (arXiv 1810.11910)'),
  own('averageIncrementalAccuracy', 'average incremental accuracy', 1, SCORE, '1/T sum_i 1/i sum_{j<=i} R[i][j]',
    'after Rebuffi et al. 2017 (arXiv 1611.07725), with tasks in place of classes'),
  own('generalDelta', 'general ability delta', 1, CHANGE, 'mean_p G[T][p] - mean_p G[0][p] over probes p',
    'Wang et al. 2023 (TRACE, arXiv 2310.06762)'),
];

/** The changes R[T][j] - R[j][j] of all tasks but the last; null where one is not known. */
function changes({ matrix }: Measured): readonly number[] | null {
  const last = matrix.at(-1)!;
  const all = last.slice(0, -1).map((end, j) => {
    const learned = matrix[j + 1]![j];
    return end === null || learned === null || learned === undefined ? null : end - learned;
  });
  return all.includes(null) ? null : (all as readonly number[]);
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The mean over all cells after training task i on task j, both counted from 1, that are asked for; null where there is none or one is not known. */
function meanOfCells({ matrix }: Measured, wanted: (i: number, j: number) => boolean, value = (score: number, _j: number): number | null => score): number | null {
  const values = matrix.flatMap((row, i) => row.flatMap((score, k) => (i > 0 && wanted(i, k + 1) ? [score === null ? null : value(score, k + 1)] : [])));
  return wholeMean(values);
}

/** R[j][j], or null. */
const learned = ({ matrix }: Measured, j: number): number | null => matrix[j]?.[j - 1] ?? null;

/** What Díaz-Rodríguez et al. call by the usual names. */
const TRIANGLES = 'Díaz-Rodríguez et al. 2018 (arXiv 1810.13166)';

/** What other code prints under the names above. None of these is comparable with them. */
const VARIANTS: readonly Metric[] = [
  {
    id: 'rowWeightedAccuracy', title: 'row-weighted accuracy', better: 1, range: SCORE, formula: 'sum_j n[j] R[T][j] / sum_j n[j]',
    source: 'the exact match over all test rows in the logs of O-LoRA\'s code; tasks with many rows count more',
    of: ({ matrix, rows }) => {
      const last = matrix.at(-1)!;
      return last.includes(null) ? null : sum(rows.map((count, j) => count * last[j]!)) / sum(rows);
    },
  },
  {
    id: 'backwardTransferOverAllTasks', title: 'backward transfer over all tasks', better: 1, range: CHANGE, formula: '1/T sum_{j<T} (R[T][j] - R[j][j])',
    source: 'BWT of SAPT\'s scoring script, which divides by T and not by T-1',
    of: (run) => {
      const values = changes(run);
      return values?.length ? sum(values) / (values.length + 1) : null;
    },
  },
  {
    id: 'negativeBackwardTransfer', title: 'backward transfer, losses only', better: 1, range: LOSS, formula: '1/T sum_j min(R[T][j] - R[j][j], 0)',
    source: 'TreeLoRA\'s code; its paper prints the size as forgetting; tasks that gained do not make up for those that lost',
    of: (run) => {
      const values = changes(run);
      return values?.length ? sum(values.map((value) => Math.min(value, 0))) / (values.length + 1) : null;
    },
  },
  {
    id: 'dropSinceLearned', title: 'drop since learned', better: -1, range: CHANGE, formula: '1/(T-1) sum_{j<T} (R[j][j] - R[T][j])',
    source: 'forgetting of Avalanche\'s code (StreamForgetting, whose StreamBWT has the other sign), and of tables that do so too; no larger than forgetting',
    of: (run) => {
      const values = changes(run);
      return values?.length ? -meanOf(values) : null;
    },
  },
  {
    id: 'dropFromPeak', title: 'drop from the peak', better: -1, range: DROP, formula: '1/(T-1) sum_{j<T} (max_{j<=i<=T} R[i][j] - R[T][j])',
    source: 'forgetting of Mammoth\'s code: the last step counts among the best, so that it is never below zero, and those before a task was trained do not',
    of: ({ matrix }) => {
      const drops = matrix.at(-1)!.slice(0, -1).map((end, j) => {
        const since = matrix.slice(j + 1).map((row) => row[j] ?? null);
        return end === null || since.includes(null) ? null : Math.max(...(since as number[])) - end;
      });
      return wholeMean(drops);
    },
  },
  {
    id: 'triangularAccuracy', title: 'accuracy over all steps', better: 1, range: SCORE, formula: '2/(T(T+1)) sum_{i>=j} R[i][j]', source: `accuracy of ${TRIANGLES}, eq. 2`,
    of: (run) => meanOfCells(run, (i, j) => i >= j),
  },
  {
    id: 'triangularBackwardTransfer', title: 'backward transfer over all steps', better: 1, range: CHANGE, formula: '2/(T(T-1)) sum_{i>j} (R[i][j] - R[j][j])',
    source: `BWT of ${TRIANGLES}, eq. 3`,
    of: (run) => meanOfCells(run, (i, j) => i > j, (score, j) => {
      const then = learned(run, j);
      return then === null ? null : score - then;
    }),
  },
  {
    id: 'triangularForwardTransfer', title: 'accuracy before training', better: 1, range: SCORE, formula: '2/(T(T-1)) sum_{1<=i<j} R[i][j]',
    source: `FWT of ${TRIANGLES}, eq. 4, which does not take away what the base model knows`,
    of: (run) => meanOfCells(run, (i, j) => i < j),
  },
];

/** Every metric there is, those that results hold first. */
export const METRICS: readonly Metric[] = [...OWN, ...VARIANTS];
