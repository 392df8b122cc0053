/** One labelled row of a task, before tokenizing. */
export interface Example {
  /** Unique within the task. */
  readonly id: string;
  /** What the model reads, in full: the filled-in prompt template. */
  readonly prompt: string;
  /**
   * The possible answers as the model would write them after the prompt (a leading space is part of the template). Of a task
   * that is answered by writing they are the references: every one is right.
   */
  readonly options: readonly string[];
  /** Index of the right answer in `options`; where all are right, of the one to train on. */
  readonly answer: number;
  /** What an answer rewrites; only for a scorer that needs it. */
  readonly source?: string;
}

/** How the rows of a task are answered by writing: greedily, until the end of text, a stop string or the limit. */
export interface WrittenAnswers {
  /** Id of the scorer of every answer. */
  readonly scorer: string;
  /** The most tokens of an answer, from 1; a longer one is trained on as far as it goes. */
  readonly maxTokens: number;
  /** What ends an answer besides the end of text, and is no part of it, e.g. a newline. */
  readonly stop: readonly string[];
}

export type Split = 'train' | 'validation' | 'test';

/** A task with its rows. */
export interface TaskData {
  readonly id: string;
  readonly title: string;
  readonly train: readonly Example[];
  readonly validation: readonly Example[];
  /** The rows that are scored: those of the test split, or while methods are tuned those of the validation split again. */
  readonly test: readonly Example[];
  /** Where it is answered by writing; absent where the model chooses among the options of a row. */
  readonly written?: WrittenAnswers;
  /** sha256 of the canonical JSON of the three splits, as they are used (after sampling), and of `written` where it is there. */
  readonly sha256: string;
  /** Rows of its files that could not be used and were left out on request; absent where there were none. */
  readonly skippedRows?: number;
}

/** A named sequence of task ids. */
export interface Order {
  readonly id: string;
  readonly tasks: readonly string[];
}

/** How a method may train on one task of a suite; the same for every method. */
export interface TrainingBudget {
  readonly epochs: number;
  /** Epochs of the tasks that have another number, by id; absent where none has. */
  readonly epochsOf?: Readonly<Record<string, number>>;
  readonly batch: number;
  /** Peak learning rate of AdamW. */
  readonly learningRate: number;
  /** Fraction of the steps over which the rate rises from 0. */
  readonly warmup: number;
  /** Where the rate goes then: along a line to 0, which it does where this is absent, nowhere, or along half a cosine to 0. */
  readonly schedule?: 'linear' | 'constant' | 'cosine';
  readonly weightDecay: number;
  /** Global norm to which gradients are clipped. */
  readonly clip: number;
  /** Rank that a method may add at each site for each task. */
  readonly rank: number;
  /** Adapter outputs are scaled by alpha / rank. */
  readonly alpha: number;
  /**
   * The share of the inputs of a site that what is added there does not see, drawn anew for every token of every step; none where it is absent. Only the steps of
   * the optimizer drop inputs: what a method computes of rows at the start or end of a task, it computes of all of them.
   */
  readonly dropout?: number;
  /** The kinds of linear layers that are adapter sites. */
  readonly sites: readonly ('q' | 'k' | 'v' | 'o' | 'gate' | 'up' | 'down')[];
  /** Longest sequence in tokens; a longer prompt is cut in its middle, so that its start and the end of the template are kept. */
  readonly maxTokens: number;
}

/** What fields of a budget mean where they are left out. */
export const BUDGET_LEFT_OUT = { schedule: 'linear', dropout: 0 } as const;

/** What a budget is asked to be in the place of the suite's own; epochs are then those of every task. */
export type BudgetChange = Partial<Omit<TrainingBudget, 'epochsOf'>>;

/** What a suite asks of every run of a size. */
export interface SuiteTerms {
  readonly orders: readonly Order[];
  readonly training: TrainingBudget;
  /** As in {@link SuiteData}. */
  readonly changed?: BudgetChange;
  /** Ids of its probes. */
  readonly probes: readonly string[];
  /** Whether runs may go without probes, all of them. */
  readonly probesOptional: boolean;
}

/** A suite, resolved: rows read, prompts filled in, sizes applied. */
export interface SuiteData {
  readonly id: string;
  readonly version: string;
  readonly kind: 'domain' | 'general';
  readonly title: string;
  readonly tasks: readonly TaskData[];
  readonly orders: readonly Order[];
  readonly training: TrainingBudget;
  /** Tasks scored on the base model and after every step, never trained on. */
  readonly probes: readonly TaskData[];
  /** The name of the size that was asked for, `full` by default. */
  readonly size: string;
  /** The name of the prompts that were asked for; absent with those of the suite, which give no task away. */
  readonly prompts?: string;
  /** Where the budget is not the suite's own, as it was asked for; absent where it is. */
  readonly changed?: BudgetChange;
}
