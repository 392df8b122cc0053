import { MISSING, type Run, type RunEvent } from '@lethe/core';
import { percent } from '@lethe/leaderboard';

/** Shows how a benchmark goes on; writes to stderr only. */
export interface Progress {
  hear(event: RunEvent, index: number): void;
  /** A run is no longer at work, however it ended. */
  ended(index: number): void;
  /** A line that stays. */
  line(text: string): void;
  close(): void;
}

/** `1 h 5 min`, `3 min`, `40 s`: as exact as an estimate deserves. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** One finished run as a line of numbers, or why it failed. */
export function runLine(label: string, run: Run): string {
  if (run.status === 'failed') return `${label}  failed: ${run.error.code}: ${run.error.message}`;
  const { averageAccuracy, forgetting, backwardTransfer } = run.metrics;
  const value = (name: string, number: number | null) => (number === null ? [] : [`${name} ${percent(number)} %`]);
  const seconds = run.cost.trainSeconds + run.cost.evalSeconds;
  return [
    label, ...value('avg', averageAccuracy), ...value('forgetting', forgetting), ...value('backward', backwardTransfer), duration(seconds),
  ].join('  ');
}

/** What there is to say of rows that are not read whole: once for those of a task and as many tokens, of whatever runs. Nothing for other events. */
export function cutNotes(): (event: RunEvent) => string | undefined {
  const said = new Set<string>();
  return (event) => {
    if (event.type !== 'rows-cut') return undefined;
    const { task, split, of, prompts, maxTokens, virtualTokens, answers, answerTokens } = event;
    const what = `${split} ${task} ${maxTokens}`;
    if (said.has(what)) return undefined;
    said.add(what);
    const behind = virtualTokens === undefined ? '' : ` behind ${virtualTokens} virtual ones`;
    const rows = `of ${of} ${split === 'train' ? 'training' : 'scored'} rows`;
    return `task "${task}": ${[
      ...(prompts > 0 ? [`${prompts} ${rows} lose the middle of their prompt, to fit into ${maxTokens} tokens${behind}`] : []),
      ...(answers > 0 ? [`${answers} ${rows} lose the end of their answer, to fit into ${answerTokens} tokens`] : []),
    ].join('; ')}`;
  };
}

/** Scores of one step in percent, in the order of the tasks. */
export function scoreList(scores: readonly (number | null)[]): string {
  return scores.map((score) => (score === null ? MISSING : (score * 100).toFixed(0))).join(' ');
}

/** What the displays say of the time to go: nothing until it is known. */
export function timeLeft(seconds: number | null): string {
  return seconds === null ? '' : `  ${duration(seconds)} left`;
}
