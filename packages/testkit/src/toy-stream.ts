import {
  type Arrays, type Learner, type LearnerState, LetheError, type MadeOfGradients, type Scope, type TaskView, type Tensors, arraysOfStep, checkGates,
  checkLearner, checkPenalty, checkPrompt, checkState, createRandom, declaredOptions, madeOfGradients, rowChoice,
} from '@lethe/core';
import { namedGradients, picked } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';
import { copyState } from './state.js';
import { type TestedMethod, methodBeside } from './tested.js';
import { ToyHost } from './toy-host.js';
import {
  type Batch, ROOM, ROWS, type Rows, TASKS, VOCABULARY, arraysOf, batchOf, forward, joined, keepable, keptRows, rowsBetween, squaredError, tensorsOf, toyRows,
} from './toy-world.js';

const RATE = 0.05;
/** Longest step of the descent, as the norm of the gradient: strong penalties must not run away. */
const CLIP = 1;

/**
 * A learner on a stream of three small regression tasks: two linear sites in a row, run eagerly on tfjs cpu with clipped gradient
 * descent. Small enough that what a method computes can be checked against a few lines of arithmetic.
 */
export class ToyStream {
  readonly host: ToyHost;
  readonly learner: Learner;
  /** How many times the learner trains: once a task, once for all of them where its stream is joint. */
  readonly stages: number;
  private present: Rows | undefined;
  /** The arrays that steps of the stage had of their own so far, by the number of their rows. */
  private readonly stepShapes = new Map<number, string>();
  /** Stages that the learner has ended. */
  private learned = 0;

  private constructor(
    private readonly tested: TestedMethod,
    private readonly seed: number,
    /** Rows of tasks 1 to 3. A test may put others in their place. */
    readonly rows: Rows[],
  ) {
    this.stages = this.joint ? 1 : TASKS;
    const { rehearsal, taskIdentity } = tested.manifest.capabilities;
    this.host = new ToyHost(createRandom(seed, 'toy', 'method'), {
      told: taskIdentity, learner: () => this.learner, visible: () => this.visible(), rowsOf: (kept) => keptRows(rows, kept),
      keepable: rehearsal ? ({ index }) => (this.joint ? rows.flatMap((_, t) => keepable(t + 1)) : keepable(index)) : undefined,
    });
    this.learner = checkLearner(tested.method.create(this.host, declaredOptions(tested.options)));
  }

  /**
   * The method beside a module of its plugin, on the stream of a seed.
   *
   * @param url `import.meta.url` of the plugin's test
   * @param options those that differ from the defaults of the manifest
   * @throws LetheError the errors of {@link methodBeside}
   */
  static async open(url: string, options: Readonly<Record<string, unknown>> = {}, seed = 1): Promise<ToyStream> {
    return ToyStream.of(await methodBeside(url, options), seed);
  }

  /** A method that is at hand already. */
  static async of(tested: TestedMethod, seed = 1): Promise<ToyStream> {
    tf.enableProdMode();
    await tf.setBackend('cpu');
    return new ToyStream(tested, seed, toyRows(seed));
  }

  /** A new learner of the same method and seed on the same rows, which goes on from a state; from what this one saves now if none is given. */
  restored(state: LearnerState = checkState(this.learner.save())): ToyStream {
    const stream = new ToyStream(this.tested, this.seed, this.rows);
    stream.learner.restore(copyState(state));
    stream.learned = this.learned;
    return stream;
  }

  /** Opens the rows of a stage (1 to {@link stages}) to the learner and lets it begin. */
  async begin(stage: number): Promise<TaskView> {
    this.present = this.joint ? joined(this.rows) : this.rows[stage - 1]!;
    const task = { index: stage, rows: this.present.x.shape[0]!, steps: 30 };
    this.stepShapes.clear();
    await this.learner.begin(task);
    await this.host.checkAwaited();
    checkLearner(this.learner);
    return task;
  }

  /** Trains what is trainable on the rows at hand; returns the total loss before each step. */
  train(steps: number): number[] {
    if (Object.keys(this.learner.trainable).length === 0) return [];
    return Array.from({ length: steps }, (_, i) => this.descend(i + 1));
  }

  /** Lets the learner end a stage and closes its rows. */
  async end(task: TaskView): Promise<void> {
    await this.learner.end(task);
    await this.host.checkAwaited();
    this.present = undefined;
    this.learned = task.index;
  }

  /** Learns a stage from begin to end; returns the total loss before the first and before the last step. */
  async learn(stage: number, steps = 30): Promise<{ first: number; last: number }> {
    const task = await this.begin(stage);
    const losses = this.train(steps);
    await this.end(task);
    return { first: losses[0]!, last: losses.at(-1)! };
  }

  /** Predictions for rows [from, to) of a task (1 to 3), row-major: 3 tokens of 4 values a row. */
  predict(task: number, from = 0, to = ROWS): Float32Array {
    return this.answer(rowsBetween(this.rows[task - 1]!, from, to));
  }

  /** Predictions for rows of whatever tasks, as one batch. */
  answer(rows: Rows): Float32Array {
    return tf.tidy(() => forward(this.learner, tensorsOf(arraysOf(this.learner)), batchOf(this.asked(rows)), false, this.told).output.dataSync<'float32'>());
  }

  /** What the learner lets the model read for the rows of a task, a prompt a row; nothing where it leaves prompts as they are. */
  prompts(task: number): number[][] {
    const told = this.told ? this.indexOf(task) : 0;
    return this.learner.prompt ? keepable(task).map(({ prompt }) => [...checkPrompt(this.learner.prompt!(prompt, ROOM, told))]) : [];
  }

  /** How far the learner's gates are open for every row of a task, (rows, parts) row-major; null where it has none. */
  gates(task: number): { readonly parts: readonly string[]; readonly open: Float32Array } | null {
    return this.gatesFor(this.rows[task - 1]!);
  }

  /** The same for rows of whatever tasks, as one batch. */
  gatesFor(rows: Rows): { readonly parts: readonly string[]; readonly open: Float32Array } | null {
    if (!this.learner.gates) return null;
    let parts: readonly string[] = [];
    const open = tf.tidy(() => {
      const { scope } = forward(null, tensorsOf(arraysOf(this.learner)), batchOf(this.asked(rows)), false, this.told);
      const gates = checkGates(this.learner.gates!(scope), scope.batch);
      ({ parts } = gates);
      return gates.open.dataSync<'float32'>();
    });
    return { parts, open };
  }

  /** What the model answers without the learner. */
  base(task: number): Float32Array {
    return tf.tidy(() => forward(null, {}, batchOf(this.rows[task - 1]!), false, false).output.dataSync<'float32'>());
  }

  /** The learner's penalty at its present values, on the rows at hand or, between stages, those of a task. */
  penalty(task?: number): number | null {
    const rows = task === undefined ? this.visible() : this.rows[task - 1]!;
    const [value] = tf.tidy(() => {
      const { scope } = forward(this.learner, tensorsOf(arraysOf(this.learner)), batchOf(rows), true, this.told);
      return [...(this.penaltyIn(scope)?.dataSync() ?? [])];
    });
    return value ?? null;
  }

  /** Mean squared error of rows [from, to) of a task as a function of the named arrays. */
  lossOf(names: readonly string[], task: number, from = 0, to = ROWS): (...values: tf.Tensor[]) => tf.Scalar {
    return (...values) => this.error(
      { ...tensorsOf(arraysOf(this.learner)), ...Object.fromEntries(names.map((name, i) => [name, values[i]!])) },
      batchOf(rowsBetween(this.rows[task - 1]!, from, to))).loss;
  }

  /**
   * What the learner makes of the gradients of a step.
   *
   * @param found of the whole loss of the batch, by the names of what trains
   */
  madeOf(params: Tensors, batch: Batch, found: Tensors): MadeOfGradients {
    const { learner, told } = this;
    const of = (weights: tf.Tensor1D): Tensors =>
      namedGradients(() => squaredError(forward(learner, params, batch, true, told).output, batch.y, weights), picked(params, Object.keys(found))).gradients;
    const kept = () => (this.joint ? tf.zeros([batch.x.shape[0]]) : tf.notEqual(batch.task, this.visible().task.data[0]!).cast('float32')) as tf.Tensor1D;
    return madeOfGradients(learner, { loss: found, of, kept }, forward(null, params, batch, true, told).scope);
  }

  /** The rows at hand, from begin to the end of end. */
  visible(): Rows {
    if (this.present) return this.present;
    throw new LetheError('LETHE_METHOD_FAILED', 'A method asked for training rows outside of begin and end.', {
      remedy: 'Keep what you need of them in the learner.',
    });
  }

  /** Mean squared error of rows, and the scope it was computed in. */
  private error(params: Tensors, batch: Batch): { loss: tf.Scalar; scope: Scope } {
    const { output, scope } = forward(this.learner, params, batch, true, this.told);
    return { loss: squaredError(output, batch.y), scope };
  }

  /**
   * What a step (1 to 30) is about: its rows, which are those at hand or what a learner that rehearses makes of them, and all arrays that its functions see,
   * running ones and its own among them.
   */
  stepOf(step: number): { readonly rows: Rows; readonly arrays: Arrays } {
    const { learner } = this;
    const drawn = this.joint ? this.rows.flatMap((_, t) => keepable(t + 1)) : keepable(this.visible().task.data[0]!);
    const { pseudoRehearsal } = this.tested.manifest.capabilities;
    const chosen = rowChoice(learner, drawn, pseudoRehearsal ? { room: ROOM, vocabulary: VOCABULARY } : null)(drawn, step);
    const kept = chosen.map((row) => learner.rows?.indexOf(row) ?? -1);
    const own = arraysOfStep(learner, step, kept, kept, this.stepShapes);
    return { rows: learner.batch ? keptRows(this.rows, chosen) : this.visible(), arrays: { ...learner.running, ...own, ...arraysOf(learner) } };
  }

  /** Rows as they are answered: those of tasks that were not learned have the task 0. */
  private asked(rows: Rows): Rows {
    const { shape, data } = rows.task;
    return { ...rows, task: { shape, data: data.map((task) => this.indexOf(task)) } };
  }

  /** What a learner is told of a row's task when it answers. */
  private indexOf(task: number): number {
    return this.joint ? Math.min(this.learned, 1) : task <= this.learned ? task : 0;
  }

  /** Whether the learner may ask for the task of a row. */
  get told(): boolean {
    return this.tested.manifest.capabilities.taskIdentity;
  }

  private penaltyIn(scope: Scope): tf.Scalar | null {
    return this.learner.penalty ? checkPenalty(this.learner.penalty(scope)) : null;
  }

  private get joint(): boolean {
    return this.tested.manifest.stream === 'joint';
  }

  private descend(step: number): number {
    const names = Object.keys(this.learner.trainable);
    const { rows, arrays } = this.stepOf(step);
    return tf.tidy(() => {
      const [params, batch] = [tensorsOf(arrays), batchOf(rows)];
      const { value, gradients } = namedGradients(() => {
        const { loss, scope } = this.error(params, batch);
        const penalty = this.penaltyIn(scope);
        return penalty ? loss.add(penalty) : loss;
      }, picked(params, names));
      const made = this.madeOf(params, batch, gradients);
      const values = Object.values(made.taken).map((g) => g.dataSync<'float32'>());
      const norm = Math.sqrt(values.reduce((sum, g) => g.reduce((s, v) => s + v * v, sum), 0));
      const rate = RATE * Math.min(1, CLIP / norm);
      names.forEach((name, i) => {
        const { data } = this.learner.trainable[name]!;
        for (let j = 0; j < data.length; j++) data[j]! -= rate * values[i]![j]!;
      });
      for (const [name, next] of Object.entries(made.running)) this.learner.running![name]!.data.set(next.dataSync<'float32'>());
      return value.dataSync()[0]!;
    });
  }
}
