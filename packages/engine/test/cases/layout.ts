import * as tf from '@tensorflow/tfjs';
import { rmsNorm, rotary } from '../../src/index.js';
import { type Case, SHAPES, flat, smooth } from './case.js';

const turn = (kernel: string, call: (x: tf.Tensor) => tf.Tensor | readonly tf.Tensor[], ...shapes: number[][]): Case[] =>
  shapes.flatMap((shape) => [smooth(kernel, call as Case['call'], [shape]), flat(kernel, call as Case['call'], [shape, 'int'])]);

export const SHAPE: readonly Case[] = [
  ...turn('Reshape', (x) => tf.reshape(x, [-1]), [], [5], [2, 3], [2, 1, 2, 1, 3]),
  ...turn('Reshape', (x) => tf.reshape(x, [3, 1, 2]), [2, 3], [6]),
  ...turn('Reshape', (x) => tf.squeeze(x), [1, 3, 1], [1]),
  flat('Reshape', (x) => tf.reshape(x!, [3, 2]), [[2, 3], 'bool']),
  ...turn('ExpandDims', (x) => tf.expandDims(x, 0), [], [2, 3]),
  ...turn('ExpandDims', (x) => tf.expandDims(x, -1), [], [5], [2, 3]),
  ...turn('ExpandDims', (x) => tf.expandDims(x, 1), [2, 3, 4]),
  ...turn('Transpose', (x) => tf.transpose(x), [2, 3], [2, 3, 4]),
  ...turn('Transpose', (x) => tf.transpose(x, [0, 2, 1, 3]), [2, 3, 4, 2], [1, 3, 1, 2]),
  ...turn('Transpose', (x) => tf.transpose(x, [4, 1, 0, 3, 2]), [2, 1, 2, 1, 3]),
  flat('Transpose', (x) => tf.transpose(x!), [[2, 3], 'bool']),
  ...turn('Slice', (x) => tf.slice(x, [1], [2]), [5], [4, 3]),
  ...turn('Slice', (x) => tf.slice(x, [0, 1, 1], [-1, 1, 2]), [2, 3, 4]),
  ...turn('Slice', (x) => tf.slice(x, 1), [3, 2]),
  ...turn('Slice', (x) => tf.slice(x, [1, 0, 1, 0, 2], [1, 1, 1, 1, 1]), [2, 1, 2, 1, 3]),
  ...[
    smooth('StridedSlice', (x) => tf.stridedSlice(x!, [1], [5], [2]), [[6]]),
    smooth('StridedSlice', (x) => tf.stridedSlice(x!, [-1], [-7], [-2], 0, 1), [[6]]),
    smooth('StridedSlice', (x) => tf.stridedSlice(x!, [0, 2], [2, 0], [1, -1]), [[2, 3]]),
    smooth('StridedSlice', (x) => tf.stridedSlice(x!, [1], [2], [1], 0, 0, 0, 0, 1), [[2, 3]]),
    flat('StridedSlice', (x) => tf.stridedSlice(x!, [0, 1], [0, 3], [1, 1], 0, 0, 1), [[2, 3, 4], 'int']),
    smooth('StridedSlice', (x) => tf.stridedSlice(x!, [0, 1], [0, 3], [1, 1], 0, 0, 0, 1), [[4]]),
  ],
  flat('Concat', (a, b) => tf.concat([a!, b!]), [[3]], [[2], 'int']),
  flat('Concat', (a, b) => tf.concat([a!, b!]), [[2], 'int'], [[3]]),
  ...[0, 1, -1].map((axis) => smooth('Concat', (a, b) => tf.concat([a!, b!], axis), [[2, 3]], [[2, 3]])),
  smooth('Concat', (a, b, c) => tf.concat([a!, b!, c!], 1), [[2, 3, 2]], [[2, 1, 2]], [[2, 2, 2]]),
  flat('Concat', (a, b) => tf.concat([a!, b!]), [[2], 'int'], [[3], 'int']),
  flat('Concat', (a, b) => tf.concat([a!, b!]), [[2], 'bool'], [[3], 'bool']),
  ...[0, 1, -1].map((axis) => smooth('Pack', (a, b) => tf.stack([a!, b!], axis), [[2, 3]], [[2, 3]])),
  smooth('Pack', (a, b) => tf.stack([a!, b!]), [[]], [[]]),
  flat('Pack', (a, b) => tf.stack([a!, b!]), [[3], 'int'], [[3], 'int']),
  ...turn('Unpack', (x) => tf.unstack(x), [3], [2, 3], [2, 3, 4]),
  ...turn('Unpack', (x) => tf.unstack(x, -1), [2, 3]),
  smooth('Unpack', (x, rows) => tf.sub(x!, tf.unstack(rows!)[0]!), [[4, 3]], [[2, 3]]),
  ...turn('SplitV', (x) => tf.split(x, 2, 1), [2, 4], [2, 4, 3]),
  ...turn('SplitV', (x) => tf.split(x, [1, 2], -1), [2, 3]),
  ...turn('SplitV', (x) => tf.split(x, 3), [3]),
  ...turn('Tile', (x) => tf.tile(x, [2, 3]), [2, 3], [1, 1]),
  ...turn('Tile', (x) => tf.tile(x, [3]), [4]),
  ...turn('Tile', (x) => tf.broadcastTo(x, [2, 4, 3]), [3], [4, 1], [2, 1, 3]),
  ...turn(
    'PadV2',
    (x) =>
      tf.pad(
        x,
        [
          [1, 2],
          [0, 1],
        ],
        3,
      ),
    [2, 3],
  ),
  ...turn('PadV2', (x) => tf.pad(x, [[2, 0]]), [3]),
  ...turn(
    'PadV2',
    (x) =>
      tf.pad(x, [
        [0, 1],
        [1, 0],
        [0, 0],
        [2, 1],
      ]),
    [2, 1, 3, 2],
  ),
  flat('PadV2', (x) => tf.pad(x!, [[1, 0]]), [[3], 'bool']),
  ...(['reflect', 'symmetric'] as const).map((mode) =>
    smooth(
      'MirrorPad',
      (x) =>
        tf.mirrorPad(
          x!,
          [
            [1, 1],
            [0, 2],
            [0, 0],
          ],
          mode,
        ),
      [[2, 3, 2]],
    ),
  ),
  ...turn('Reverse', (x) => tf.reverse(x), [4], [2, 3]),
  ...turn('Reverse', (x) => tf.reverse(x, [-1]), [2, 3], [2, 3, 4]),
  ...turn('Reverse', (x) => tf.reverse(x, [0, 2]), [2, 3, 4], [2, 1, 3, 2]),
  flat('Reverse', (x) => tf.reverse(x!, []), [[2, 3]]),
  smooth('Diag', (x) => tf.diag(x!), [[4]]),
  smooth('Diag', (x) => tf.diag(x!), [[2, 3]]),
  flat('Diag', (x) => tf.diag(x!), [[2, 3], 'int']),
  smooth('Diag', (x) => tf.diag(x!), [[1]]),
  ...turn('Unpack', (x) => tf.linalg.bandPart(x, 1, 0), [4, 4], [2, 3, 3]),
];

export const INDEXING: readonly Case[] = [
  ...(
    [
      [[5], [3], 0],
      [[5, 2], [3], 0],
      [[2, 5], [3], 1],
      [[2, 5, 3], [2, 2], 1],
      [[5, 2], [], 0],
      [[2, 3, 1, 5, 2], [4], -2],
    ] as const
  ).flatMap(([x, indices, axis]) => [
    smooth('GatherV2', (a, i) => tf.gather(a!, i as tf.Tensor1D, axis), [x], [indices, { below: axis === 0 ? 5 : 3 }]),
    flat('GatherV2', (a, i) => tf.gather(a!, i as tf.Tensor1D, axis), [x, 'int'], [indices, { below: 3 }]),
  ]),
  flat('GatherV2', (a, i) => tf.gather(a!, i as tf.Tensor2D, 1, 1), [[2, 5]], [[2, 3], { below: 5 }]),
  flat('GatherV2', (a, i) => tf.gather(a!, i as tf.Tensor2D, 2, 1), [[2, 4, 5, 3]], [[2, 3], { below: 5 }]),
  flat('GatherV2', (a, i) => tf.gather(a!, i as tf.Tensor3D, 2, 2), [[2, 3, 5, 2], 'int'], [[2, 3, 4], { below: 5 }]),
  smooth('GatherV2', (a, i) => tf.gather(a!, i as tf.Tensor2D, 1, 1), [[2, 5, 3]], [[2, 3], { below: 5 }]),
  smooth('GatherV2', (a, i) => tf.gather(a!, i as tf.Tensor3D, 2, 2), [[2, 3, 5, 2]], [[2, 3, 4], { below: 5 }]),
  flat('GatherV2', (a, i) => tf.gather(a!, i as tf.Tensor2D, 1, -1), [[2, 5, 3]], [[2, 3], { below: 5 }]),
  smooth('GatherNd', (x, i) => tf.gatherND(x!, i!), [[3, 3]], [[4, 2], { below: 3 }]),
  smooth('GatherNd', (x, i) => tf.gatherND(x!, i!), [[3, 3, 2]], [[2, 2, 2], { below: 3 }]),
  flat('GatherNd', (x, i) => tf.gatherND(x!, i!), [[3, 2], 'int'], [[4, 1], { below: 3 }]),
  smooth('ScatterNd', (i, u) => tf.scatterND(i!, u!, [5]), [[7, 1], { below: 5 }], [[7]]),
  flat('ScatterNd', (i, u) => tf.scatterND(i!, u!, [3, 3]), [[4, 2], { below: 3 }], [[4], 'int']),
  smooth('ScatterNd', (i, u) => tf.scatterND(i!, u!, [4, 2]), [[3, 1], { below: 4 }], [[3, 2]]),
  smooth(
    'TensorScatterUpdate',
    (x, u) => tf.tensorScatterUpdate(x!, tf.tensor2d([[3], [0]], [2, 1], 'int32'), u!),
    [[5, 2]],
    [[2, 2]],
  ),
  flat('Bincount', (i, w) => tf.bincount(i as tf.Tensor1D, w as tf.Tensor1D, 5), [[7], { below: 5 }], [[7]]),
  flat('Bincount', (i) => tf.bincount(i as tf.Tensor1D, tf.tensor1d([], 'int32'), 9), [[7], { below: 5 }]),
  flat('DenseBincount', (i, w) => tf.denseBincount(i as tf.Tensor2D, w as tf.Tensor2D, 5), [[2, 7], { below: 5 }], [[2, 7]]),
  flat('DenseBincount', (i) => tf.denseBincount(i as tf.Tensor1D, tf.tensor1d([]), 4), [[9], { below: 6 }]),
  flat('DenseBincount', (i) => tf.denseBincount(i as tf.Tensor2D, tf.tensor2d([], [0, 0]), 5, true), [[2, 7], { below: 5 }]),
  ...(['left', 'right'] as const).map((side) =>
    flat('SearchSorted', (v) => tf.searchSorted(tf.tensor2d([[0, 1, 1, 3], [-1, 0, 0, 0.5]]), v!, side), [[2, 7]]),
  ),
  flat('SearchSorted', (v) => tf.lowerBound(tf.tensor1d([0, 1, 1, 3], 'int32'), v!), [[5], { below: 5 }]),
  ...([[5], [2, 3], []] as const).map((shape) => flat('OneHot', (i) => tf.oneHot(i!, 4), [shape, { below: 4 }])),
  flat('OneHot', (i) => tf.oneHot(i!, 3, 2, -1), [[4], { below: 3 }]),
  flat('OneHot', (i) => tf.oneHot(i!, 3, 7, 1, 'int32'), [[4], 'int']),
  smooth('UnsortedSegmentSum', (x, i) => tf.unsortedSegmentSum(x!, i as tf.Tensor1D, 4), [[6]], [[6], { below: 4 }]),
  smooth('UnsortedSegmentSum', (x, i) => tf.unsortedSegmentSum(x!, i as tf.Tensor1D, 5), [[6, 2, 3]], [[6], { below: 4 }]),
  flat('UnsortedSegmentSum', (x) => tf.unsortedSegmentSum(x!, tf.tensor1d([0, -1, 1, 7], 'int32'), 3), [[4, 2]]),
  flat('UnsortedSegmentSum', (x, i) => tf.unsortedSegmentSum(x!, i as tf.Tensor1D, 4), [[6], 'int'], [[6], { below: 4 }]),
  flat('TopK', (x) => Object.values(tf.topk(x!, 1)), [[0, 3]]),
  flat('TopK', (x) => Object.values(tf.topk(x!, 2)), [[2, 3], 'bool']),
  ...(
    [
      [[5], 2],
      [[2, 5], 5],
      [[2, 1, 4], 1],
      [[1], 1],
    ] as const
  ).flatMap(([shape, k]) =>
    (['apart', 'int'] as const).map((kind) =>
      (kind === 'int' ? flat : smooth)(
        'TopK',
        (x) => {
          const { values, indices } = tf.topk(x!, k);
          return [values, indices];
        },
        [shape, kind],
      ),
    ),
  ),
  flat('TopK', (x) => tf.topk(tf.cast(x!, 'int32'), 3).indices, [[6], 'counts']),
];

export const CREATION: readonly Case[] = [
  ...SHAPES.flatMap((shape) => [
    flat('Fill', () => tf.fill([...shape], 2.5)),
    flat('ZerosLike', (x) => tf.zerosLike(x!), [shape]),
    flat('OnesLike', (x) => tf.onesLike(x!), [shape, 'int']),
  ]),
  flat('Fill', () => tf.fill([2], 3, 'int32')),
  flat('ZerosLike', (x) => tf.zerosLike(x!), [[2], 'bool']),
  flat('OnesLike', (x) => tf.onesLike(x!), [[2], 'bool']),
  flat('Range', () => tf.range(0, 5)),
  flat('Range', () => tf.range(5, 0, -2)),
  flat('Range', () => tf.range(5, 0)),
  flat('Range', () => tf.range(0, 1, 0.3)),
  flat('Range', () => tf.range(1, 7, 2, 'int32')),
  flat('LinSpace', () => tf.linspace(0, 1, 5)),
  flat('LinSpace', () => tf.linspace(2, 2, 1)),
  flat('LinSpace', () => tf.linspace(3, -1, 4)),
];

const angles = (of: (x: number) => number) =>
  tf.tensor2d(
    Float32Array.from({ length: 6 * 2 }, (_, n) => of(Math.floor(n / 2) * 0.1 ** (n % 2))),
    [6, 2],
  );

export const FUSED: readonly Case[] = [
  ...([[4], [2, 3], [2, 1, 5], [1, 1]] as const).map((shape) =>
    smooth('LetheRmsNorm', (x, gain) => rmsNorm(x!, gain!, 1e-5), [shape], [shape.slice(-1)]),
  ),
  smooth(
    'LetheRotary',
    (x, at) => rotary(x as tf.Tensor4D, at as tf.Tensor2D, { cos: angles(Math.cos), sin: angles(Math.sin) }),
    [[2, 3, 5, 4]],
    [[2, 5], { below: 6 }],
  ),
  smooth(
    'LetheRotary',
    (x, at) => rotary(x as tf.Tensor4D, at as tf.Tensor2D, { cos: angles(Math.cos), sin: angles(Math.sin) }),
    [[1, 1, 1, 4]],
    [[1, 1], { below: 6 }],
  ),
  smooth(
    'LetheRotary',
    (x, at) => rotary(x as tf.Tensor4D, at as tf.Tensor2D, { cos: angles(Math.cos), sin: angles(Math.sin) }),
    [[1, 2, 9, 4]],
    [[1, 9], { below: 6 }],
  ),
];
