import {
  type Arrays, type Learner, type NdArray, type Predictions, type Row, type Scope, type Site, type Random, type Tensors, type Written, LetheError, checkDelta, checkPrefix, createRandom,
  sizeOf,
} from '@lethe/core';
import * as tf from '@tensorflow/tfjs';

/** Two linear sites, one after the other: what the first adds changes what the second sees. */
export const SITES: readonly Site[] = [
  { name: 'layers.0.q', index: 0, layer: 0, kind: 'q', in: 8, out: 6 },
  { name: 'layers.0.v', index: 1, layer: 0, kind: 'v', in: 6, out: 4 },
];
/** Rows of a task. */
export const ROWS = 16;
/** Tasks of the stream. */
export const TASKS = 3;
/** Size of the pooled features of a row. */
export const FEATURES = 5;
const [TOKENS, IN, OUT] = [3, 8, 4];
/** Tokens that rows may be made of, those of the tasks' own among them. */
export const VOCABULARY = 32;
/** Tokens that there is room for: in a prompt its own two and a few examples, in a row prompt and answer together. */
export const ROOM = 16;
/** Size of what the first site reads, and so of virtual tokens. */
export const WIDTH = IN;

/** Rows of a regression task, as plain arrays. */
export interface Rows {
  /** Input of the first site, (rows, 3, 8). */
  readonly x: NdArray;
  /** What `scope.features()` gives, (rows, 5): centred at 3, 6 and 9 for tasks 1, 2 and 3. */
  readonly z: NdArray;
  /** Wanted output of the second site, (rows, 3, 4). */
  readonly y: NdArray;
  /** What `scope.task()` gives, (rows): 1, 2 or 3. */
  readonly task: NdArray;
}

/** Rows as tensors of the present backend. */
export interface Batch {
  readonly x: tf.Tensor3D;
  readonly z: tf.Tensor2D;
  readonly y: tf.Tensor3D;
  readonly task: tf.Tensor1D;
}

/** The rows of every task. */
export function toyRows(seed: number): Rows[] {
  const random = createRandom(seed, 'toy');
  return Array.from({ length: TASKS }, (_, i): Rows => ({
    x: { shape: [ROWS, TOKENS, IN], data: random.fork('x', i + 1).normals(ROWS * TOKENS * IN, 1) },
    z: { shape: [ROWS, FEATURES], data: random.fork('z', i + 1).normals(ROWS * FEATURES, 1).map((v) => v + 3 * (i + 1)) },
    y: { shape: [ROWS, TOKENS, OUT], data: random.fork('y', i + 1).normals(ROWS * TOKENS * OUT, 1) },
    task: { shape: [ROWS], data: new Float32Array(ROWS).fill(i + 1) },
  }));
}

/** Several lists of rows as one. */
export function joined(lists: readonly Rows[]): Rows {
  const all = (key: keyof Rows): NdArray => {
    const [, ...rest] = lists[0]![key].shape;
    const data = Float32Array.from(lists.flatMap((rows) => [...rows[key].data]));
    return { shape: [data.length / sizeOf(rest), ...rest], data };
  };
  return { x: all('x'), z: all('z'), y: all('y'), task: all('task') };
}

/** Rows [from, to). */
export function rowsBetween({ x, z, y, task }: Rows, from: number, to: number): Rows {
  const part = ({ shape: [, ...rest], data }: NdArray): NdArray => {
    const size = sizeOf(rest);
    return { shape: [to - from, ...rest], data: data.slice(from * size, to * size) };
  };
  return { x: part(x), z: part(z), y: part(y), task: part(task) };
}

/** Independent copies of rows as tensors. */
export function batchOf({ x, z, y, task }: Rows): Batch {
  const tensor = <T extends tf.Tensor>({ shape, data }: NdArray) => tf.tensor(data.slice(), [...shape]) as T;
  return { x: tensor(x), z: tensor(z), y: tensor(y), task: tensor(task) };
}

/** The rows of a task as a method may keep them: as prompt the task and the place among its rows. */
export function keepable(task: number): Row[] {
  return Array.from({ length: ROWS }, (_, row) => ({ prompt: [task, row], answer: [task] }));
}

/** What a row stands for that a method has made: by its prompt it is read, by its answer it is what is wanted, and it is of no task. */
function madeRow({ prompt, answer }: Row): Rows {
  const [read, wanted] = [createRandom(1, 'read', ...prompt), createRandom(1, 'wanted', ...answer)];
  return {
    x: { shape: [1, TOKENS, IN], data: read.fork('x').normals(TOKENS * IN, 1) },
    z: { shape: [1, FEATURES], data: read.fork('z').normals(FEATURES, 1) },
    y: { shape: [1, TOKENS, OUT], data: wanted.normals(TOKENS * OUT, 1) },
    task: { shape: [1], data: new Float32Array(1) },
  };
}

/** What {@link keepable} rows stand for, and what those do that a method has made. */
export function keptRows(tasks: readonly Rows[], kept: readonly Row[]): Rows {
  return joined(kept.map((row) => {
    const { prompt: [task, place], prompt, answer } = row;
    const real = prompt.length === 2 && answer.length === 1 && answer[0] === task && task! >= 1 && task! <= TASKS && place! < ROWS;
    return real ? rowsBetween(tasks[task! - 1]!, place!, place! + 1) : madeRow(row);
  }));
}

/**
 * What a learner writes after a prompt: of the outputs of every token the largest or, drawn, one by their softmax. The first output ends a text.
 *
 * @param random absent for the largest
 */
export function written(learner: Learner, prompt: readonly number[], told: boolean, maxTokens: number, random?: Random, temperature = 1): Written {
  const logp = tf.tidy(() => {
    const { scope } = forward(learner, tensorsOf(arraysOf(learner)), batchOf(madeRow({ prompt, answer: [0] })), false, told);
    return scope.predictions().logp.arraySync();
  });
  const tokens: number[] = [];
  for (const scores of logp) {
    if (tokens.length === maxTokens) break;
    const weights = scores.map((score) => Math.exp(score / temperature));
    let left = (random?.uniform() ?? 0) * weights.reduce((sum, weight) => sum + weight, 0);
    const drawn = weights.findIndex((weight) => (left -= weight) < 0);
    const token = random ? Math.max(0, drawn) : scores.indexOf(Math.max(...scores));
    if (token === 0) return { tokens, ended: true };
    tokens.push(token);
  }
  return { tokens, ended: false };
}

/** Virtual tokens p (batch, virtual, 8) before tokens x (batch, 3, 8), each of which adds what it attends to of them: x + softmax(x p^T / sqrt(8)) p. */
function behind(p: tf.Tensor3D, x: tf.Tensor3D): tf.Tensor3D {
  const shares = tf.softmax(tf.matMul(x, p, false, true).div<tf.Tensor3D>(Math.sqrt(IN))); // (batch, 3, virtual)
  return tf.concat([p, x.add(tf.matMul(shares, p))], 1);
}

/**
 * The model: every site gives the mean of its input in all of its outputs, to which the learner adds. Tokens read virtual ones once,
 * before the first site.
 *
 * @param learner null for the model alone
 * @param told whether the learner may ask for the task of a row
 */
export function forward(
  learner: Learner | null, params: Tensors, batch: Pick<Batch, 'x' | 'z' | 'task'>, training: boolean, told: boolean,
): { output: tf.Tensor3D; scope: Scope } {
  const { x, z, task } = batch;
  const shared = new Map<string, unknown>();
  let output: tf.Tensor3D | undefined;
  const scope: Scope = {
    params,
    training,
    batch: x.shape[0],
    features: () => z,
    weight: (site) => tf.fill([site.in, site.out], 1 / site.in),
    bias: () => null,
    once<T>(key: string, make: () => T): T {
      if (!shared.has(key)) shared.set(key, make());
      return shared.get(key) as T;
    },
    task() {
      if (told) return tf.cast(task, 'int32');
      throw new LetheError('LETHE_METHOD_CAPABILITY', 'A method asked for the task of a row, which its manifest does not declare.');
    },
    predictions(others) {
      if (!output) throw new LetheError('LETHE_METHOD_FAILED', 'A method asked in "adapt" for predictions that are still being made.');
      return predictionsOf(others ? forward(learner, { ...params, ...others }, batch, false, told).output : output);
    },
  };
  let h = learner?.virtualTokens ? behind(checkPrefix(learner.prefix!(scope), x.shape[0], learner.virtualTokens, WIDTH), x) : x;
  for (const site of SITES) {
    const base = tf.tile(h.mean(2, true), [1, 1, site.out]) as tf.Tensor3D;
    const delta = learner ? checkDelta(learner.adapt(site, h, scope), site, h) : null;
    h = delta ? base.add(delta) : base;
  }
  output = h.slice([0, h.shape[1] - TOKENS, 0]);
  return { output, scope };
}

/** The outputs of every token taken for logits of a vocabulary of four, all places with equal shares. */
function predictionsOf(output: tf.Tensor3D): Predictions {
  const states = tf.reshape(output, [-1, OUT]) as tf.Tensor2D;
  const places = states.shape[0];
  return { logp: tf.logSoftmax(states), states, weights: tf.fill([places], 1 / places) };
}

/** Mean squared error of an output, (rows, 3, 4); with the weight of every row, (rows), the sum of weighted means. */
export function squaredError(output: tf.Tensor, y: tf.Tensor, weights?: tf.Tensor1D): tf.Scalar {
  const squares = output.sub(y).square();
  return weights ? squares.mean([1, 2]).mul(weights).sum<tf.Scalar>() : squares.mean<tf.Scalar>();
}

/** All arrays of a learner that its predictions may read. */
export function arraysOf({ frozen, trainable }: Learner): Arrays {
  return { ...frozen, ...trainable };
}

/** Independent copies of named arrays as tensors. */
export function tensorsOf(arrays: Arrays): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(arrays).map(([name, { shape, data }]) => [name, tf.tensor(data.slice(), [...shape])]));
}
