import * as tf from '@tensorflow/tfjs';
import { LetheError, sizeOf } from '@lethe/core';
import { callerOf } from '../caller.js';
import { batchNorm } from '../composed.js';
import type { Info, Kernel, Kernels, Trace } from '../trace.js';
import { composed, full, mismatch, reshape, slice, transpose } from './common.js';

/** Sizes of a convolution or pooling; TensorFlow.js keeps images as (batch, height, width, channels), the runtime as below. */
type Sizes = tf.backend_util.Conv2DInfo;

/** (batch, height, width, channels) as (batch, channels, height, width), and back. */
const toRuntime = (t: Trace, x: Info) => transpose(t, x, [0, 3, 1, 2]);
const fromRuntime = (t: Trace, x: Info) => transpose(t, x, [0, 2, 3, 1]);

const attributesOf = ({ padInfo, strideHeight, strideWidth, dilationHeight, dilationWidth }: Sizes) => ({
  pads: [padInfo.top, padInfo.left, padInfo.bottom, padInfo.right],
  strides: [strideHeight, strideWidth],
  dilations: [dilationHeight, dilationWidth],
});

/** The filter (height, width, in, out) as (out, in, height, width); of a depthwise one, as (in * multiplier, 1, height, width). */
function weightsOf(t: Trace, filter: Info, depthwise: boolean): Info {
  if (!depthwise) return transpose(t, filter, [3, 2, 0, 1]);
  const [height, width, channels, multiplier] = filter.shape as [number, number, number, number];
  return reshape(t, transpose(t, filter, [2, 3, 0, 1]), [channels * multiplier, 1, height, width]);
}

interface ConvAttributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number;
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dataFormat?: 'NHWC' | 'NCHW';
}
type Shape4 = [number, number, number, number];

const refuse = (what: string, remedy: string): never => {
  throw new LetheError('LETHE_ENGINE_KERNEL', what, { where: callerOf(new Error()) ?? 'a convolution', remedy });
};

/** The runtime rounds sizes down; the others need a number of pixels that differs from side to side. */
function checkRounding(mode: 'floor' | 'round' | 'ceil' | undefined): void {
  if (mode !== undefined && mode !== 'floor')
    refuse(`The compiler rounds the sizes of images down, not as dimRoundingMode "${mode}" says.`, 'Leave it out, and pad the image with tf.pad where its border counts.');
}

/**
 * Sizes that are there, as the runtime counts them. Where padding is a number, TensorFlow.js 4.22 counts the width of the result by the height
 * of filter and stride.
 */
function checked(what: string, sizes: Sizes, shape: readonly number[], filter: readonly number[]): Sizes {
  const { padInfo, inHeight, inWidth, outHeight, outWidth, effectiveFilterHeight, effectiveFilterWidth, strideHeight, strideWidth } = sizes;
  const height = Math.floor((inHeight + padInfo.top + padInfo.bottom - effectiveFilterHeight) / strideHeight) + 1;
  const width = Math.floor((inWidth + padInfo.left + padInfo.right - effectiveFilterWidth) / strideWidth) + 1;
  if (height < 1 || width < 1) mismatch(what, shape, filter);
  if (height !== outHeight || width !== outWidth)
    refuse(`TensorFlow.js takes the result for ${outHeight} x ${outWidth} pixels, and there are ${height} x ${width}.`, 'Pad the image with tf.pad, and give "valid" as padding.');
  return sizes;
}

function sizesOf(shape: readonly number[], filter: readonly number[], attributes: ConvAttributes, depthwise: boolean): Sizes {
  const { strides, pad, dilations = 1, dimRoundingMode, dataFormat } = attributes;
  if (dataFormat === 'NCHW')
    refuse('The compiler convolves images whose channels come last, not NCHW.', 'Transpose them with tf.transpose(x, [0, 2, 3, 1]).');
  checkRounding(dimRoundingMode);
  const sizes = tf.backend_util.computeConv2DInfo(shape as Shape4, filter as Shape4, strides, dilations, pad, dimRoundingMode, depthwise);
  return checked('A convolution', sizes, shape, filter);
}

const forward =
  (depthwise: boolean): Kernel =>
  (t, { x, filter }, attributes: ConvAttributes) => {
    const sizes = sizesOf(x!.shape, filter!.shape, attributes, depthwise);
    const { batchSize, outChannels, outHeight, outWidth, inChannels } = sizes;
    const inputs = [t.ref(toRuntime(t, x!)), t.ref(weightsOf(t, filter!, depthwise))];
    const y = t.emit('Conv', inputs, [batchSize, outChannels, outHeight, outWidth], 'float32', {
      ...attributesOf(sizes),
      group: depthwise ? inChannels : 1,
    });
    return fromRuntime(t, y);
  };

/** The gradient by the input, which is tf.conv2dTranspose too. */
const byInput =
  (depthwise: boolean): Kernel =>
  (t, { dy, filter }, attributes: ConvAttributes & { inputShape: Shape4 }) => {
    const sizes = sizesOf(attributes.inputShape, filter!.shape, attributes, depthwise);
    const { batchSize, inChannels, inHeight, inWidth, outHeight, outWidth, effectiveFilterHeight, effectiveFilterWidth } = sizes;
    const { padInfo, strideHeight, strideWidth } = sizes;
    // rows and columns at the end that no filter reached
    const rest = [
      inHeight + padInfo.top + padInfo.bottom - (outHeight - 1) * strideHeight - effectiveFilterHeight,
      inWidth + padInfo.left + padInfo.right - (outWidth - 1) * strideWidth - effectiveFilterWidth,
    ];
    const inputs = [t.ref(toRuntime(t, dy!)), t.ref(weightsOf(t, filter!, depthwise))];
    const dx = t.emit('ConvTranspose', inputs, [batchSize, inChannels, inHeight, inWidth], 'float32', {
      ...attributesOf(sizes),
      output_padding: rest,
      group: depthwise ? inChannels : 1,
    });
    return fromRuntime(t, dx);
  };

/**
 * The gradient by the filter: the input convolved with dy, the batch in the place of the channels; strides become dilations and
 * the other way round.
 */
const byFilter =
  (depthwise: boolean): Kernel =>
  (t, { x, dy }, attributes: ConvAttributes & { filterShape: Shape4 }) => {
    const [height, width, channels, last] = attributes.filterShape;
    const sizes = sizesOf(x!.shape, attributes.filterShape, attributes, depthwise);
    const { batchSize, inHeight, inWidth, outHeight, outWidth, padInfo } = sizes;
    const { pads, strides, dilations } = attributesOf(sizes);
    // (channels, batch, …); of a depthwise one all in one image, a group for each channel
    const image = transpose(t, x!, [3, 0, 1, 2]);
    const images = depthwise ? reshape(t, image, [1, channels * batchSize, inHeight, inWidth]) : image;
    const weights = transpose(t, dy!, [3, 0, 1, 2]);
    const extent = (size: number, before: number, after: number, out: number, stride: number, step: number) =>
      Math.floor((size + before + after - (out - 1) * stride - 1) / step) + 1;
    const found = [
      extent(inHeight, padInfo.top, padInfo.bottom, outHeight, strides[0]!, dilations[0]!),
      extent(inWidth, padInfo.left, padInfo.right, outWidth, strides[1]!, dilations[1]!),
    ];
    const shape = depthwise ? [1, channels * last] : [channels, last];
    const sums = t.emit('Conv', [t.ref(images), t.ref(weights)], [...shape, ...found], 'float32', {
      pads,
      strides: dilations,
      dilations: strides,
      group: depthwise ? channels : 1,
    });
    const kept = slice(t, sums, [0, 0, 0, 0], [...shape, height, width]);
    return transpose(t, reshape(t, kept, [channels, last, height, width]), [2, 3, 0, 1]);
  };

interface PoolAttributes {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

const poolSizes = (shape: readonly number[], { filterSize, strides, pad, dimRoundingMode }: PoolAttributes) => {
  checkRounding(dimRoundingMode);
  const sizes = tf.backend_util.computePool2DInfo(shape as Shape4, filterSize, strides, 1, pad, dimRoundingMode);
  return checked('A pooling', sizes, shape, [sizes.filterHeight, sizes.filterWidth]);
};

/** The largest or mean elements, (batch, channels, height, width), and if asked the places where the largest ones lie. */
function pooled(t: Trace, op: 'MaxPool' | 'AveragePool', x: Info, attributes: PoolAttributes, places = false): Info[] {
  const sizes = poolSizes(x.shape, attributes);
  const shape = [sizes.batchSize, sizes.outChannels, sizes.outHeight, sizes.outWidth];
  const dtypes = places ? (['float32', 'int64'] as const) : (['float32'] as const);
  const { pads, strides } = attributesOf(sizes);
  const settings = { pads, strides, kernel_shape: [sizes.filterHeight, sizes.filterWidth] };
  const results = t.builder.nodeOf(op, [t.ref(toRuntime(t, x))], dtypes.map((dtype) => ({ shape, dtype })), settings);
  return results.map((ref, i) => t.bind(ref, shape, dtypes[i]!));
}

/** The gradient of tf.maxPool: dy is added up at the places of the largest elements. */
const maxPoolGrad: Kernel = (t, { dy, input }, attributes: PoolAttributes) => {
  const [, places] = pooled(t, 'MaxPool', input!, attributes, true);
  const [batch, height, width, channels] = input!.shape as Shape4;
  const [size, count] = [sizeOf(input!.shape), sizeOf(dy!.shape)];
  const [rows, values] = [reshape(t, places!, [count, 1]), reshape(t, toRuntime(t, dy!), [count])];
  const zeros = full(t, [size], 'float32', 0);
  const sums = t.emit('ScatterND', [t.ref(zeros), t.ref(rows), t.ref(values)], [size], 'float32', { reduction: 'add' });
  return fromRuntime(t, reshape(t, sums, [batch, channels, height, width]));
};

/** Convolutions and poolings of images, which tf.conv1d and the like make of their inputs, and tf.batchNorm. */
export const convolutionKernels: Kernels = {
  Conv2D: forward(false),
  Conv2DBackpropInput: byInput(false),
  Conv2DBackpropFilter: byFilter(false),
  DepthwiseConv2dNative: forward(true),
  DepthwiseConv2dNativeBackpropInput: byInput(true),
  DepthwiseConv2dNativeBackpropFilter: byFilter(true),
  MaxPool: (t, { x }, attributes) => fromRuntime(t, pooled(t, 'MaxPool', x!, attributes)[0]!),
  MaxPoolGrad: maxPoolGrad,
  AvgPool: (t, { x }, attributes) => fromRuntime(t, pooled(t, 'AveragePool', x!, attributes)[0]!),
  FusedBatchNorm: composed(batchNorm),
};
