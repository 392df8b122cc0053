import type { Arrays, NdArray } from './arrays.js';
import type { Row, Site, TaskView } from './method.js';
import type { Random } from './random.js';

export interface GradientRequest {
  /** Names of the learner's arrays (trainable or frozen) to differentiate the task loss by. */
  readonly names: readonly string[];
  /** How many training rows to go over, drawn in a seeded order; all of them if there are fewer. */
  readonly rows: number;
  /** Rows in one gradient: 1 gives per-example gradients, as the Fisher information needs. */
  readonly batch: number;
}

/** How the model is to write. */
export interface WritingRequest {
  /** The most tokens of each text, from 1. */
  readonly maxTokens: number;
  /** How tokens are drawn; without it every text is of the most likely ones. */
  readonly draw?: {
    readonly random: Random;
    /** What scores are divided by before the softmax, above 0; 1 by default, which draws from the model's distribution. */
    readonly temperature?: number;
    /** Draws from the fewest tokens whose probabilities sum to at least this, in (0, 1] (nucleus sampling, Holtzman et al. 2020, arXiv 1904.09751, section 3.1); 1 by default. */
    readonly topP?: number;
    /** Draws from so many of the most likely tokens alone; all by default. */
    readonly topK?: number;
  };
}

/** What the model wrote after a prompt. */
export interface Written {
  /** Without the prompt and the end of text. */
  readonly tokens: readonly number[];
  /** Whether it came to an end of text; else it was cut at `maxTokens`. */
  readonly ended: boolean;
}

/** Services for methods: what several of them need, done once, compiled, and seeded. */
export interface MethodHost {
  /** The adapter sites of this run, the same for every method. */
  readonly sites: readonly Site[];
  /** The rank that every method may add for each task at each site. */
  readonly rank: number;
  /** The factor that scales an adapter's output (alpha / rank). */
  readonly scale: number;
  /** Size of `Scope.features`. */
  readonly featureSize: number;
  /** Size of a token's embedding, and so of the vectors of `Learner.prefix`. */
  readonly width: number;
  /** The token that ends a text. */
  readonly endOfText: number;
  /** How many tokens the prompt and the answer of a row may have together, behind the virtual tokens that the learner has now: what bounds rows that a method makes. */
  readonly room: number;
  /** Number of parameters of the frozen model. */
  readonly modelParameters: number;
  /** Seeded by the run: fork it by purpose (`host.random.fork('init', task.index)`). */
  readonly random: Random;
  /**
   * The training rows of the task, to keep some of them in `Learner.rows`. Only between `begin` and the end of `end`.
   *
   * @throws LETHE_METHOD_CAPABILITY for a method that does not declare `rehearsal`
   */
  rows(task: TaskView): readonly Row[];
  /**
   * Gradients of the task loss (without the penalty) over calibration batches of the task's training rows, at the
   * current values of the learner's arrays. Only between `begin` and the end of `end`.
   */
  gradients(task: TaskView, request: GradientRequest): AsyncIterable<Arrays>;
  /**
   * `Scope.features` of so many of the task's training rows, drawn by the seed, or of all in their order: shape (rows, featureSize). As
   * many are the same rows however often they are asked for, and those that {@link moments} takes.
   */
  features(task: TaskView, rows: number): Promise<{ shape: readonly [number, number]; data: Float32Array }>;
  /**
   * What is predicted of the answers of rows with the learner's arrays as they are now (`Scope.training` false): for each row the log probabilities of
   * the whole vocabulary where its answer tokens, and last the end of text, are to be predicted, (answer tokens + 1, vocabulary). Only between `begin` and
   * the end of `end`.
   */
  predictions(task: TaskView, rows: readonly Row[]): Promise<readonly NdArray[]>;
  /**
   * What the model writes after prompts with the learner's arrays as they are now (`Scope.training` false): answers, or rows to train on (`Learner.batch`).
   * A text depends on its prompt, on how often that stood in the list before, and on the request, not on its neighbours. Only between `begin` and the end of `end`.
   *
   * @param prompts at least one token each; `[endOfText]` is where a text begins
   * @throws LETHE_MODEL_LENGTH where the model cannot read so much
   */
  generate(task: TaskView, prompts: readonly (readonly number[])[], request: WritingRequest): Promise<readonly Written[]>;
  /** Frozen embeddings of tokens that are drawn from the vocabulary, (count, width): where trained vectors may begin. */
  embeddings(count: number, random: Random): Promise<NdArray>;
  /** The values of `Scope.weight`, (site.in, site.out): to begin from norms or singular vectors of the frozen matrix. Read anew every time. */
  weight(site: Site): Promise<NdArray>;
  /**
   * Second moments of what the sites read over so many of the task's training rows, drawn as in {@link features}, or all (prompt and answer), at
   * the current values of the learner's arrays: by the name of the site the mean over tokens of x^T x,
   * (site.in, site.in), virtual tokens not among them. Sites that read the same input share one array. Only between `begin` and the end of `end`.
   * Of a large model they are gigabytes together: `siteInputs` goes through them a few layers at a time.
   *
   * @param sites those whose moments are wanted; all of them by default
   */
  moments(task: TaskView, rows: number, sites?: readonly Site[]): Promise<Arrays>;
}
