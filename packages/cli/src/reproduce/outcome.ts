import { type CompletedRun, type Run, type TaskPredictions, canonicalJson } from '@lethe/core';
import { counted } from '../run/progress.js';
import type { Claim } from './claims.js';

/** A run that was made again, beside what was published of it. */
export interface Reproduced {
  readonly name: string;
  /** Average accuracy; null as well where the run failed. */
  readonly published: number | null;
  readonly again: number | null;
  /** Answers to test rows, at all points of the stream, that are not those that were published; null where one of the two failed, and for a trial, of which no answers are published. */
  readonly answers: { readonly other: number; readonly of: number } | null;
  /** Whether all else is as published as well: metrics, costs but for seconds and memory, what the method says it learned. */
  readonly same: boolean;
  readonly error?: string;
}

const scoredBy = (task: TaskPredictions): readonly (readonly (number | string)[] | null)[] => ('chosen' in task ? task.chosen : task.written);

/** How many answers two runs over the same rows do not share. */
function otherAnswers(a: CompletedRun, b: CompletedRun): { other: number; of: number } {
  let [other, of] = [0, 0];
  for (const [id, task] of Object.entries(a.predictions)) {
    const again = scoredBy(b.predictions[id]!);
    scoredBy(task).forEach((answers, step) => answers?.forEach((answer, row) => {
      of++;
      if (again[step]?.[row] !== answer) other++;
    }));
  }
  return { other, of };
}

/** What a run says that neither time nor place decides. */
function lasting({ matrix, general, metrics, predictions, cost, report }: CompletedRun): string {
  const { trainSeconds: _train, evalSeconds: _eval, peakBytes: _peak, ...counts } = cost;
  return canonicalJson({ matrix, general, metrics, predictions, cost: counts, report: report ?? null });
}

const averageOf = (run: Run): number | null => (run.status === 'failed' ? null : run.metrics.averageAccuracy);

/** Compares what was published with what came of making it again. */
export function outcomeOf({ run, name, published }: Claim, again: Run): Reproduced {
  if (!run) {
    const value = averageOf(again);
    return { name, published, again: value, answers: null, same: published === value, ...(again.status === 'failed' && { error: `${again.error.code}: ${again.error.message}` }) };
  }
  if (run.status === 'failed' || again.status === 'failed') {
    const [before, now] = [run, again].map((one) => (one.status === 'failed' ? `${one.error.code}: ${one.error.message}` : undefined));
    return { name, published, again: averageOf(again), answers: null, same: before === now, error: now ?? 'did not fail' };
  }
  return { name, published, again: again.metrics.averageAccuracy, answers: otherAnswers(run, again), same: lasting(run) === lasting(again) };
}

/** What came of a run, in the order and the words of {@link verdict}. */
const KINDS = [
  'as published', 'with the same answers, but other costs or another report', 'with the same answers, but another score', 'with other answers', 'with another score',
  'failed', 'did not fail again',
] as const;

function kindOf({ same, answers, published, again }: Reproduced): (typeof KINDS)[number] {
  if (same) return KINDS[0];
  if (answers === null) return again === null ? KINDS[5] : published === null ? KINDS[6] : KINDS[4];
  if (answers.other > 0) return KINDS[3];
  return published === again ? KINDS[1] : KINDS[2];
}

/**
 * One sentence on all of them.
 *
 * @param outdated methods that nothing was drawn of
 */
export function verdict(all: readonly Reproduced[], outdated: readonly string[]): string {
  const count = (kind: (typeof KINDS)[number]) => all.filter((one) => kindOf(one) === kind).length;
  const [same, ...others] = KINDS;
  const untested = outdated.length === 0 ? '' : `; nothing is said of ${outdated.join(', ')}`;
  if (count(same) === all.length) {
    // of trials no answers are published
    const extent = all.every(({ answers }) => answers === null) ? '' : ', to the last answer';
    return `${all.length === 1 ? 'the run' : `all ${all.length} runs that were drawn`} came out as published${extent}${untested}`;
  }
  return [
    `${same}: ${count(same)} of ${counted(all.length, 'run')}`,
    ...others.filter((kind) => count(kind) > 0).map((kind) => `${kind}: ${count(kind)}`),
  ].join('; ') + untested;
}
