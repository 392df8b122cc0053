import type { Rule } from '../rewrite.js';

/** Two transposes become one, one that changes nothing goes, and one that only moves dimensions of size 1 copies nothing. */
export const transposes: Rule = ({ op, inputs, attributes }, builder, [result]) => {
  if (op !== 'Transpose') return undefined;
  let [source] = inputs as [string];
  let perm = attributes['perm'] as readonly number[];
  const before = builder.producerOf(source);
  if (before?.op === 'Transpose') {
    const first = before.attributes['perm'] as readonly number[];
    perm = perm.map((axis) => first[axis]!);
    source = before.inputs[0]!;
  }
  if (perm.every((axis, i) => axis === i)) return [source];
  const { shape } = builder.valueOf(source);
  const long = perm.filter((axis) => shape[axis] !== 1);
  if (long.every((axis, i) => i === 0 || axis > long[i - 1]!))
    return [builder.node('Reshape', [source, builder.ints(result!.shape)], result!, { allowzero: 1 })];
  return [builder.node('Transpose', [source], result!, { perm })];
};
