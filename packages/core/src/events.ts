import type { Run, RunIdentity } from './results.js';

/** What happens during a benchmark. The command line, logs and tests listen to this one stream. Plain data: crosses workers. */
export type RunEvent =
  | { readonly type: 'run-started'; readonly run: string; readonly identity: RunIdentity; readonly steps: number }
  | { readonly type: 'step-started'; readonly run: string; readonly step: number; readonly task: string | null }
  | { readonly type: 'train-progress'; readonly run: string; readonly step: number; readonly done: number; readonly total: number; readonly loss: number }
  | { readonly type: 'score-progress'; readonly run: string; readonly step: number; readonly done: number; readonly total: number }
  /**
   * Some of the rows of a task are not read whole: the prompts of so many lose their middle, to fit `maxTokens` with what follows them, and the answers
   * of so many that are trained on lose their end, to fit `answerTokens`. Those to be scored are told of with the scores of the base model, and
   * again where the virtual tokens of a method leave them less than the budget does.
   */
  | {
    readonly type: 'rows-cut'; readonly run: string; readonly task: string; readonly split: 'train' | 'test'; readonly of: number;
    readonly prompts: number; readonly maxTokens: number; readonly virtualTokens?: number; readonly answers: number; readonly answerTokens?: number;
  }
  /** `reused` is true where the artefact of the step was already there. */
  | { readonly type: 'step-finished'; readonly run: string; readonly step: number; readonly scores: readonly (number | null)[]; readonly reused: boolean }
  | { readonly type: 'run-finished'; readonly run: string; readonly result: Run };

export type EventListener = (event: RunEvent) => void;
