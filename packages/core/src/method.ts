import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { Adapter } from './adapter.js';
import type { Arrays } from './arrays.js';
import type { MethodHost } from './method-host.js';
import type { ReportTable } from './report.js';

/**
 * The contract of a continual-learning method. A plugin exports a {@link Method} as its default export.
 *
 * The harness owns the loop (optimizer, schedule, batches, budget, clipping), so methods are compared on equal terms
 * and a plugin holds only what is its own: which arrays it trains, what it adds to the linear layers of the frozen
 * model, what it adds to the loss, and what it does between tasks.
 */
export interface Method<Options = Record<string, unknown>> {
  /** A learner that has seen no task yet. `options` are validated against the manifest, with defaults filled in; to read one that it lacks is refused. */
  create(host: MethodHost, options: Options): Learner;
}

/** One linear layer of the model that adapters may add to. */
export interface Site {
  /** Unique and stable, e.g. `layers.0.q`. */
  readonly name: string;
  /** Position in {@link MethodHost.sites}. */
  readonly index: number;
  readonly layer: number;
  /** Whether it reads what an encoder makes of the prompt, apart from the answer; absent where prompt and answer are one text. */
  readonly source?: true;
  /** Which projection of the layer this is. */
  readonly kind: 'q' | 'k' | 'v' | 'o' | 'gate' | 'up' | 'down';
  /** Size of the input of the linear layer. */
  readonly in: number;
  /** Size of its output. */
  readonly out: number;
}

/** Arrays by name inside a traced function. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** One training row as token ids, as far as training reads it. */
export interface Row {
  readonly prompt: readonly number[];
  /** The right answer, without the end of text. */
  readonly answer: readonly number[];
}

/** What the model predicts at the n places of a batch where tokens of its answers are to be predicted, padding included. */
export interface Predictions {
  /** Log probabilities of the whole vocabulary, (n, vocabulary). */
  readonly logp: Tensor2D;
  /** The hidden states behind the last norm that they are made of, (n, width), for a loss that compares representations. */
  readonly states: Tensor2D;
  /** Share of each place in the task loss, (n): the mean over rows of the mean over their answer tokens; 0 for padding. */
  readonly weights: Tensor1D;
}

/** What a method sees inside a traced function. */
export interface Scope {
  /** All of the learner's arrays, `trainable` and `frozen`, by name. */
  readonly params: Tensors;
  /** True while training (and while gradients are calibrated), false while scoring. */
  readonly training: boolean;
  /** Batch size. The steps of training have no padding among the rows of a batch; where answers are scored and gradients are calibrated, the last batch may. */
  readonly batch: number;
  /**
   * Pooled inputs for gates, (batch, featureSize): mean and standard deviation over the prompt's tokens of the frozen
   * token embeddings. Never depends on the other rows of the batch, on the answer, or on the task.
   */
  features(): Tensor2D;
  /**
   * The frozen matrix W of a site, (site.in, site.out), for a method that scales or normalizes what the layer gives by itself: `linear(x, W)` is
   * computed once, whether the method asks for it or not. A constant: no gradient flows into it.
   */
  weight(site: Site): Tensor2D;
  /** The frozen bias of a site, (site.out), or null where it has none: the layer gives x W + bias by itself. */
  bias(site: Site): Tensor1D | null;
  /** The value of `make`, computed at most once in this forward pass: what all sites share, such as a gate. */
  once<T>(key: string, make: () => T): T;
  /**
   * For each row of the batch the {@link TaskView.index} of its task, (batch) int32; 0 for a task that was not learned so
   * far, probes among them. An oracle: only for methods that declare `taskIdentity`, which are bounds.
   *
   * @throws LETHE_METHOD_CAPABILITY for a method that does not declare it
   */
  task(): Tensor1D;
  /**
   * In `penalty` only. What the model predicts of the batch's answers in this forward pass; with `params`, in another pass
   * over the same batch (scope.training false) that reads these arrays in the place of those of the same names: the teacher
   * of a distillation. No gradient flows into arrays that are not trained.
   *
   * @throws LETHE_METHOD_FAILED in `adapt`, where the prediction is still being made
   */
  predictions(params?: Tensors): Predictions;
}

/** What a learner may know of the task it is about to learn, or has learned. Never any test or validation data. */
export interface TaskView {
  /** 1 for the first task of the stream. A method may count tasks; it gets no names when it predicts. */
  readonly index: number;
  /** Number of training rows. */
  readonly rows: number;
  /** The number of optimizer steps that the budget allows for this task. */
  readonly steps: number;
}

/** What {@link Learner.gates} gives. */
export interface Gates {
  /** The name of each part: an expert, a branch, the model alone. */
  readonly parts: readonly string[];
  /** (batch, parts), 0 for shut and 1 for open. */
  readonly open: Tensor2D;
}

/** The gradients of one optimizer step, before they are clipped: by the name of every trainable array, of its shape. */
export interface StepGradients {
  /** Of the loss that is minimised: the task loss and the penalty. */
  readonly loss: Tensors;
  /**
   * Of the task loss of some rows of the batch, without the penalty: of sum_r weights[r] * (mean loss of the answer tokens of row r). It takes
   * another backward pass.
   *
   * @param weights (batch)
   */
  of(weights: Tensor1D): Tensors;
  /** (batch): 0 for a row of the task at hand, 1 for one that the method keeps of an earlier task ({@link Learner.rows}) or has made. */
  kept(): Tensor1D;
}

/** A method at work on one stream of tasks. */
export interface Learner {
  /** What the optimizer updates during the current task. The harness writes the new values into these arrays. */
  readonly trainable: Arrays;
  /** What `adapt` and `penalty` read but the optimizer leaves alone. */
  readonly frozen: Arrays;
  /**
   * What changes with every optimizer step besides what trains: means over steps, sums along the way. {@link track} gives the next values,
   * which the harness has written into these arrays when the task is learned. Predictions do not read them; what is to outlive the task `end` takes.
   */
  readonly running?: Arrays;
  /**
   * Rows of earlier tasks that the method keeps, only with the capability `rehearsal`. They are saved with its state, and
   * every token id counts as four stored bytes.
   */
  readonly rows?: readonly Row[];
  /** Before training: grow, freeze, initialise. May replace `trainable`, `frozen` and `rows`. */
  begin(task: TaskView): void | Promise<void>;
  /**
   * How many vectors {@link prefix} gives for a row; absent or 0 for none. It changes in `begin`, `end` and `restore` alone. Where the model has no positions
   * left for a whole row behind them, the row loses the middle of its prompt.
   */
  readonly virtualTokens?: number;
  /**
   * Virtual tokens (Lester et al. 2021, arXiv 2104.08691): vectors that stand before the text of every row in the place of embeddings,
   * (batch, virtualTokens, width). The model reads them as a part of the prompt that begins at position 0; the text follows behind
   * them. Pure and traced, as `adapt` is, and called at most once in a forward pass.
   */
  prefix?(scope: Scope): Tensor3D;
  /**
   * The delta added to the output of a linear site, (batch, tokens, site.out), or null for none. Pure and traced: it
   * may branch on the learner's own structure but never on values. It does not know the task, unless by {@link Scope.task}.
   * @param x the input of the site, (batch, tokens, site.in), virtual tokens first; in the last layer, sites that follow the
   * attention's keys and values may see only the tokens whose states are read
   */
  adapt(site: Site, x: Tensor3D, scope: Scope): Tensor3D | null;
  /**
   * Says that its gradients are on purpose not those of what it computes: a mask that is learned straight through its threshold, a gradient that is
   * turned round on its way back (`tf.customGrad`). What changes the gradients of a whole step is {@link transformGradients}. The conformance suite then does not hold them to finite differences.
   */
  readonly surrogateGradients?: true;
  /**
   * A term added to the task loss, or null for none now: independent of the rows of the batch, or a mean over them, so that it is the same where a step is taken in
   * micro-batches, each weighed by its rows. Pure and traced.
   */
  penalty?(scope: Scope): Scalar | null;
  /**
   * What the optimizer takes in the place of the gradients that it found: projected, masked, weighed against those of kept rows; all of
   * {@link StepGradients.loss}, each of its shape. Pure and traced. Clipping, moments and weight decay come after it, so that an array whose gradient is
   * made 0 may still move by moments of earlier steps.
   *
   * @param scope of this step's batch; it makes no predictions
   */
  transformGradients?(gradients: StepGradients, scope: Scope): Tensors;
  /**
   * The next values of all {@link running} arrays, each of its shape, once in every optimizer step. Pure and traced. It sees the arrays as they are before the
   * step, the running ones among `scope.params`, and the gradients as they were found, neither transformed nor clipped.
   *
   * @param scope as that of `transformGradients`, which sees the running arrays too
   */
  track?(gradients: StepGradients, scope: Scope): Tensors;
  /**
   * Rehearsal: the rows that one optimizer step trains on, as many as were drawn for it from the rows of the task, so that
   * budgets stay equal. The method may put some of its own `rows` in the places of some that were drawn or, with the capability `pseudoRehearsal`,
   * rows that it makes: of texts that the model wrote ({@link MethodHost.generate}), of drawn ones otherwise cut into prompt and answer. These have at
   * least one token in both and {@link MethodHost.room} in all.
   * @param step 1 to task.steps
   */
  batch?(drawn: readonly Row[], step: number): readonly Row[];
  /**
   * What one optimizer step alone reads among `scope.params`: noise, what is stored of the rows that it trains on. It has the same names at every step of a task,
   * and for as many rows the same shapes; of a step that is taken in micro-batches it is asked for each of these, with its rows. Scoring and the calibration of {@link MethodHost} go without. It reads what `begin` left, and writes nothing.
   * @param step 1 to task.steps
   * @param kept for each of these rows, as {@link batch} chose them, its place in {@link rows}; -1 for any other
   * @param whole the same for all rows of the step, which are these but in a micro-batch: for who divides by how many are kept
   */
  stepArrays?(step: number, kept: readonly number[], whole: readonly number[]): Arrays;
  /**
   * Examples in context: what the model reads in the place of a prompt when it is scored, at most `room` tokens.
   * @param task as {@link Scope.task}; always 0 for methods that do not declare `taskIdentity`
   */
  prompt?(prompt: readonly number[], room: number, task: number): readonly number[];
  /** After training: consolidate (Fisher, sensitivity, merge, split). */
  end(task: TaskView): void | Promise<void>;
  /** All that is needed to go on after this point: `restore(save())` on a new learner equals never having stopped. */
  save(): LearnerState;
  restore(state: LearnerState): void;
  /**
   * What the learner adds to the model now, where that is a low-rank adapter and nothing else: no gate, nothing that depends on
   * the input. It can then be used outside of Lethe. Several adapters that are summed are one whose rank is the sum of theirs.
   */
  adapter?(): Adapter;
  /**
   * For the run's report: how far each part that a gate opens is open for the rows of a batch. Pure and traced, and of the prompt's
   * features and the learner's arrays alone: no site has been passed. The method is not told the task; the harness, which knows
   * it, writes the mean over test rows of each task beside what {@link report} says.
   */
  gates?(scope: Scope): Gates;
  /** What the method learned of the stream, for the run's report (experts, owners, overlap, …). */
  report?(): readonly ReportTable[];
}

export interface LearnerState {
  readonly trainable: Arrays;
  readonly frozen: Arrays;
  /** Arrays that no traced function reads (Fisher accumulators, statistics). */
  readonly stored: Arrays;
  /** Plain JSON: counters, owners. */
  readonly json: unknown;
  /** {@link Learner.rows}, where the method keeps any. */
  readonly rows?: readonly Row[];
}
