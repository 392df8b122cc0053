import util from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '@lethe/core';
import { type Composed, denseBincount, einsum, searchSorted, segmentSum } from './composed.js';

interface Call {
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
  readonly attrs: Readonly<Record<string, unknown>>;
}
/** What a kernel does instead; `original` is the kernel as the backend has it. */
type Repair = (call: Call, original: (call: Call) => tf.Tensor) => tf.Tensor;

const write =
  (kernel: Composed): Repair =>
  ({ inputs, attrs }) =>
    kernel(inputs, attrs);

/** What is done with integers alone. */
const ofIntegers =
  (compute: (x: tf.Tensor) => tf.Tensor): Repair =>
  (call, original) =>
    call.inputs['x']!.dtype === 'int32' ? compute(call.inputs['x']!) : original(call);

/** Counts the axis from the front, as the backend does. */
const fromFront: Repair = ({ inputs, attrs }, original) =>
  original({ inputs, attrs: { ...attrs, axis: tf.util.parseAxisParam(attrs['axis'] as number, inputs['x']!.shape)[0] } });

/** Repeats batches first: the backend counts them through, so that (3, 1, …) by (3, 4, …) would meet the wrong ones, or be too short. */
const wholeBatches: Repair = ({ inputs, attrs }, original) => {
  const batchOf = ({ shape }: tf.Tensor) => shape.slice(0, -2);
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(batchOf(inputs['a']!), batchOf(inputs['b']!));
  // one matrix for all is repeated well
  const counted = [1, sizeOf(batch)];
  const whole = (x: tf.Tensor) => (counted.includes(sizeOf(batchOf(x))) ? x : tf.broadcastTo(x, [...batch, ...x.shape.slice(-2)]));
  return original({ inputs: { a: whole(inputs['a']!), b: whole(inputs['b']!) }, attrs });
};

/**
 * What backends of TensorFlow.js 4.22 lack, or do otherwise than the plain one that documents the operations; by backend and
 * kernel. The cases of the compiler are the test: tfjs-node, where it is installed, must agree in all of them.
 */
const REPAIRS: Readonly<Record<string, Readonly<Record<string, Repair>>>> = {
  cpu: {
    // take integers through floats, which lose them past 2^24
    Abs: ofIntegers((x) => tf.maximum(x, tf.neg(x))),
    Square: ofIntegers((x) => tf.mul(x, x)),
    BatchMatMul: wholeBatches,
    Cumsum: fromFront,
    Cumprod: fromFront,
    // takes an operand that shares no summed letter with the others for another one, or its sizes for wrong
    Einsum: write(einsum),
    // gives floats for integers
    UnsortedSegmentSum: (call, original) => (call.inputs['x']!.dtype === 'float32' ? original(call) : write(segmentSum)(call, original)),
    // writes into the tensor that it is given
    TensorScatterUpdate: ({ inputs, attrs }, original) =>
      original({ inputs: { ...inputs, tensor: tf.add(inputs['tensor']!, tf.zerosLike(inputs['tensor']!)) }, attrs }),
  },
  // lacks sums of segments, which gradients of tf.gather need, and tf.einsum
  wasm: { BatchMatMul: wholeBatches, Cumsum: fromFront, Cumprod: fromFront, Einsum: write(einsum), UnsortedSegmentSum: write(segmentSum) },
  tensorflow: {
    DenseBincount: write(denseBincount),
    SearchSorted: write(searchSorted),
    GatherV2: fromFront,
    // takes a space for a letter
    Einsum: ({ inputs, attrs }, original) =>
      original({ inputs, attrs: { ...attrs, equation: (attrs['equation'] as string).replaceAll(/\s/g, '') } }),
    // gives floats for floats
    FloorDiv: (call, original) => tf.cast(original(call), 'int32'),
  },
};

const repaired = new Set<string>();

/** What tfjs-node asks node:util for when it sorts, and Node 23 no longer has. */
function restoreIsNullOrUndefined(): void {
  const old = util as { isNullOrUndefined?: (value: unknown) => boolean };
  old.isNullOrUndefined ??= (value) => value === undefined || value === null;
}

/** Mends the kernels of a backend that was loaded; once, however often it is called. */
export function repair(backendName: string): void {
  if (repaired.has(backendName)) return;
  repaired.add(backendName);
  if (backendName === 'tensorflow') restoreIsNullOrUndefined();
  for (const [kernelName, mend] of Object.entries(REPAIRS[backendName] ?? {})) {
    const known = tf.getKernel(kernelName, backendName);
    if (known) tf.unregisterKernel(kernelName, backendName);
    tf.registerKernel({
      ...known,
      kernelName,
      backendName,
      kernelFunc: (parameters) =>
        mend(parameters as unknown as Call, (call) => known.kernelFunc({ ...parameters, ...call } as typeof parameters) as tf.Tensor),
    });
  }
}
