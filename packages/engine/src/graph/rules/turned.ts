import type { GraphBuilder } from '../builder.js';
import type { Rule } from '../rewrite.js';

/** True for a constant that a file holds, widened or not. */
function isMapped(builder: GraphBuilder, ref: string): boolean {
  if (builder.isStored(ref)) return true;
  const producer = builder.producerOf(ref);
  return (producer?.op === 'Cast' || producer?.op === 'Reshape') && isMapped(builder, producer.inputs[0]!);
}

/**
 * A product with the transpose of a matrix that stays in its file becomes one that reads the matrix as it lies there. The runtime
 * does so itself, except where it has first joined the product with an addition: then it would write the transpose in every run.
 */
export const turned: Rule = ({ op, inputs }, builder, [result]) => {
  if (op !== 'MatMul') return undefined;
  const [left, right] = inputs as [string, string];
  const turn = builder.producerOf(right);
  if (turn?.op !== 'Transpose' || builder.valueOf(left).shape.length !== 2 || builder.valueOf(right).shape.length !== 2) return undefined;
  const [matrix] = turn.inputs as [string];
  return isMapped(builder, matrix) ? [builder.node('Gemm', [left, matrix], result!, { transB: 1 })] : undefined;
};
