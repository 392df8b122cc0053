import {
  type Arrays, createRandom, type Learner, type Method, type MethodHost, type Row, type Scope, type Site, type Tensors,
} from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

const SITES: readonly Site[] = [
  { name: 'layers.0.q', index: 0, layer: 0, kind: 'q', in: 8, out: 6 },
  { name: 'layers.0.v', index: 1, layer: 0, kind: 'v', in: 6, out: 4 },
];
const [ROWS, TOKENS, FEATURES, RANK] = [16, 3, 5, 4];

interface Batch {
  readonly x: tf.Tensor3D;
  readonly z: tf.Tensor2D;
  readonly y: tf.Tensor3D;
}

/** The default options of a plugin, read from its manifest. */
export function defaultsOf(plugin: string): Record<string, unknown> {
  const manifest = JSON.parse(readFileSync(path.join(root, 'plugins', plugin, 'plugin.json'), 'utf8')) as {
    options: { properties: Record<string, { default: unknown }> };
  };
  return Object.fromEntries(Object.entries(manifest.options.properties).map(([k, v]) => [k, v.default]));
}

/**
 * A learner on a stream of small regression tasks: two linear sites in a row, run eagerly on tfjs cpu with plain gradient
 * descent. Small enough that what a method computes can be checked against a few lines of arithmetic.
 */
export class ToyStream {
  readonly host: MethodHost;
  learner: Learner;
  readonly batches: Batch[] = [];
  private current = 0;

  private constructor(
    private readonly method: Method,
    private readonly options: Record<string, unknown>,
    seed: number,
  ) {
    const random = createRandom(seed, 'toy');
    for (let t = 1; t <= 3; t++) {
      this.batches.push({
        x: tf.tensor3d(random.fork('x', t).normals(ROWS * TOKENS * 8, 1), [ROWS, TOKENS, 8]),
        z: tf.tensor2d(random.fork('z', t).normals(ROWS * FEATURES, 1), [ROWS, FEATURES]).add(3 * t),
        y: tf.tensor3d(random.fork('y', t).normals(ROWS * TOKENS * 4, 1), [ROWS, TOKENS, 4]),
      });
    }
    this.host = {
      sites: SITES,
      rank: RANK,
      scale: 2,
      featureSize: FEATURES,
      endOfText: 0,
      modelParameters: 72,
      random: random.fork('method'),
      gradients: (_, { names, rows, batch }) => this.gradients(names, Math.min(rows, ROWS), batch),
      rows: (task) => rowsOf(task.index),
      features: async () => ({ shape: [ROWS, FEATURES] as const, data: this.batches[this.current]!.z.dataSync<'float32'>() }),
    };
    this.learner = method.create(this.host, options);
  }

  static async open(plugin: string, options: Record<string, unknown> = {}, seed = 1): Promise<ToyStream> {
    tf.enableProdMode();
    await tf.setBackend('cpu');
    const file = pathToFileURL(path.join(root, 'dist', 'plugins', plugin, 'index.js')).href;
    const method = ((await import(file)) as { default: Method }).default;
    return new ToyStream(method, { ...defaultsOf(plugin), ...options }, seed);
  }

  /** A new learner of the same method that goes on from what the present one saved. */
  restored(): Learner {
    const learner = this.method.create(this.host, this.options);
    learner.restore(structuredClone(this.learner.save()));
    return learner;
  }

  /** Learns task t (1 to 3) with gradient descent; returns the total loss before the first and after the last step. */
  async learn(t: number, steps = 30): Promise<{ first: number; last: number }> {
    this.current = t - 1;
    const task = { index: t, rows: ROWS, steps };
    await this.learner.begin(task);
    const losses: number[] = [];
    for (let i = 0; i < steps && Object.keys(this.learner.trainable).length > 0; i++) losses.push(this.descend(i + 1));
    await this.learner.end(task);
    return { first: losses[0]!, last: losses.at(-1)! };
  }

  /** Predictions for rows [from, to) of a task, row-major. */
  predict(t: number, from = 0, to = ROWS, learner = this.learner): Float32Array {
    return tf.tidy(() => {
      const { x, z } = this.batches[t - 1]!;
      const part = { x: x.slice([from], [to - from]), z: z.slice([from], [to - from]) };
      return this.forward(tensorsOf(learner), part, false, learner, t).output.dataSync<'float32'>();
    });
  }

  /** The learner's penalty at its present values, on the present task. */
  penalty(): number | null {
    const { scope } = this.forward(tensorsOf(this.learner), this.batches[this.current]!, true, this.learner);
    return this.learner.penalty?.(scope)?.dataSync()[0] ?? null;
  }

  /** Mean squared error of rows [from, to) of the present task as a function of the named arrays. */
  lossOf(names: readonly string[], from: number, to: number): (...values: tf.Tensor[]) => tf.Scalar {
    const { x, z, y } = this.batches[this.current]!;
    return (...values) => {
      const params: Record<string, tf.Tensor> = { ...tensorsOf(this.learner) };
      names.forEach((name, i) => (params[name] = values[i]!));
      const part = { x: x.slice([from], [to - from]), z: z.slice([from], [to - from]) };
      const { output } = this.forward(params, part, true, this.learner);
      return output.sub(y.slice([from], [to - from])).square().mean();
    };
  }

  private forward(params: Tensors, { x, z }: Pick<Batch, 'x' | 'z'>, training: boolean, learner: Learner, task = this.current + 1) {
    const shared: Record<string, unknown> = {};
    let output: tf.Tensor3D | undefined;
    const predictions = (of: tf.Tensor3D) => {
      const logp = tf.logSoftmax(of.reshape([-1, 4])) as tf.Tensor2D;
      return { logp, weights: tf.fill([logp.shape[0]], 1 / logp.shape[0]) as tf.Tensor1D };
    };
    const scope: Scope = {
      params,
      training,
      batch: x.shape[0],
      features: () => z,
      once: <T>(key: string, make: () => T) => (shared[key] ??= make()) as T,
      task: () => tf.fill([x.shape[0]], task, 'int32') as tf.Tensor1D,
      predictions: (others) => predictions(others ? this.forward({ ...params, ...others }, { x, z }, false, learner, task).output : output!),
    };
    let h = x;
    for (const site of SITES) {
      const base = tf.tile(h.mean(2, true), [1, 1, site.out]) as tf.Tensor3D;
      const delta = learner.adapt(site, h, scope);
      h = delta ? base.add(delta) : base;
    }
    output = h;
    return { output, scope };
  }

  /** The inputs and targets of rows: those of the present task, and the ones that the method rehearses. */
  private batchOf(rows: readonly Row[]): Batch {
    const pick = <T extends tf.Tensor>(of: (batch: Batch) => T) =>
      tf.concat(rows.map(({ prompt: [t, row] }) => of(this.batches[t! - 1]!).slice([row!], [1]))) as T;
    return { x: pick(({ x }) => x), z: pick(({ z }) => z), y: pick(({ y }) => y) };
  }

  private descend(step: number): number {
    const names = Object.keys(this.learner.trainable);
    return tf.tidy(() => {
      const params = tensorsOf(this.learner);
      const { value, grads } = tf.valueAndGrads((...values) => {
        const all: Record<string, tf.Tensor> = { ...params };
        names.forEach((name, i) => (all[name] = values[i]!));
        const rehearsed = this.learner.batch?.(rowsOf(this.current + 1), step);
        const batch = rehearsed ? this.batchOf(rehearsed) : this.batches[this.current]!;
        const { output, scope } = this.forward(all, batch, true, this.learner);
        const loss = output.sub(batch.y).square().mean<tf.Scalar>();
        const penalty = this.learner.penalty?.(scope);
        return penalty ? loss.add(penalty) : loss;
      })(names.map((name) => params[name]!));
      names.forEach((name, i) => {
        const [g, data] = [grads[i]!.dataSync(), this.learner.trainable[name]!.data];
        for (let j = 0; j < data.length; j++) data[j]! -= 0.05 * g[j]!;
      });
      return value.dataSync()[0]!;
    });
  }

  private async *gradients(names: readonly string[], rows: number, batch: number): AsyncIterable<Arrays> {
    for (let from = 0; from < rows; from += batch) {
      yield tf.tidy(() => {
        const params = tensorsOf(this.learner);
        const grads = tf.grads(this.lossOf(names, from, Math.min(rows, from + batch)))(names.map((name) => params[name]!));
        return Object.fromEntries(grads.map((g, i) => [names[i]!, { shape: g.shape, data: g.dataSync<'float32'>() }]));
      });
    }
  }
}

/** The rows of a task as a method may keep them: where they are found again, and an answer of one token. */
const rowsOf = (t: number): Row[] => Array.from({ length: ROWS }, (_, row) => ({ prompt: [t, row], answer: [t] }));

function tensorsOf(learner: Learner): Record<string, tf.Tensor> {
  const arrays = { ...learner.frozen, ...learner.trainable };
  return Object.fromEntries(Object.entries(arrays).map(([name, a]) => [name, tf.tensor(a.data.slice(), [...a.shape])]));
}
