import { expect } from 'chai';
import { GraphBuilder, keyOf } from '../src/graph/builder.js';
import { type Rule, optimise, rewrite } from '../src/graph/rewrite.js';
import { reshapes } from '../src/graph/rules/reshapes.js';
import { splats } from '../src/graph/rules/splats.js';
import { transposes } from '../src/graph/rules/transposes.js';
import { type Graph, type Value, isHeld } from '../src/graph/types.js';
import { serialise } from '../src/onnx.js';
import { inputsRead } from '../src/reads.js';
import { record } from '../src/trace.js';
import { evaluate } from './evaluate.js';
import { programOf } from './cases/case.js';
import { PRODUCT } from './cases/algebra.js';
import { FUSED, SHAPE } from './cases/layout.js';

const float = (...shape: number[]): Value => ({ shape, dtype: 'float32' });

/** A graph as lines such as `Add in:x v1 -> 2x3`; a constant is shown by its numbers. */
function show(graph: Graph): string[] {
  const name = (ref: string) => {
    const constant = graph.initializers.get(ref);
    return constant && isHeld(constant) ? `[${[...constant.data].map(String).join()}]` : ref;
  };
  return graph.nodes.map(
    ({ op, inputs, outputs }) => `${op} ${inputs.map(name).join(' ')} -> ${graph.values.get(outputs[0]!)!.shape.join('x')}`,
  );
}

/** A graph over x (2, 3), y (2, 3), rows (6), z (2, 1) and cube (2, 3, 4). */
function build(make: (b: GraphBuilder) => string): Graph {
  const builder = new GraphBuilder();
  builder.input('x', float(2, 3));
  builder.input('y', float(2, 3));
  builder.input('rows', float(6));
  builder.input('z', float(2, 1));
  builder.input('cube', float(2, 3, 4));
  return builder.finish({ out: make(builder) });
}
/** A graph before a rule, and after one pass of it. */
function expectPass(rule: Rule, make: (b: GraphBuilder) => string, before: string[], after: string[]): void {
  const graph = build(make);
  expect(show(graph)).to.deep.equal(before);
  expect(show(rewrite(graph, rule))).to.deep.equal(after);
}
/** A graph that a rule leaves as it is. */
const expectLeft = (rule: Rule, make: (b: GraphBuilder) => string, lines: string[]) => expectPass(rule, make, lines, lines);
const reshape = (b: GraphBuilder, ref: string, ...shape: number[]) =>
  b.node('Reshape', [ref, b.ints(shape)], float(...shape), { allowzero: 1 });

describe('inputsRead', () => {
  it('names the inputs that an output depends on, read or given back', () => {
    const vector = { shape: [2], dtype: 'float32' } as const;
    const read = inputsRead({
      name: 'reads', inputs: { added: vector, given: vector, shaped: vector, dropped: vector, idle: vector },
      compute: ({ added, given, shaped, dropped }) => {
        dropped!.mul(2);
        return { sum: added!.add(shaped!.shape[0]!), given: given! };
      },
    });
    expect([...read]).to.deep.equal(['added', 'given']);
  });
});

describe('GraphBuilder', () => {
  it('makes equal nodes and equal constants once', () => {
    const graph = build((b) => {
      const twice = [0, 1].map(() => b.node('Add', ['x', b.literal([3], 'float32', Float32Array.of(1, 2, 3))], float(2, 3)));
      return b.node('Mul', twice, float(2, 3));
    });
    expect(show(graph)).to.deep.equal(['Add x [1,2,3] -> 2x3', 'Mul v0 v0 -> 2x3']);
    expect(graph.initializers.size).to.equal(1);
  });

  it('tells attributes, types and bytes apart', () => {
    const b = new GraphBuilder();
    b.input('x', float(2, 2));
    expect(b.node('Softmax', ['x'], float(2, 2), { axis: 0 })).not.to.equal(b.node('Softmax', ['x'], float(2, 2), { axis: 1 }));
    expect(b.scalar(1, 'float32')).not.to.equal(b.scalar(1, 'int32'));
    expect(b.scalar(0, 'float32')).not.to.equal(b.scalar(-0, 'float32'));
    const mine = Float32Array.of(1, 2);
    const literal = b.literal([2], 'float32', mine);
    mine[0] = 5;
    expect([...b.heldOf(literal)!.data]).to.deep.equal([1, 2]);
  });

  it('leaves dead code and unused constants out', () => {
    const graph = build((b) => {
      b.node('Exp', [b.literal([1], 'float32', Float32Array.of(9))], float(1));
      return b.node('Neg', ['x'], float(2, 3));
    });
    expect(show(graph)).to.deep.equal(['Neg x -> 2x3']);
    expect(graph.initializers.size).to.equal(0);
  });

  it('gives equal graphs one key, and different ones two', () => {
    const neg = (b: GraphBuilder) => b.node('Neg', ['x'], float(2, 3));
    expect(keyOf(build(neg))).to.equal(keyOf(build(neg)));
    expect(keyOf(build(neg))).not.to.equal(keyOf(build((b) => b.node('Abs', ['x'], float(2, 3)))));
    expect(keyOf(build((b) => b.node('Add', ['x', b.scalar(1, 'float32')], float(2, 3))))).not.to.equal(
      keyOf(build((b) => b.node('Add', ['x', b.scalar(2, 'float32')], float(2, 3)))),
    );
  });

  it('keeps large constants out of the model file', () => {
    const data = new Float32Array(5000).fill(2).fill(3, 1);
    const graph = build((b) =>
      b.node('Gather', [b.constant({ shape: [5000], dtype: 'float32', data }), b.ints([4])], float(1)),
    );
    const { bytes, externalData } = serialise(graph, {});
    expect(bytes.length).to.be.below(2000);
    expect(externalData).to.have.length(1);
    expect(externalData[0]!.data.buffer).to.equal(data.buffer);
  });
});

describe('the rule of splats', () => {
  const splat = (b: GraphBuilder, value: number) => b.splat([2, 3], 'float32', value);
  it('drops neutral ones', () => {
    expectPass(splats, (b) => b.node('Mul', ['x', splat(b, 1)], float(2, 3)), ['Expand [1] [2,3] -> 2x3', 'Mul x v0 -> 2x3'], []);
    expectPass(splats, (b) => b.node('Add', [splat(b, 0), 'x'], float(2, 3)), ['Expand [0] [2,3] -> 2x3', 'Add v0 x -> 2x3'], []);
    expectPass(splats, (b) => b.node('Div', ['x', b.scalar(1, 'float32')], float(2, 3)), ['Div x [1] -> 2x3'], []);
  });
  it('keeps what is not neutral on its side, and shrinks it', () => {
    expectPass(splats, (b) => b.node('Sub', [splat(b, 0), 'x'], float(2, 3)), ['Expand [0] [2,3] -> 2x3', 'Sub v0 x -> 2x3'], ['Sub [0] x -> 2x3']);
    expectPass(splats, (b) => b.node('Mul', ['x', splat(b, 2)], float(2, 3)), ['Expand [2] [2,3] -> 2x3', 'Mul x v0 -> 2x3'], ['Mul x [2] -> 2x3']);
  });
  it('leaves one that gives the result its shape', () => {
    expectLeft(splats, (b) => b.node('Mul', ['z', splat(b, 1)], float(2, 3)), ['Expand [1] [2,3] -> 2x3', 'Mul z v0 -> 2x3']);
  });
  it('folds two, and moves one about for nothing', () => {
    expectPass(
      splats,
      (b) => b.node('Mul', [b.splat([2, 1], 'float32', 2), b.splat([1, 3], 'float32', 3)], float(2, 3)),
      ['Expand [2] [2,1] -> 2x1', 'Expand [3] [1,3] -> 1x3', 'Mul v0 v1 -> 2x3'],
      ['Expand [6] [2,3] -> 2x3'],
    );
    expectPass(
      splats,
      (b) => b.node('Transpose', [splat(b, 2)], float(3, 2), { perm: [1, 0] }),
      ['Expand [2] [2,3] -> 2x3', 'Transpose v0 -> 3x2'],
      ['Expand [2] [3,2] -> 3x2'],
    );
  });
});

describe('the rule of transposes', () => {
  const turn = (b: GraphBuilder, ref: string, shape: number[], perm: number[]) =>
    b.node('Transpose', [ref], float(...shape), { perm });
  it('joins two, and drops those that undo each other', () => {
    expectPass(
      transposes,
      (b) => turn(b, turn(b, 'x', [3, 2], [1, 0]), [2, 3], [1, 0]),
      ['Transpose x -> 3x2', 'Transpose v0 -> 2x3'],
      [],
    );
    const twice = (b: GraphBuilder) => turn(b, turn(b, 'cube', [3, 4, 2], [1, 2, 0]), [4, 3, 2], [1, 0, 2]);
    expectPass(transposes, twice, ['Transpose cube -> 3x4x2', 'Transpose v0 -> 4x3x2'], ['Transpose cube -> 4x3x2']);
    expect(rewrite(build(twice), transposes).nodes[0]!.attributes).to.deep.equal({ perm: [2, 1, 0] });
  });
  it('copies nothing to move a dimension of size 1', () => {
    expectPass(transposes, (b) => turn(b, 'z', [1, 2], [1, 0]), ['Transpose z -> 1x2'], ['Reshape z [1,2] -> 1x2']);
    expectLeft(transposes, (b) => turn(b, 'x', [3, 2], [1, 0]), ['Transpose x -> 3x2']);
  });
});

describe('the rule of reshapes', () => {
  it('joins two, and drops one that changes nothing', () => {
    const twice = (...shape: number[]) => (b: GraphBuilder) => reshape(b, reshape(b, 'x', 6), ...shape);
    expectPass(reshapes, twice(3, 2), ['Reshape x [6] -> 6', 'Reshape v0 [3,2] -> 3x2'], ['Reshape x [3,2] -> 3x2']);
    expectPass(reshapes, twice(2, 3), ['Reshape x [6] -> 6', 'Reshape v0 [2,3] -> 2x3'], []);
  });
  it('leaves the rows of a matrix alone beside a vector that was a matrix of one row', () => {
    const make = (b: GraphBuilder) => {
      b.input('row', float(1, 3));
      return b.node('Sub', ['x', reshape(b, 'row', 3)], float(2, 3));
    };
    expectLeft(reshapes, make, ['Reshape row [3] -> 3', 'Sub x v0 -> 2x3']);
  });

  it('leaves two vectors alone that were matrices of one row', () => {
    const make = (b: GraphBuilder) => {
      b.input('row', float(1, 3));
      return b.node('Sub', [reshape(b, 'row', 3), b.node('Neg', [reshape(b, 'row', 3)], float(3))], float(3));
    };
    expectLeft(reshapes, make, ['Reshape row [3] -> 3', 'Neg v0 -> 3', 'Sub v0 v1 -> 3']);
  });

  it('sinks below an addition, so that it can join a product', () => {
    expectPass(
      reshapes,
      (b) => b.node('Add', [reshape(b, 'x', 1, 2, 3), reshape(b, 'y', 1, 2, 3)], float(1, 2, 3)),
      ['Reshape x [1,2,3] -> 1x2x3', 'Reshape y [1,2,3] -> 1x2x3', 'Add v0 v1 -> 1x2x3'],
      ['Add x y -> 2x3', 'Reshape v2 [1,2,3] -> 1x2x3'],
    );
  });
  it('sinks below what broadcasts along the last axis', () => {
    expectPass(
      reshapes,
      (b) => b.node('Mul', [reshape(b, 'x', 1, 2, 3), reshape(b, 'z', 1, 2, 1)], float(1, 2, 3)),
      ['Reshape x [1,2,3] -> 1x2x3', 'Reshape z [1,2,1] -> 1x2x1', 'Mul v0 v1 -> 1x2x3'],
      ['Mul x z -> 2x3', 'Reshape v2 [1,2,3] -> 1x2x3'],
    );
    expectPass(
      reshapes,
      (b) => b.node('ReduceMean', [reshape(b, 'x', 1, 2, 3), b.ints([2])], float(1, 2, 1), { keepdims: 1 }),
      ['Reshape x [1,2,3] -> 1x2x3', 'ReduceMean v0 [2] -> 1x2x1'],
      ['ReduceMean x [1] -> 2x1', 'Reshape v1 [1,2,1] -> 1x2x1'],
    );
  });
  it('stays above what works across the rows', () => {
    expectLeft(
      reshapes,
      (b) => b.node('ReduceMean', [reshape(b, 'x', 1, 2, 3), b.ints([1])], float(1, 1, 3), { keepdims: 1 }),
      ['Reshape x [1,2,3] -> 1x2x3', 'ReduceMean v0 [1] -> 1x1x3'],
    );
    const repeated = (b: GraphBuilder) => b.node('Add', [reshape(b, 'rows', 2, 3), 'z'], float(2, 3));
    expectLeft(reshapes, repeated, ['Reshape rows [2,3] -> 2x3', 'Add v0 z -> 2x3']);
  });
});

describe('all rules together', () => {
  for (const [name, cases] of Object.entries({ PRODUCT, SHAPE, FUSED })) {
    it(`change no result of the cases in ${name}`, async () => {
      const { definition, feeds } = programOf(name, cases, () => undefined);
      const { graph } = record(definition, 'cpu');
      const small = optimise(graph, 'cpu');
      expect(small.nodes.length).to.be.below(graph.nodes.length);
      const [plain, quick] = [await evaluate(graph, definition.inputs, feeds), await evaluate(small, definition.inputs, feeds)];
      for (const [output, values] of Object.entries(plain)) {
        values.forEach((value, i) => {
          if (Number.isNaN(value)) expect(quick[output]![i]).to.be.NaN;
          else expect(quick[output]![i], `${output}, element ${i}`).to.be.closeTo(value, 1e-5 * (1 + Math.abs(value)));
        });
      }
    });
  }
});
