import type { GraphBuilder } from '../builder.js';
import type { Rule } from '../rewrite.js';
import type { Node, Value } from '../types.js';

/** The cast that widens a stored constant, and the transpose behind it. */
interface Widened {
  readonly cast: Node;
  readonly turn: Node | undefined;
}

/** How a stored constant becomes the value `ref`. */
function widened(builder: GraphBuilder, ref: string): Widened | undefined {
  const producer = builder.producerOf(ref);
  const turn = producer?.op === 'Transpose' ? producer : undefined;
  const cast = turn ? builder.producerOf(turn.inputs[0]!) : producer;
  return cast?.op === 'Cast' && builder.isStored(cast.inputs[0]!) ? { cast, turn } : undefined;
}

/** A vector of zeros, `length` long, that is not there before the value `ref` is. */
function zerosAfter(builder: GraphBuilder, ref: string, length: number): string {
  const rank = builder.valueOf(ref).shape.length;
  const shape = builder.node('Shape', [ref], { shape: [rank], dtype: 'int64' });
  const none = builder.node('Sub', [shape, shape], { shape: [rank], dtype: 'int64' });
  const one = builder.node('ReduceSum', [none], { shape: [1], dtype: 'int64' }, { keepdims: 1 });
  return builder.node('Expand', [one, builder.ints([length])], { shape: [length], dtype: 'int64' });
}

/** The stored constant `source`, widened no sooner than the value `ref` is there. */
function widenAfter(builder: GraphBuilder, source: string, { attributes }: Node, ref: string): string {
  const value = builder.valueOf(source);
  const zeros = zerosAfter(builder, ref, value.shape.length);
  const sizes = builder.node('Add', [builder.ints(value.shape), zeros], { shape: [value.shape.length], dtype: 'int64' });
  const late = builder.node('Reshape', [source, sizes], value);
  return builder.node('Cast', [late], { shape: value.shape, dtype: 'float32' }, { ...attributes });
}

/** A matrix that takes more than this in 32 bits is widened in parts: the head of a small model may be half of its weights. */
const PART_BYTES = 64 * 2 ** 20;

/**
 * The product of `left` and a stored matrix, or its transpose, where the matrix is larger than {@link PART_BYTES}: rows of the
 * matrix as the file has them are widened and multiplied part by part, each after the product of the one before.
 */
function productInParts(builder: GraphBuilder, left: string, { cast, turn }: Widened, result: Value): string | undefined {
  const [source] = cast.inputs as [string];
  const [rows, columns] = builder.valueOf(source).shape as [number, number];
  const [height] = builder.valueOf(left).shape as [number];
  const most = Math.max(1, Math.floor(PART_BYTES / (4 * columns)));
  if (rows <= most || builder.valueOf(left).shape.length !== 2) return undefined;
  const matrix = (...shape: number[]): Value => ({ shape, dtype: 'float32' });
  const products: string[] = [];
  for (let from = 0; from < rows; from += most) {
    const to = Math.min(rows, from + most);
    const part = widenAfter(builder, builder.storedRows(source, from, to), cast, products.at(-1) ?? left);
    if (turn) {
      const side = builder.node('Transpose', [part], matrix(columns, to - from), { ...turn.attributes });
      products.push(builder.node('MatMul', [left, side], matrix(height, to - from)));
    } else {
      const bounds = [[from], [to], [1]].map((values) => builder.ints(values));
      const side = builder.node('Slice', [left, ...bounds], matrix(height, to - from));
      products.push(builder.node('MatMul', [side, part], result));
    }
  }
  if (turn) return builder.node('Concat', products, result, { axis: 1 });
  return products.reduce((sum, product) => builder.node('Add', [sum, product], result));
}

/**
 * Constants that a file holds in 16 bits are widened where they are used, one at a time. A cast of a constant depends on
 * nothing, so that the runtime would do all of them first and hold the whole model in 32 bits: before a product, the cast is made
 * to wait for the other side (its shape, which costs nothing, takes part in a reshape that changes and copies nothing). Rows of a
 * table are gathered before they are widened.
 */
export const widening: Rule = ({ op, inputs, attributes }, builder, [result]) => {
  if (op === 'Gather') {
    const found = widened(builder, inputs[0]!);
    if (!found || found.turn) return undefined;
    const [source] = found.cast.inputs as [string];
    const rows: Value = { shape: result!.shape, dtype: builder.valueOf(source).dtype };
    const picked = builder.node('Gather', [source, inputs[1]!], rows, { ...attributes });
    return [builder.node('Cast', [picked], result!, { ...found.cast.attributes })];
  }
  if (op !== 'MatMul') return undefined;
  const sides = inputs.map((ref) => widened(builder, ref));
  const at = sides.findIndex((side) => side !== undefined);
  if (at < 0 || sides.every((side) => side !== undefined)) return undefined;
  const parts = at === 1 ? productInParts(builder, inputs[0]!, sides[1]!, result!) : undefined;
  if (parts) return [parts];
  const { cast, turn } = sides[at]!;
  const late = widenAfter(builder, cast.inputs[0]!, cast, inputs[1 - at]!);
  const side = turn ? builder.node('Transpose', [late], builder.valueOf(inputs[at]!), { ...turn.attributes }) : late;
  return [builder.node('MatMul', at === 0 ? [side, inputs[1]!] : [inputs[0]!, side], result!, { ...attributes })];
};
