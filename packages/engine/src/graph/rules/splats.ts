import type { DType } from '../../types.js';
import type { Rule } from '../rewrite.js';
import { sameShape } from '../shapes.js';

/** Operations that only move elements about: of a splat they make a splat. One by indices is to refuse those that are out of range. */
const MOVES = new Set(['Reshape', 'Transpose', 'Tile', 'Slice', 'Expand']);

/** Elementwise operations of two sides, with the number on the right that leaves the left side as it is. */
const BINARY: Readonly<Record<string, number | undefined>> = {
  Add: 0,
  Sub: 0,
  Mul: 1,
  Div: 1,
  Pow: 1,
  Max: undefined,
  Min: undefined,
  Mod: undefined,
  Equal: undefined,
  Greater: undefined,
  GreaterOrEqual: undefined,
  Less: undefined,
  LessOrEqual: undefined,
};
const COMMUTES = new Set(['Add', 'Mul']);
const FOLD: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
};

/**
 * Splats are values whose elements are all equal and known: tape gradients of sum and mean multiply by ones of the full
 * shape. Neutral ones go, two of them fold, the others shrink to scalars where the other side has the full shape.
 */
export const splats: Rule = ({ op, inputs, attributes }, builder, [result]) => {
  const [a, b] = inputs as [string, string];
  const { shape, dtype } = result!;
  const left = builder.splatOf(a);
  if (MOVES.has(op)) return left && [builder.splat(shape, dtype as DType, left.value)];
  if (!(op in BINARY)) return undefined;
  const right = builder.splatOf(b);
  const [leftFull, rightFull] = [a, b].map((side) => sameShape(builder.valueOf(side).shape, shape));
  const fold = FOLD[op];
  if (left && right && fold && dtype === 'float32') return [builder.splat(shape, dtype, fold(left.value, right.value))];
  if (right && leftFull) {
    if (right.value === BINARY[op]) return [a];
    return [builder.node(op, [a, right.scalar], result!, { ...attributes })];
  }
  if (left && rightFull) {
    if (COMMUTES.has(op) && left.value === BINARY[op]) return [b];
    return [builder.node(op, [left.scalar, b], result!, { ...attributes })];
  }
  return undefined;
};
