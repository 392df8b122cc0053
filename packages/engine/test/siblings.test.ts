import { createRandom, sizeOf } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { GraphBuilder } from '../src/graph/builder.js';
import { RULES, rewrite } from '../src/graph/rewrite.js';
import { joinSiblings } from '../src/graph/siblings.js';
import type { Value } from '../src/graph/types.js';
import '../src/kernels/index.js';
import { record } from '../src/trace.js';
import type { ProgramDefinition, TensorSpec } from '../src/types.js';
import { evaluate } from './evaluate.js';

const float = (...shape: number[]): Value => ({ shape, dtype: 'float32' });
const INPUTS: Record<string, Value> = { x: float(5, 6), z: float(5, 6), a: float(6, 2), b: float(6, 3), wide: float(6, 80) };

/** Lines such as `MatMul x a -> 5x2`, before and after. */
function shown(make: (b: GraphBuilder) => string[]): { before: string[]; after: string[] } {
  const builder = new GraphBuilder();
  for (const [name, value] of Object.entries(INPUTS)) builder.input(name, value);
  const graph = builder.finish(Object.fromEntries(make(builder).map((ref, i) => [`out${i}`, ref])));
  const [before, after] = [graph, joinSiblings(graph)].map((each) =>
    each.nodes.map(({ op, inputs, outputs }) => {
      const names = inputs.map((ref) => (each.initializers.has(ref) ? 'sizes' : ref)).join(' ');
      return `${op} ${names} -> ${outputs.map((ref) => each.values.get(ref)!.shape.join('x')).join(' ')}`;
    }),
  );
  return { before: before!, after: after! };
}
const product = (b: GraphBuilder, left: string, right: string, columns: number) => b.node('MatMul', [left, right], float(5, columns));

describe('siblings', () => {
  it('with one left side become one product', () => {
    const { before, after } = shown((b) => [product(b, 'x', 'a', 2), product(b, 'x', 'b', 3)]);
    expect(before).to.deep.equal(['MatMul x a -> 5x2', 'MatMul x b -> 5x3']);
    expect(after).to.deep.equal(['Concat a b -> 6x5', 'MatMul x v0 -> 5x5', 'Split v1 sizes -> 5x2 5x3']);
  });

  it('wait for right sides that come later', () => {
    const { after } = shown((b) => {
      const first = b.node('Exp', [product(b, 'x', 'a', 2)], float(5, 2));
      return [first, product(b, 'x', b.node('Neg', ['b'], float(6, 3)), 3)];
    });
    expect(after).to.deep.equal(['Neg b -> 6x3', 'Concat a v0 -> 6x5', 'MatMul x v1 -> 5x5', 'Split v2 sizes -> 5x2 5x3', 'Exp v3 -> 5x2']);
  });

  for (const [what, make] of Object.entries<(b: GraphBuilder) => string[]>({
    'with other left sides': (b) => [product(b, 'x', 'a', 2), product(b, 'z', 'b', 3)],
    'that are wide': (b) => [product(b, 'x', 'a', 2), product(b, 'x', 'wide', 80)],
    'with a constant, which the runtime packs': (b) => [product(b, 'x', 'a', 2), product(b, 'x', b.literal([6, 3], 'float32', new Float32Array(18).fill(1, 4)), 3)],
    'of which one needs the other': (b) => {
      const first = product(b, 'x', 'a', 2); // (5, 2)
      const turned = b.node('Slice', [b.node('Tile', [first, b.ints([2, 1])], float(10, 2)), b.ints([0, 0]), b.ints([6, 2])], float(6, 2));
      return [first, product(b, 'x', turned, 2)];
    },
  })) {
    it(`stay as they are ${what}`, () => {
      const { before, after } = shown(make);
      expect(after).to.deep.equal(before);
    });
  }

  it('stay as they are where two groups would wait for each other', () => {
    const { after } = shown((b) => {
      const square = (ref: string) => b.node('Slice', [b.node('Tile', [ref, b.ints([2, 1])], float(10, 2)), b.ints([0, 0]), b.ints([6, 2])], float(6, 2));
      const [x1, z1] = [product(b, 'x', 'a', 2), product(b, 'z', 'a', 2)];
      return [product(b, 'x', square(z1), 2), product(b, 'z', square(x1), 2)];
    });
    expect(after.filter((line) => line.startsWith('Split'))).to.have.length(1);
    expect(after.filter((line) => line.startsWith('MatMul'))).to.have.length(3);
  });

  it('give the sums that they gave, and so do their gradients', async () => {
    const spec = (...shape: number[]): TensorSpec => ({ shape, dtype: 'float32' });
    const definition: ProgramDefinition = {
      name: 'adapters',
      inputs: { x: spec(48, 96), qa: spec(96, 8), ka: spec(96, 8), va: spec(96, 8), qb: spec(8, 96), kb: spec(8, 32), vb: spec(8, 32) },
      compute: ({ x, qa, ka, va, qb, kb, vb }) => {
        const sides = [qa!, ka!, va!, qb!, kb!, vb!] as tf.Tensor2D[];
        const { value, grads } = tf.valueAndGrads((...all) => {
          const [a1, a2, a3, b1, b2, b3] = all as tf.Tensor2D[];
          const deltas = ([[a1, b1], [a2, b2], [a3, b3]] as const).map(([a, b]) => tf.matMul(tf.matMul(x as tf.Tensor2D, a!), b!));
          return tf.addN(deltas.map((delta) => tf.sum(tf.square(delta)))) as tf.Scalar;
        })(sides);
        return { value, ...Object.fromEntries(grads.map((grad, i) => [`grad${i}`, grad])) };
      },
    };
    const random = createRandom(4, 'siblings');
    const feeds = Object.fromEntries(Object.entries(definition.inputs).map(([name, { shape }]) => [name, random.normals(sizeOf(shape), 0.2)]));
    const plain = RULES.reduce(rewrite, record(definition, 'cpu').graph);
    const joined = joinSiblings(plain);
    const count = (graph: typeof plain, op: string) => graph.nodes.filter((node) => node.op === op).length;
    expect(count(joined, 'MatMul')).to.equal(count(plain, 'MatMul') - 4); // x A of three sites, and x' dH of three sites
    expect(count(joined, 'Split')).to.equal(2);
    const [one, other] = [await evaluate(plain, definition.inputs, feeds), await evaluate(joined, definition.inputs, feeds)];
    for (const [name, values] of Object.entries(one)) {
      values.forEach((value, i) => expect(other[name]![i], `${name}, element ${i}`).to.be.closeTo(value, 1e-5 * (1 + Math.abs(value))));
    }
  });
});
