import type { Capabilities } from './manifest.js';
import type { ReportTable } from './report.js';
import type { BudgetChange, TrainingBudget } from './suite.js';
import type { Sweep } from './sweep.js';

/** `results.json`: the outcome of `lethe run`. Its JSON Schema is `schemas/results.schema.json`. */
export interface Results {
  readonly schema: 'lethe.results/1';
  /** sha256 over the canonical JSON of `runs` without the fields that time and place decide (`cost` seconds and peak bytes, `environment`, all of an `error` but code and message), and of `sweep`. */
  readonly sha256: string;
  readonly runs: readonly Run[];
  /** How options were chosen; absent where they were not tuned. */
  readonly sweep?: Sweep;
}

export interface RunIdentity {
  readonly suite: {
    readonly id: string;
    readonly version: string;
    readonly size: string;
    /** Absent with the suite's own prompts. Scores under different prompts are never compared. */
    readonly prompts?: string;
    /** Where the training budget is not the suite's own; absent where it is. Scores with different budgets are never compared. */
    readonly changed?: BudgetChange;
    /** Where validation rows were scored, to tune methods: nothing that may be published. Absent for test rows. */
    readonly scored?: 'validation';
  };
  readonly method: {
    readonly id: string;
    /** What to call it, where one benchmark has it several times with other options. */
    readonly label?: string;
    readonly version: string;
    /** Every option, defaults filled in. */
    readonly options: Readonly<Record<string, unknown>>;
    readonly capabilities: Capabilities;
  };
  readonly model: {
    readonly id: string;
    /** Of its files, and of its chat template where it is used. */
    readonly sha256: string;
    /** Whether prompts are put into the chat template of the model; absent for no. */
    readonly chat?: true;
    /** The adapter that was merged into the weights before the run, and the model without it. */
    readonly adapter?: { readonly id: string; readonly sha256: string; readonly base: { readonly id: string; readonly sha256: string } };
  };
  readonly order: { readonly id: string; readonly tasks: readonly string[] };
  readonly seed: number;
  readonly training: TrainingBudget;
}

export type Run = CompletedRun | FailedRun;

/** A score matrix: row i holds the scores after training task i, row 0 those of the base model; null where a method does not pass that point (joint training). */
export type Matrix = readonly (readonly (number | null)[])[];

export interface CompletedRun extends RunIdentity {
  readonly status: 'completed';
  /** (T+1) x T, columns in the order trained; scores in [0, 1]. */
  readonly matrix: Matrix;
  /** Probe scores by probe id. */
  readonly general: { readonly base: Readonly<Record<string, number>>; readonly final: Readonly<Record<string, number>> };
  readonly metrics: Metrics;
  /** For each task and probe the answer to every test row, for each row of the matrix: every score can be recomputed. */
  readonly predictions: Readonly<Record<string, TaskPredictions>>;
  readonly cost: Cost;
  /** What the method says it learned, if it says anything. */
  readonly report?: readonly ReportTable[];
  readonly environment: Environment;
}

/** What was answered to the test rows of a task, and what would have been right. */
export type TaskPredictions = OptionPredictions | TextPredictions;

/** A task whose rows have options: its score is the fraction of rows with the right one. */
export interface OptionPredictions {
  /** Index of the right option of every test row. */
  readonly answers: readonly number[];
  /** chosen[i] are the predicted options after step i, or null where the step was not scored. */
  readonly chosen: readonly (readonly number[] | null)[];
}

/** A task that is answered by writing: its score is the mean of a scorer over the rows. */
export interface TextPredictions {
  /** Id of the scorer. */
  readonly scorer: string;
  /** The right answers of every test row, at least one each. */
  readonly references: readonly (readonly string[])[];
  /** What each row rewrites; only for a scorer that needs it. */
  readonly sources?: readonly string[];
  /** written[i] are the texts after step i, or null where the step was not scored. */
  readonly written: readonly (readonly string[] | null)[];
}

export interface FailedRun extends RunIdentity {
  readonly status: 'failed';
  readonly error: { readonly code: string; readonly message: string; readonly where?: string; readonly remedy?: string };
  readonly environment: Environment;
}

/** Null where a metric is not defined (backward transfer of joint training). */
export interface Metrics {
  readonly averageAccuracy: number | null;
  readonly backwardTransfer: number | null;
  readonly forgetting: number | null;
  readonly forwardTransfer: number | null;
  readonly learningAccuracy: number | null;
  readonly averageIncrementalAccuracy: number | null;
  readonly generalDelta: number | null;
}

export interface Cost {
  /** Largest number of parameters trained at once. */
  readonly trainableParameters: number;
  /** Bytes of everything the method keeps after the last task. */
  readonly storedBytes: number;
  /** Parameters that predictions read after the last task besides those of the model. What only training reads counts among the stored bytes alone. */
  readonly addedParameters: number;
  readonly trainTokens: number;
  readonly trainSeconds: number;
  readonly evalSeconds: number;
  /** Largest resident memory of the process by the end of the run; runs that share a process as its worker threads count together. */
  readonly peakBytes: number;
}

export interface Environment {
  readonly device: string;
  readonly threads: number;
  /** The most rows that were in memory at once, where steps were taken in parts. */
  readonly microBatch?: number;
  readonly lethe: string;
  readonly node: string;
  /** sha256 of the tokens of the method's code, where a run says it: code that differs under one version may be another method. */
  readonly code?: string;
  /** The model of the processor: on another one sums may round otherwise. Absent where it is not known. */
  readonly processor?: string;
  /** Task id to sha256 of its rows as used. */
  readonly dataSha256: Readonly<Record<string, string>>;
  /** Rows of a task or probe that could not be used and were left out on request; absent where there were none. */
  readonly skippedRows?: Readonly<Record<string, number>>;
  readonly git: string | null;
}
