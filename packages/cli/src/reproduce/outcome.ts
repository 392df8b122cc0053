import { type CompletedRun, type Run, type TaskPredictions, canonicalJson } from '@lethe/core';
import { counted } from '../run/progress.js';
import type { NamedRun } from './choice.js';

/** A run that was made again, beside what was published of it. */
export interface Reproduced {
  readonly name: string;
  /** Average accuracy. */
  readonly published: number | null;
  /** Null as well where the run failed. */
  readonly again: number | null;
  /** Answers to test rows, at all points of the stream, that are not those that were published; null where the run failed. */
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

/** Compares a published run with what came of making it again. */
export function outcomeOf({ run, name }: NamedRun, again: Run): Reproduced {
  const published = run.metrics.averageAccuracy;
  if (again.status === 'failed') return { name, published, again: null, answers: null, same: false, error: `${again.error.code}: ${again.error.message}` };
  return { name, published, again: again.metrics.averageAccuracy, answers: otherAnswers(run, again), same: lasting(run) === lasting(again) };
}

/** What came of a run, in the order and the words of {@link verdict}. */
const KINDS = ['as published', 'with the same answers, but other costs or another report', 'with the same answers, but another score', 'with other answers', 'failed'] as const;

function kindOf({ same, answers, published, again }: Reproduced): (typeof KINDS)[number] {
  if (same) return KINDS[0];
  if (answers === null) return KINDS[4];
  if (answers.other > 0) return KINDS[3];
  return published === again ? KINDS[1] : KINDS[2];
}

/** One sentence on all of them. */
export function verdict(all: readonly Reproduced[]): string {
  const count = (kind: (typeof KINDS)[number]) => all.filter((one) => kindOf(one) === kind).length;
  const [same, ...others] = KINDS;
  if (count(same) === all.length) return `${all.length === 1 ? 'the run' : `all ${all.length} runs`} came out as published, to the last answer`;
  return [
    `${same}: ${count(same)} of ${counted(all.length, 'run')}`,
    ...others.filter((kind) => count(kind) > 0).map((kind) => `${kind}: ${count(kind)}`),
  ].join('; ');
}
