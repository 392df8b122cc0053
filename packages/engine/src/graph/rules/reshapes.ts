import { sizeOf } from '@lethe/core';
import type { GraphBuilder } from '../builder.js';
import type { Rule } from '../rewrite.js';
import { sameShape } from '../shapes.js';
import type { Node, Value } from '../types.js';

/** Operations on each element, with broadcasting. */
const ELEMENTWISE = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Max',
  'Min',
  'Pow',
  'Neg',
  'Abs',
  'Exp',
  'Log',
  'Sqrt',
  'Reciprocal',
  'Sigmoid',
  'Tanh',
  'Erf',
  'Relu',
]);
/** Operations on each row along the last axis whose first input is the row; other inputs are left alone. */
const ROWWISE = new Set(['ReduceMean', 'ReduceSum', 'ReduceMax', 'SimplifiedLayerNormalization']);

const reshape = (builder: GraphBuilder, ref: string, { dtype }: Value, shape: readonly number[]) =>
  builder.node('Reshape', [ref, builder.ints(shape)], { shape, dtype }, { allowzero: 1 });
const lead = (shape: readonly number[]) => shape.slice(0, -1);

/** The value before a reshape that keeps the last dimension. */
function beforeSplit(builder: GraphBuilder, ref: string): { ref: string; value: Value } | undefined {
  const producer = builder.producerOf(ref);
  if (producer?.op !== 'Reshape') return undefined;
  const value = builder.valueOf(producer.inputs[0]!);
  return value.shape.length > 1 && value.shape.at(-1) === builder.valueOf(ref).shape.at(-1)
    ? { ref: producer.inputs[0]!, value }
    : undefined;
}

function worksOnLastAxis({ op, inputs, attributes }: Node, builder: GraphBuilder): boolean {
  const rank = builder.valueOf(inputs[0]!).shape.length;
  if (op === 'SimplifiedLayerNormalization') return attributes['axis'] === -1;
  const axes = builder.heldOf(inputs[1]!)?.data;
  return attributes['keepdims'] === 1 && axes?.length === 1 && Number(axes[0]) === rank - 1;
}

/**
 * Reshapes sink below elementwise and rowwise operations, where two of them become one or none: the layers of a transformer
 * then work on matrices (tokens, size) throughout, and the runtime can fold an addition into the product before it.
 */
export const reshapes: Rule = (node, builder, results) => {
  const { op, inputs, attributes } = node;
  if (op === 'Reshape') {
    const [source] = inputs as [string];
    const before = builder.producerOf(source);
    const origin = before?.op === 'Reshape' ? before.inputs[0]! : source;
    if (sameShape(builder.valueOf(origin).shape, results[0]!.shape)) return [origin];
    return origin === source ? undefined : [reshape(builder, origin, results[0]!, results[0]!.shape)];
  }
  const rowwise = ROWWISE.has(op) && worksOnLastAxis(node, builder);
  if (!ELEMENTWISE.has(op) && !rowwise) return undefined;
  const moving = rowwise ? inputs.slice(0, 1) : inputs;
  const pattern = moving.map((ref) => beforeSplit(builder, ref)).find((found) => found !== undefined);
  if (!pattern) return undefined;
  const [inner, outer] = [lead(pattern.value.shape), lead(results[0]!.shape)];
  // a row that is repeated for others cannot give them its shape; a row alone has no rank to lose
  if (outer.length === 0 || sizeOf(inner) !== sizeOf(outer)) return undefined;
  const last = results[0]!.shape.at(-1)!;
  const sunk: string[] = [];
  for (const ref of moving) {
    const value = builder.valueOf(ref);
    const size = value.shape.at(-1);
    if (value.shape.length <= 1 && (size === undefined || size === 1 || size === last || rowwise)) {
      sunk.push(ref); // broadcasts along the last dimension, whatever comes before it
      continue;
    }
    if (!sameShape(lead(value.shape), outer)) return undefined;
    const before = beforeSplit(builder, ref);
    if (before && sameShape(lead(before.value.shape), inner)) sunk.push(before.ref);
    else sunk.push(reshape(builder, ref, value, [...inner, size!]));
  }
  const outputs = builder.nodeOf(
    op,
    [...sunk, ...(op.startsWith('Reduce') ? [builder.ints([inner.length])] : inputs.slice(moving.length))],
    results.map(({ shape, dtype }) => ({ shape: [...inner, shape.at(-1)!], dtype })),
    { ...attributes },
  );
  return outputs.map((ref, i) => reshape(builder, ref, results[i]!, results[i]!.shape));
};
