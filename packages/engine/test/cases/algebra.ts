import * as tf from '@tensorflow/tfjs';
import { type Case, type Input, type Kind, SHAPES, flat, smooth } from './case.js';

type Axes = number | number[] | undefined;
type Reduce = (x: tf.Tensor, axis?: Axes, keepDims?: boolean) => tf.Tensor;
const REDUCED: readonly (readonly [number[], Axes])[] = [
  [[], undefined],
  [[5], undefined],
  [[5], 0],
  [[2, 3], []],
  [[2, 3], -1],
  [
    [2, 3],
    [0, 1],
  ],
  [[2, 1, 3], 1],
  [
    [2, 3, 4],
    [0, -1],
  ],
  [
    [2, 1, 2, 1, 3],
    [1, 2, -1],
  ],
];
const reductions = (kernel: string, call: Reduce, kind: Kind, differentiable = true): Case[] =>
  REDUCED.flatMap(([shape, axis]) =>
    [false, true].map((keep) => (differentiable ? smooth : flat)(kernel, (x) => call(x!, axis, keep), [shape, kind])),
  );
const scan = (
  kernel: string,
  call: (x: tf.Tensor, axis: number, exclusive: boolean, reverse: boolean) => tf.Tensor,
): Case[] =>
  (
    [
      [[5], 0],
      [[1], 0],
      [[2, 3], 1],
      [[3, 2], 0],
      [[2, 3, 4], 1],
      [[2, 1, 3, 1, 2], 2],
      [[2, 3], -1],
      [[3, 2, 2], -2],
    ] as const
  ).flatMap(([shape, axis]) =>
    [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ].map(([exclusive, reverse]) =>
      smooth(kernel, (x) => call(x!, axis, exclusive!, reverse!), [shape]),
    ),
  );

export const REDUCTION: readonly Case[] = [
  ...reductions('Sum', tf.sum, 'normal'),
  ...reductions('Mean', tf.mean, 'normal'),
  ...reductions('Max', tf.max, 'apart'),
  ...reductions('Min', tf.min, 'apart'),
  ...reductions('Prod', tf.prod, 'positive', false),
  ...reductions('All', tf.all as Reduce, 'bool', false),
  ...reductions('Any', tf.any as Reduce, 'bool', false),
  ...reductions('Sum', tf.sum, 'int', false),
  ...reductions('Max', tf.max, 'int', false),
  ...reductions('Min', tf.min, 'int', false),
  ...reductions('Mean', tf.mean, 'int', false),
  ...reductions('Prod', tf.prod, 'counts', false),
  ...reductions('Sum', tf.sum, 'bool', false),
  ...reductions('Max', tf.max, 'bool', false),
  ...reductions('Min', tf.min, 'bool', false),
  smooth('Prod', (x) => tf.prod(x!, 1), [[2, 3], 'positive']),
  smooth('Prod', (x) => tf.prod(x!), [[4], 'positive']),
  smooth('Prod', (x) => tf.prod(x!, -1), [[2, 3], 'positive']),
  ...reductions('Sum', tf.logSumExp, 'normal'),
  ...reductions('Mean', (x, axis, keep) => tf.moments(x, axis, keep).variance, 'normal'),
  ...reductions('Sum', (x, axis, keep) => tf.norm(x, 'euclidean', axis as number, keep), 'positive').filter(
    ({ inputs }) => inputs[0]![0].length === 1,
  ),
  ...(['ArgMax', 'ArgMin'] as const).flatMap((kernel) =>
    (
      [
        [[5], 0],
        [[1], 0],
        [[2, 3], -1],
        [[2, 3, 4], 1],
        [[2, 1, 2, 1, 3], 4],
      ] as const
    ).flatMap(([shape, axis]) =>
      (['apart', 'int'] as const).map((kind) =>
        flat(kernel, (x) => (kernel === 'ArgMax' ? tf.argMax : tf.argMin)(x!, axis), [shape, kind]),
      ),
    ),
  ),
  flat('ArgMax', (x) => tf.argMax(x!, 1), [[2, 0]]),
  flat('ArgMin', (x) => tf.argMin(x!), [[0, 3], 'int']),
  ...[0, 1].map((axis) => flat('Any', (x) => tf.any(x!, axis), [[0, 3], 'bool'])),
  flat('Cumsum', (x) => tf.cumsum(x!, 0), [[5], 'bool']),
  flat('Cumprod', (x) => tf.cumprod(x!, 0), [[5], 'bool']),
  flat('Cumprod', (x) => tf.cumprod(x!, 0, true), [[0]]),
  ...scan('Cumsum', tf.cumsum),
  ...scan('Cumprod', tf.cumprod),
  smooth('Cumprod', (x) => tf.cumprod(tf.mul(x!, tf.tensor1d([1, 0, 1, 0, 1])), 0), [[5]]),
  flat('Cumprod', (x) => tf.cumprod(x!, 1), [[2, 5], 'int']),
  smooth('Any', (x) => tf.mul(x!, tf.cast(tf.any(tf.greater(x!, 0)), 'float32')), [[4]]),
  smooth('All', (x) => tf.mul(x!, tf.cast(tf.all(tf.less(x!, 9), 0), 'float32')), [[3, 2]]),
  ...([1, 2, 'euclidean', Infinity, -Infinity] as const).map((order) =>
    smooth(order === Infinity ? 'Max' : order === -Infinity ? 'Min' : 'Sum', (x) => tf.norm(x!, order, -1, true), [[3, 4], 'apart']),
  ),
  smooth('Sum', (x) => tf.norm(x!, 'fro', [0, 1]), [[3, 4]]),
  flat('Cumsum', (x) => tf.cumsum(x!, 1), [[2, 5], 'int']),
  ...SHAPES.filter((shape) => shape.length > 0).flatMap((shape) => [
    smooth('Softmax', (x) => tf.softmax(x as tf.Tensor1D), [shape]),
    smooth('Sum', (x) => tf.logSoftmax(x!), [shape]),
  ]),
];

const matMul = (a: Input[0], b: Input[0], transposeA = false, transposeB = false): Case =>
  smooth('BatchMatMul', (x, y) => tf.matMul(x!, y!, transposeA, transposeB), [a], [b]);
const einsum = (equation: string, ...shapes: number[][]): Case =>
  smooth('Einsum', (...xs) => tf.einsum(equation, ...xs), ...shapes.map((shape): Input => [shape]));

/** The direction that a matrix stretches most, by repeated products. */
function powerIteration(x: tf.Tensor2D): tf.Tensor {
  let direction: tf.Tensor = tf.ones([x.shape[1], 1]);
  for (let step = 0; step < 4; step++) {
    const next = tf.matMul(x, tf.matMul(x, direction as tf.Tensor2D), true) as tf.Tensor2D;
    direction = tf.div(next, tf.norm(next));
  }
  return direction;
}

export const PRODUCT: readonly Case[] = [
  ...[[4, 3], [3, 3], [2, 3, 3]].map((shape) => smooth('BatchMatMul', (x) => tf.linalg.qr(x!), [shape])),
  flat('BatchMatMul', (x) => tf.linalg.qr(x!, true), [[4, 3]]),
  smooth('BatchMatMul', (x) => powerIteration(x as tf.Tensor2D), [[4, 3]]),
  smooth('BatchMatMul', (x, y) => tf.matMul(tf.linalg.gramSchmidt(x as tf.Tensor2D) as tf.Tensor2D, y as tf.Tensor2D), [[3, 4]], [[4, 2]]),
  matMul([2, 3], [3, 4]),
  flat('BatchMatMul', (a, b) => tf.matMul(a!, b!), [[2, 3], 'int'], [[3, 4], 'int']),
  flat('BatchMatMul', () => tf.dot(tf.tensor1d([16777217, 1], 'int32'), tf.tensor1d([1, 2], 'int32'))),
  matMul([3, 2], [3, 4], true),
  matMul([2, 3], [4, 3], false, true),
  matMul([3, 2], [4, 3], true, true),
  matMul([1, 1], [1, 1]),
  matMul([1, 4], [4, 1]),
  matMul([5, 2, 3], [5, 3, 4]),
  matMul([5, 3, 2], [5, 4, 3], true, true),
  matMul([1, 2, 3], [5, 3, 4]),
  matMul([5, 2, 3], [1, 3, 4]),
  matMul([2, 5, 2, 3], [2, 5, 3, 4]),
  matMul([2, 5, 2, 3], [2, 5, 4, 3], false, true),
  matMul([1, 1, 2, 3], [2, 5, 3, 4]),
  matMul([2, 1, 3, 2, 3], [2, 1, 3, 3, 2]),
  // each side repeated along an axis of its own, or the shorter one along the last
  matMul([3, 1, 2, 3], [1, 4, 3, 3]),
  matMul([3, 1, 3, 2], [3, 4, 2, 3], true, true),
  matMul([2, 2, 3], [4, 1, 3, 2]),
  flat('BatchMatMul', (a, b) => tf.matMul(a!, b!), [[2, 3, 0]], [[2, 0, 4]]),
  smooth('BatchMatMul', (a, b) => tf.dot(a as tf.Tensor1D, b as tf.Tensor1D), [[4]], [[4]]),
  smooth('BatchMatMul', (a, b) => tf.dot(a as tf.Tensor2D, b as tf.Tensor1D), [[3, 4]], [[4]]),
  smooth('BatchMatMul', (a, b) => tf.outerProduct(a as tf.Tensor1D, b as tf.Tensor1D), [[3]], [[4]]),
  ...(['linear', 'relu', 'sigmoid', 'elu', 'relu6'] as const).map((activation) =>
    smooth(
      '_FusedMatMul',
      (a, b, bias) => tf.fused.matMul({ a: a!, b: b!, bias: bias!, activation, transposeB: true }),
      [[2, 3]],
      [[4, 3]],
      [[4]],
    ),
  ),
  flat(
    '_FusedMatMul',
    (a, b) => tf.fused.matMul({ a: a!, b: b!, activation: 'leakyrelu', leakyreluAlpha: 0.3 }),
    [[2, 3]],
    [[3, 4]],
  ),
  flat(
    '_FusedMatMul',
    (a, b, alpha) => tf.fused.matMul({ a: a!, b: b!, activation: 'prelu', preluActivationWeights: alpha! }),
    [[2, 3]],
    [[3, 4]],
    [[4]],
  ),
  einsum('ij,jk->ik', [2, 3], [3, 4]),
  einsum('bij, bjk -> bik', [2, 2, 3], [2, 3, 4]),
  einsum('ij->ji', [2, 3]),
  einsum('ij->', [2, 3]),
  einsum('ij->j', [2, 3]),
  einsum('i,j->ij', [2], [3]),
  flat('Einsum', (a, b) => tf.einsum('ij,kj->ik', a!, b!), [[2, 0]], [[3, 0]]),
  flat('Einsum', (a, b) => tf.einsum('ij,kj->ik', a!, b!), [[2, 4], 'int'], [[3, 4], 'int']),
  einsum('a->a', [1]),
  einsum('d,de->d', [3], [3, 2]),
  einsum('bde,f->ed', [2, 1, 2], [3]),
  einsum(',ab->ba', [], [2, 3]),
  einsum('abx,cbx->xca', [2, 3, 2], [1, 3, 2]),
  einsum('bhqd,bhkd->bhqk', [2, 2, 3, 4], [2, 2, 5, 4]),
];
