import { createRandom, sizeOf } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import type { ProgramDefinition, TensorSpec, Values } from '../../src/types.js';

/** Where values are drawn from. */
export type Kind = 'normal' | 'positive' | 'unit' | 'above1' | 'apart' | 'int' | 'counts' | 'bool' | { readonly below: number };
export type Input = readonly [shape: readonly number[], kind?: Kind];

/** One call of a TensorFlow.js function, compared on the compiler and on the plain cpu backend. */
export interface Case {
  /** The kernel it is there for. */
  readonly kernel: string;
  readonly inputs: readonly Input[];
  readonly call: (...inputs: tf.Tensor[]) => tf.Tensor | readonly tf.Tensor[];
  /** False where TensorFlow.js has no gradient, or none is wanted. */
  readonly gradient: boolean;
}

type Call = Case['call'];

/** A case with its gradient by all float inputs. */
export const smooth = (kernel: string, call: Call, ...inputs: Input[]): Case => ({ kernel, call, inputs, gradient: true });
/** A case without gradient. */
export const flat = (kernel: string, call: Call, ...inputs: Input[]): Case => ({ kernel, call, inputs, gradient: false });

/** Shapes of rank 0 to 5, with dimensions of size 1. */
export const SHAPES: readonly (readonly number[])[] = [[], [1], [5], [2, 3], [1, 3, 1], [2, 1, 2, 3], [2, 1, 2, 1, 3]];
/** Pairs of shapes that broadcast. */
export const PAIRS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[], []],
  [[], [2, 3]],
  [[3], [2, 3]],
  [
    [2, 3],
    [2, 3],
  ],
  [
    [2, 1],
    [1, 3],
  ],
  [
    [2, 3, 1],
    [3, 4],
  ],
  [[1], [2, 1, 2, 1, 2]],
  [
    [2, 1, 2, 1, 3],
    [1, 4, 1, 2, 1],
  ],
];

const draw = createRandom(7, 'kernels');

function values([shape, kind = 'normal']: Input, ...path: (string | number)[]): Values {
  const random = draw.fork(...path);
  const length = sizeOf(shape);
  const floats = (next: () => number) => Float32Array.from({ length }, next);
  if (typeof kind === 'object') return Int32Array.from({ length }, () => random.below(kind.below));
  switch (kind) {
    case 'normal':
      return floats(() => random.normal());
    case 'positive':
      return floats(() => 0.2 + 2 * random.uniform());
    case 'unit':
      return floats(() => 1.8 * random.uniform() - 0.9);
    case 'above1':
      return floats(() => 1.1 + 2 * random.uniform());
    // every element differs from every other by 0.1 or more, and none is near 0
    case 'apart': {
      const order = random.shuffle(Array.from({ length }, (_, i) => i));
      return floats(() => order.pop()! * 0.1 - length * 0.05 + 0.03);
    }
    case 'int':
      return Int32Array.from({ length }, () => random.below(19) - 9);
    case 'counts':
      return Int32Array.from({ length }, () => 1 + random.below(4));
    case 'bool':
      return Uint8Array.from({ length }, () => random.below(2));
  }
}

const dtypeOf = ([, kind = 'normal']: Input): TensorSpec['dtype'] =>
  typeof kind === 'object' || kind === 'int' || kind === 'counts' ? 'int32' : kind === 'bool' ? 'bool' : 'float32';

/** A sum in which every element of the outputs counts differently. */
function weighted(outputs: readonly tf.Tensor[]): tf.Scalar {
  const parts = outputs
    .filter(({ dtype }) => dtype === 'float32')
    .map((y) => {
      const weights = Float32Array.from({ length: y.size }, (_, i) => Math.sin(1 + i));
      return tf.sum(tf.mul(y, tf.tensor(weights, y.shape)));
    });
  return tf.addN(parts) as tf.Scalar;
}

const list = (result: tf.Tensor | readonly tf.Tensor[]) =>
  'shape' in result ? [result as tf.Tensor] : (result as readonly tf.Tensor[]);

/**
 * Many cases as one program, with values to feed it: outputs are named `case.output`, gradients `case.dinput`. `onCase` is
 * told which case comes next while the program is traced.
 */
export function programOf(
  name: string,
  cases: readonly Case[],
  onCase: (one: Case) => void,
): { definition: ProgramDefinition; feeds: Record<string, Values> } {
  const feeds: Record<string, Values> = {};
  const inputs: Record<string, TensorSpec> = {};
  cases.forEach((one, n) =>
    one.inputs.forEach((input, i) => {
      feeds[`${n}.${i}`] = values(input, name, n, i);
      inputs[`${n}.${i}`] = { shape: input[0], dtype: dtypeOf(input) };
    }),
  );
  const compute: ProgramDefinition['compute'] = (given) =>
    Object.fromEntries(
      cases.flatMap((one, n) => {
        const { call, gradient, inputs: specs } = one;
        onCase(one);
        const at = specs.map((_, i) => given[`${n}.${i}`]!);
        const outputs: [string, tf.Tensor][] = list(call(...at)).map((y, i) => [`${n}.${i}`, y]);
        if (!gradient) return outputs;
        const floats = at.flatMap((x, i) => (x.dtype === 'float32' ? [i] : []));
        const gradients = tf.grads((...xs) =>
          weighted(list(call(...at.map((x, i) => (floats.includes(i) ? xs[floats.indexOf(i)]! : x))))),
        )(floats.map((i) => at[i]!));
        return [...outputs, ...gradients.map((dx, i): [string, tf.Tensor] => [`${n}.d${floats[i]!}`, dx])];
      }),
    );
  return { definition: { name, inputs, compute }, feeds };
}
