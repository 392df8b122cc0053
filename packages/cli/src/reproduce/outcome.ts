import { type CompletedRun, type Run, canonicalJson } from '@lethe/core';
import { counted } from '@lethe/leaderboard';
import { stepsOf } from '@lethe/metrics';
import type { Claim } from './claims.js';

/** How the answers of two runs compare, over all that either of them has. */
interface Answers {
  /** Those that both have, and that differ. */
  readonly other: number;
  /** Those that one of the two does not have. */
  readonly missing: number;
  readonly of: number;
}

/** A run that was made again, beside what was published of it. */
export interface Reproduced {
  readonly name: string;
  /** Average accuracy; null as well where the run failed. */
  readonly published: number | null;
  readonly again: number | null;
  /** Answers to test rows, at all points of the stream; null where one of the two failed, and for a trial, of which no answers are published. */
  readonly answers: Answers | null;
  /** Whether all else is as published as well: metrics, costs but for seconds and memory, what the method says it learned. */
  readonly same: boolean;
  readonly error?: string;
}

/** Every answer of a run, by task or probe, point of the stream and row. */
function answersOf({ predictions }: CompletedRun): Map<string, number | string> {
  return new Map(Object.entries(predictions).flatMap(([id, task]) => stepsOf(task).flatMap((answers, step) =>
    (answers ?? []).map((answer, row) => [canonicalJson([id, step, row]), answer] as const))));
}

function compared(published: CompletedRun, again: CompletedRun): Answers {
  const [then, now] = [answersOf(published), answersOf(again)];
  const all = [...new Set([...then.keys(), ...now.keys()])];
  const shared = all.filter((key) => then.has(key) && now.has(key));
  return { other: shared.filter((key) => then.get(key) !== now.get(key)).length, missing: all.length - shared.length, of: all.length };
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
  return { name, published, again: again.metrics.averageAccuracy, answers: compared(run, again), same: lasting(run) === lasting(again) };
}

/** What came of a run, in the order and the words of {@link verdict}. */
const KINDS = [
  'as published', 'with the same answers, but other costs or another report', 'with the same answers, but another score', 'with other answers', 'with another score',
  'with answers that one of the two does not have', 'failed', 'did not fail again',
] as const;

function kindOf({ same, answers, published, again }: Reproduced): (typeof KINDS)[number] {
  if (same) return 'as published';
  if (answers === null) return again === null ? 'failed' : published === null ? 'did not fail again' : 'with another score';
  if (answers.missing > 0) return 'with answers that one of the two does not have';
  if (answers.other > 0) return 'with other answers';
  return published === again ? 'with the same answers, but other costs or another report' : 'with the same answers, but another score';
}

/** Whether all that differs may come of rounding: answers, or of a trial the score that follows from them. */
export const mayBeRounding = (one: Reproduced): boolean => ['with other answers', 'with another score'].includes(kindOf(one));

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
