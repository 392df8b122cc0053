import * as tf from '@tensorflow/tfjs';
import { type Case, flat, smooth } from './case.js';

const conv = (kernel: string, x: number[], filter: number[], strides: number, pad: 'same' | 'valid'): Case =>
  smooth(
    kernel,
    (a, w) =>
      (kernel.startsWith('Conv2D') ? tf.conv2d : tf.depthwiseConv2d)(
        a as tf.Tensor4D,
        w as tf.Tensor4D,
        strides,
        pad,
      ),
    [x],
    [filter],
  );
const pool = (kernel: string, x: number[], size: [number, number], strides: number, pad: 'same' | 'valid'): Case =>
  smooth(kernel, (a) => (kernel.startsWith('Max') ? tf.maxPool : tf.avgPool)(a as tf.Tensor4D, size, strides, pad), [x, 'apart']);

/** Sizes that leave rows over, strides, both ways to pad, one channel and several. */
export const CONVOLUTION: readonly Case[] = [
  ...['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter'].flatMap((kernel) => [
    conv(kernel, [2, 5, 6, 3], [3, 2, 3, 4], 1, 'same'),
    conv(kernel, [2, 6, 5, 3], [2, 3, 3, 2], 2, 'valid'),
    conv(kernel, [1, 6, 6, 1], [3, 3, 1, 2], 3, 'same'),
    conv(kernel, [1, 1, 1, 2], [1, 1, 2, 3], 1, 'valid'),
  ]),
  ...['DepthwiseConv2dNative', 'DepthwiseConv2dNativeBackpropInput', 'DepthwiseConv2dNativeBackpropFilter'].flatMap((kernel) => [
    conv(kernel, [2, 5, 6, 3], [3, 2, 3, 2], 1, 'same'),
    conv(kernel, [2, 6, 5, 3], [2, 3, 3, 1], 2, 'valid'),
    conv(kernel, [1, 5, 5, 1], [2, 2, 1, 3], 2, 'same'),
  ]),
  flat('Conv2D', (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same', 'NHWC', 2), [[1, 6, 5, 2]], [[3, 2, 2, 3]]),
  flat('Conv2D', (x, w) => tf.conv1d(x as tf.Tensor3D, w as tf.Tensor3D, 1, 'valid', 'NWC', 2), [[2, 7, 3]], [[3, 3, 2]]),
  smooth('Conv2D', (x, w) => tf.conv1d(x as tf.Tensor3D, w as tf.Tensor3D, 1, 'same'), [[2, 7, 3]], [[4, 3, 2]]),
  smooth('Conv2D', (x, w) => tf.conv1d(x as tf.Tensor3D, w as tf.Tensor3D, 2, 'valid'), [[2, 7, 3]], [[2, 3, 2]]),
  smooth(
    'Conv2DBackpropInput',
    (x, w) => tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [2, 6, 6, 2], 2, 'same'),
    [[2, 3, 3, 4]],
    [[3, 3, 2, 4]],
  ),
  smooth(
    'DepthwiseConv2dNative',
    (x, deep, wide) => tf.separableConv2d(x as tf.Tensor4D, deep as tf.Tensor4D, wide as tf.Tensor4D, 1, 'same'),
    [[1, 4, 4, 2]],
    [[2, 2, 2, 1]],
    [[1, 1, 2, 3]],
  ),
  ...['MaxPool', 'MaxPoolGrad', 'AvgPool'].flatMap((kernel) => [
    pool(kernel, [2, 5, 6, 3], [2, 2], 2, 'same'),
    pool(kernel, [1, 6, 5, 2], [3, 2], 1, 'valid'),
    pool(kernel, [1, 4, 4, 1], [3, 3], 1, 'same'),
  ]),
  ...[[5, 4], [2, 3, 4], [2, 3, 2, 4]].map((shape) =>
    smooth(
      'FusedBatchNorm',
      (x, mean, variance, offset, scale) =>
        tf.batchNorm(x!, mean as tf.Tensor1D, variance as tf.Tensor1D, offset as tf.Tensor1D, scale as tf.Tensor1D, 1e-3),
      [shape],
      [[4]],
      [[4], 'positive'],
      [[4]],
      [[4]],
    ),
  ),
];
