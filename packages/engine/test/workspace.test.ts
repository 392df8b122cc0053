import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { GraphBuilder } from '../src/graph/builder.js';
import type { Value } from '../src/graph/types.js';
import { workspaceOf } from '../src/graph/workspace.js';
import { openDevice } from '../src/index.js';
import { takesArena } from '../src/sessions.js';

const float = (...shape: number[]): Value => ({ shape, dtype: 'float32' });

describe('workspaceOf', () => {
  const bytes = (make: (b: GraphBuilder) => string): number => {
    const builder = new GraphBuilder();
    builder.input('x', float(10));
    return workspaceOf(builder.finish({ out: make(builder) }));
  };
  const negative = (b: GraphBuilder, ref: string, size = 10) => b.node('Neg', [ref], float(size));

  it('counts what is made and still to be read', () => {
    expect(bytes((b) => negative(b, 'x'))).to.equal(40);
    expect(bytes((b) => b.node('Exp', [negative(b, 'x')], float(10)))).to.equal(80);
  });

  it('lets go of what is read for the last time', () => {
    expect(bytes((b) => b.node('Exp', [b.node('Log', [b.node('Sqrt', [negative(b, 'x')], float(10))], float(10))], float(10)))).to.equal(80);
  });

  it('keeps what is read later', () => {
    const early = (b: GraphBuilder) => b.node('Add', [b.node('Exp', [b.node('Log', [negative(b, 'x')], float(10))], float(10)), negative(b, 'x')], float(10));
    expect(bytes(early)).to.equal(120);
  });

  it('takes a reshape for the memory of what it reshapes', () => {
    expect(bytes((b) => b.node('Reshape', [negative(b, 'x'), b.ints([2, 5])], float(2, 5)))).to.equal(40);
  });

  it('counts outputs that nobody reads, and bytes by type', () => {
    expect(bytes((b) => b.nodeOf('TopK', ['x', b.ints([3])], [float(3), { shape: [3], dtype: 'int64' }])[0]!)).to.equal(36);
  });
});

describe('takesArena', () => {
  const MB = 2 ** 20;
  for (const [what, workspace, held, expected] of [
    ['a small program', 31, 0, false],
    ['a large one', 32, 0, true],
    ['the only one, however large', 4096, 0, true],
    ['one that fits beside the others', 56, 72, true],
    ['one that does not', 57, 72, false],
  ] as const) {
    it(`says ${expected ? 'yes' : 'no'} to ${what}`, () => expect(takesArena(workspace * MB, held * MB)).to.equal(expected));
  }
});

describe('a program with a large workspace', () => {
  it('holds the memory of a run for the next one', async function () {
    if (process.platform !== 'linux') this.skip(); // elsewhere faults are counted otherwise
    const size = 4 * 2 ** 20; // 16 MB a value
    const device = await openDevice({ name: 'cpu' });
    const program = await device.compile({
      name: 'large',
      inputs: { x: { shape: [2], dtype: 'float32' } },
      compute: ({ x }) => {
        const [a, b] = [tf.sin(tf.tile(x!, [size / 2])), tf.cos(tf.tile(x!, [size / 2]))];
        return { y: tf.sum(tf.add(tf.add(a, b), tf.mul(a, b))) };
      },
    });
    const x = Float32Array.of(1, 2);
    const { y: first } = await program.run({ x });
    const before = process.resourceUsage().minorPageFault;
    const { y: second } = await program.run({ x });
    const pages = (4 * size) / 4096;
    expect(process.resourceUsage().minorPageFault - before, 'pages asked for').to.be.below(pages);
    expect([...second!]).to.deep.equal([...first!]);
    await device.dispose();
  });
});
