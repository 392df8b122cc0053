import * as tf from '@tensorflow/tfjs';
import { sameShape } from '../graph/shapes.js';
import type { Info, Kernel, Kernels, Trace } from '../trace.js';
import { full, mismatch, pairs, transpose, wider } from './common.js';
import { unaryKernels } from './unary.js';

function matMul(t: Trace, a: Info, b: Info, transposeA: boolean, transposeB: boolean): Info {
  // the runtime folds these transposes into the product
  const turned = (x: Info, turn: boolean): Info => {
    const rank = x.shape.length;
    const perm = [...Array(rank - 2).keys(), rank - 1, rank - 2];
    return turn ? transpose(t, x, perm) : x;
  };
  const dtype = wider(a, b);
  const [left, right] = [turned(t.cast(a, dtype), transposeA), turned(t.cast(b, dtype), transposeB)];
  if (left.shape.at(-1) !== right.shape.at(-2)) mismatch('A product', left.shape, right.shape);
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(left.shape.slice(0, -2), right.shape.slice(0, -2));
  const shape = [...batch, left.shape.at(-2)!, right.shape.at(-1)!];
  // of a batch of empty sums the runtime gives whatever its memory holds
  if (left.shape.at(-1) === 0) return full(t, shape, dtype, 0);
  return t.emit('MatMul', [t.ref(left), t.ref(right)], shape, dtype);
}

/** tf.fused.matMul: product, bias and activation. */
const fusedMatMul: Kernel = (
  t,
  { a, b, bias, preluActivationWeights },
  { transposeA, transposeB, activation, leakyreluAlpha },
) => {
  let y = matMul(t, a!, b!, transposeA, transposeB);
  if (bias) y = pairs(t, 'Add', y, bias, 'float32');
  if (!activation || activation === 'linear') return y;
  const [name] = Object.keys(unaryKernels).filter((kernel) => kernel.toLowerCase() === activation.toLowerCase());
  return unaryKernels[name!]!(
    t,
    { x: y, ...(preluActivationWeights ? { alpha: preluActivationWeights } : {}) },
    { alpha: leakyreluAlpha },
  ) as Info;
};

/** The size of every letter of an equation whose terms go with these operands. */
function sizesOf(equation: string, operands: readonly Info[]): ReadonlyMap<string, number> {
  const [terms, result] = equation.split('->') as [string, string];
  const letters = terms.split(',');
  const sizes = new Map(letters.flatMap((term, i) => [...term].map((letter, axis) => [letter, operands[i]!.shape[axis]!] as const)));
  const fits = letters.every((term, i) => sameShape([...term].map((letter) => sizes.get(letter)!), operands[i]!.shape));
  if (!fits || [...result].some((letter) => !sizes.has(letter))) mismatch(`The product ${equation}`, ...operands.map(({ shape }) => shape));
  return sizes;
}

/** tf.einsum, whose equation `ij,jk->ik` means the same to the runtime. */
const einsum: Kernel = (t, inputs, { equation }: { equation: string }) => {
  const given = Object.values(inputs);
  const dtype = given.some((x) => x.dtype === 'float32') ? 'float32' : 'int32';
  const operands = given.map((x) => t.cast(x, dtype));
  const plain = equation.replaceAll(/\s/g, '');
  const sizes = sizesOf(plain, operands);
  const shape = [...plain.split('->')[1]!].map((letter) => sizes.get(letter)!);
  // the runtime ends the process
  if ([...sizes.values()].includes(0)) return full(t, shape, dtype, 0);
  const refs = operands.map((x) => t.ref(x));
  return t.emit('Einsum', refs, shape, dtype, { equation: plain });
};

/** tf.dot of vectors and tf.norm come as these too: TensorFlow.js composes them. */
export const productKernels: Kernels = {
  BatchMatMul: (t, { a, b }, { transposeA, transposeB }) => matMul(t, a!, b!, transposeA, transposeB),
  _FusedMatMul: fusedMatMul,
  Einsum: einsum,
};
