import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, sizeOf } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { GraphBuilder } from '../src/graph/builder.js';
import { type Rule, rewrite } from '../src/graph/rewrite.js';
import { turned } from '../src/graph/rules/turned.js';
import { widening } from '../src/graph/rules/widening.js';
import { type Node, isHeld } from '../src/graph/types.js';
import { serialise } from '../src/onnx.js';
import type { Constant, ProgramDefinition, Stored, Values } from '../src/index.js';
import { openDevice } from '../src/index.js';

type Kind = Stored['dtype'];

/** Bits of numbers that all three types have: small multiples of a quarter. */
function encode(values: Float32Array, dtype: Kind): Uint8Array {
  const words = new Uint32Array(values.buffer);
  if (dtype === 'float32') return new Uint8Array(values.buffer);
  const half = (word: number) => ((word >>> 16) & 0x8000) | ((word & 0x7fffffff) === 0 ? 0 : ((word & 0x7fffffff) - 0x38000000) >>> 13);
  return new Uint8Array(Uint16Array.from(words, (word) => (dtype === 'bfloat16' ? word >>> 16 : half(word))).buffer);
}

const quarters = (name: string, size: number) => {
  const random = createRandom(3, name);
  return Float32Array.from({ length: size }, () => (random.below(17) - 8) / 4);
};

/** A constant in a file of its own, after 13 other bytes, so that no number is aligned. */
async function stored(folder: string, name: string, shape: readonly number[], dtype: Kind, transposed = false): Promise<Constant> {
  const data = quarters(name, sizeOf(shape));
  const [rows, columns] = shape as [number, number];
  const kept = transposed ? Float32Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!) : data;
  const bytes = encode(kept, dtype);
  await mkdir(join(folder, name));
  const file = join(folder, name, 'weights.bin');
  await writeFile(file, Buffer.concat([Buffer.alloc(13), bytes, Buffer.alloc(5)]));
  return { shape, dtype: 'float32', data, stored: { file, offset: 13, length: bytes.length, dtype, transposed } };
}

/** Rows of a table, a product, and the gradient of both sides' sum by x, which is a product with the transpose. */
const definition = (constants: Record<string, Constant>): ProgramDefinition => ({
  name: 'stored',
  inputs: { ids: { shape: [5], dtype: 'int32' }, shift: { shape: [5, 6], dtype: 'float32' } },
  constants,
  compute: ({ ids, shift }, { table, turned, gain }) => {
    const x = tf.mul(tf.add(tf.gather(table!, ids!), shift!), gain!);
    const loss = (at: tf.Tensor) => tf.sum(tf.square(tf.matMul(at as tf.Tensor2D, turned as tf.Tensor2D)));
    return { y: tf.matMul(x as tf.Tensor2D, turned as tf.Tensor2D), grad: tf.grad(loss)(x), scores: tf.matMul(x as tf.Tensor2D, table as tf.Tensor2D, false, true) };
  },
});
const feeds: Record<string, Values> = { ids: Int32Array.of(3, 0, 8, 3, 1), shift: quarters('shift', 30) };

describe('constants in files', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'lethe-stored-'))));
  afterEach(() => rm(folder, { recursive: true }));

  for (const dtype of ['float32', 'float16', 'bfloat16'] as const) {
    it(`give what those in memory give, as ${dtype}, transposed or not, in several folders`, async () => {
      const constants = {
        table: await stored(folder, 'table', [9, 6], dtype),
        turned: await stored(folder, 'turned', [6, 4], dtype, true),
        gain: await stored(folder, 'gain', [6], dtype),
      };
      const [cpu, plain] = [await openDevice({ name: 'cpu' }), await openDevice({ name: 'tfjs-cpu' })];
      const [found, expected] = [
        await (await cpu.compile(definition(constants))).run(feeds),
        await (await plain.compile(definition(constants))).run(feeds),
      ];
      for (const [name, values] of Object.entries(expected)) expect([...found[name]!], name).to.deep.equal([...values]);
      await cpu.dispose();
    });
  }

  it('go with constants in memory, of which no session has a copy', async () => {
    const [table, turned] = [await stored(folder, 'table', [9, 6], 'float32'), await stored(folder, 'turned', [6, 4], 'float16', true)];
    const wide = { shape: [6, 4000], dtype: 'float32', data: quarters('wide', 24_000) } as const;
    const constants = { table, turned, gain: { shape: [6], dtype: 'float32', data: quarters('gain', 6) } as Constant, wide };
    const mixed: ProgramDefinition = {
      ...definition(constants),
      compute: (inputs, given) => {
        const { y, grad, scores } = definition(constants).compute(inputs, given);
        const far = (at: tf.Tensor) => tf.sum(tf.square(tf.matMul(at as tf.Tensor2D, given['wide'] as tf.Tensor2D)));
        return { y: y!, grad: grad!, scores: scores!, far: far(grad!), back: tf.grad(far)(grad!) };
      },
    };
    const [cpu, plain] = [await openDevice({ name: 'cpu' }), await openDevice({ name: 'tfjs-cpu' })];
    const programs = [await cpu.compile(mixed), await cpu.compile(mixed)];
    const expected = await (await plain.compile(mixed)).run(feeds);
    for (const program of programs) {
      const found = await program.run(feeds);
      for (const [name, values] of Object.entries(expected)) values.forEach((value, i) => expect(found[name]![i], name).to.be.closeTo(value, 1e-6 * Math.abs(value)));
    }
    await cpu.dispose();
    const b = builderOf();
    const left = b.node('MatMul', ['x', b.constant(turned)], { shape: [5, 4], dtype: 'float32' });
    const graph = b.finish({ left, right: b.node('MatMul', ['x', b.constant(wide)], { shape: [5, 4000], dtype: 'float32' }) });
    const near = serialise(graph, { x: { shape: [5, 6], dtype: 'float32' } });
    expect(Object.values(near.given).map(({ data }) => data)).to.deep.equal([wide.data]);
    expect(near.bytes.length).to.be.below(1000);
    const far = serialise(graph, { x: { shape: [5, 6], dtype: 'float32' } }, true); // to where what is given travels with every run
    expect(far.given).to.deep.equal({});
    expect(far.bytes.length).to.be.above(96_000);
  });

  it('give the same where they are widened in parts', async () => {
    const [rows, columns] = [4200, 4096]; // 69 MB in 32 bits
    const drawn = quarters('table', 997);
    const [file, length] = [join(folder, 'head.bin'), 2 * rows * columns];
    await writeFile(file, Buffer.alloc(length, encode(drawn, 'bfloat16')));
    const table = { shape: [rows, columns], dtype: 'float32', data: new Float32Array(), stored: { file, offset: 0, length, dtype: 'bfloat16', transposed: false } } as const;
    const at = (row: number, column: number) => drawn[(row * columns + column) % 997]!;
    const device = await openDevice({ name: 'cpu' });
    const program = await device.compile({
      name: 'head',
      inputs: { x: { shape: [1, columns], dtype: 'float32' } },
      constants: { table },
      compute: ({ x }, { table: t }) => {
        const scores = tf.matMul(x as tf.Tensor2D, t as tf.Tensor2D, false, true);
        return { scores, back: tf.matMul(tf.mul(scores, 1 / 64) as tf.Tensor2D, t as tf.Tensor2D) };
      },
    });
    const x = quarters('x', columns);
    const { scores, back } = (await program.run({ x })) as Record<'scores' | 'back', Float32Array>;
    // multiples of a sixteenth, whose sums are exact in 32 bits; the first part ends after row 4095
    for (const row of [0, 1, 4095, 4096, 4199]) expect(scores[row], `row ${row}`).to.equal(x.reduce((sum, value, i) => sum + value * at(row, i), 0));
    const size = scores.reduce((sum, score) => sum + Math.abs(score / 64), 0);
    for (const column of [0, columns - 1]) {
      expect(back[column]).to.be.closeTo(scores.reduce((sum, score, row) => sum + (score / 64) * at(row, column), 0), 1e-6 * size);
    }
    await device.dispose();
  });

  it('may be larger than a model file can be, and lie behind 4 GB', async function () {
    if (process.platform !== 'linux') this.skip(); // elsewhere a file may take the room of what was never written
    const [rows, columns, offset] = [80_000, 8192, 4.5 * 2 ** 30]; // 2.6 GB
    const file = join(folder, 'huge.bin');
    const handle = await open(file, 'w');
    const last = quarters('row', columns);
    await handle.write(encode(last, 'float32'), 0, 4 * columns, offset + 4 * columns * (rows - 1));
    await handle.close();
    const stored = { file, offset, length: 4 * rows * columns, dtype: 'float32', transposed: false } as const;
    const device = await openDevice({ name: 'cpu' });
    const program = await device.compile({
      name: 'huge',
      inputs: { ids: { shape: [2], dtype: 'int32' } },
      constants: { table: { shape: [rows, columns], dtype: 'float32', data: new Float32Array(), stored } },
      compute: ({ ids }, { table }) => ({ picked: tf.gather(table!, ids!) }),
    });
    const { picked } = await program.run({ ids: Int32Array.of(0, rows - 1) });
    expect([...picked!]).to.deep.equal([...new Float32Array(columns), ...last]);
    await device.dispose();
  });

  it('are mapped: compiling and running copies no large weight', async function () {
    if (process.platform !== 'linux') this.skip(); // only Linux tells pages of files from others
    const held = async () => Number(/RssAnon:\s+(\d+)/.exec(await readFile('/proc/self/status', 'utf8'))![1]) / 1024;
    const size = 3072; // 36 MB
    const file = join(folder, 'large.bin');
    await writeFile(file, new Uint8Array(size * size * 4));
    const weight: Constant = {
      shape: [size, size],
      dtype: 'float32',
      get data(): Float32Array {
        throw new Error('a mapped constant was read');
      },
      stored: { file, offset: 0, length: size * size * 4, dtype: 'float32', transposed: true },
    };
    const device = await openDevice({ name: 'cpu' });
    const before = await held();
    const program = await device.compile({
      name: 'large',
      inputs: { x: { shape: [2, size], dtype: 'float32' } },
      constants: { weight },
      compute: ({ x }, { weight: w }) => {
        const loss = (at: tf.Tensor) => tf.sum(tf.square(tf.matMul(at as tf.Tensor2D, w as tf.Tensor2D)));
        return { grad: tf.grad(loss)(x!) };
      },
    });
    await program.run({ x: new Float32Array(2 * size).fill(1) });
    expect((await held()) - before).to.be.below(18);
    await device.dispose();
  });
});

const builderOf = () => {
  const builder = new GraphBuilder();
  builder.input('x', { shape: [5, 6], dtype: 'float32' });
  builder.input('ids', { shape: [5], dtype: 'int32' });
  return builder;
};
const weight = (shape: readonly number[], transposed: boolean, dtype: Kind = 'float16'): Constant => ({
  shape,
  dtype: 'float32',
  data: new Float32Array(),
  stored: { file: '/f', offset: 0, length: 0, dtype, transposed },
});
/** The operations before and after the rules. */
const ops = (builder: GraphBuilder, out: string, ...rules: Rule[]) => {
  const graph = builder.finish({ out });
  return [graph, rules.reduce(rewrite, graph)].map(({ nodes }) => nodes.map(({ op }) => op).join(' '));
};

describe('the rule of widening', () => {
  it('widens a weight after the other side is there', () => {
    const b = builderOf();
    const turned = b.constant(weight([6, 4], true));
    const [before, after] = ops(b, b.node('MatMul', ['x', turned], { shape: [5, 4], dtype: 'float32' }), widening);
    expect(before).to.equal('Cast Transpose MatMul');
    expect(after).to.equal('Shape Sub ReduceSum Expand Add Reshape Cast Transpose MatMul');
  });

  it('widens once for each product: one that is kept for the next would stay in memory', () => {
    const b = builderOf();
    const w = b.constant(weight([6, 6], false));
    const y = b.node('MatMul', ['x', w], { shape: [5, 6], dtype: 'float32' });
    const [before, after] = ops(b, b.node('MatMul', [y, w], { shape: [5, 6], dtype: 'float32' }), widening);
    expect(before!.match(/Cast/g)).to.have.length(1);
    expect(after!.match(/Cast/g)).to.have.length(2);
  });

  for (const [what, shape, turn, expected] of [
    ['of a transpose, side by side', [4, 5000], true, 'Cast Transpose MatMul Cast Transpose MatMul Concat'],
    ['of a matrix, added up', [5000, 4], false, 'Cast Slice MatMul Cast Slice MatMul Add'],
  ] as const) {
    it(`takes a matrix of more than 64 MB in parts, each after the product before it: ${what}`, () => {
      const b = builderOf();
      const w = b.constant({ ...weight([5000, 4000], false), stored: { ...weight([], false).stored!, offset: 7, length: 40e6 } });
      const side = turn ? b.node('Transpose', [w], { shape: [4000, 5000], dtype: 'float32' }, { perm: [1, 0] }) : w;
      b.input('left', { shape: [5, turn ? 4000 : 5000], dtype: 'float32' });
      const graph = rewrite(b.finish({ out: b.node('MatMul', ['left', side], { shape: [5, shape[1]], dtype: 'float32' }) }), widening);
      const products = graph.nodes.filter(({ op }) => op === 'MatMul');
      const after = (node: Node) => products.some(({ outputs }) => node.inputs[0] === outputs[0]);
      // what lets a part wait is on integers
      const shown = graph.nodes.filter((node) => /Cast|Transpose|Slice|MatMul|Concat/.test(node.op) || (node.op === 'Add' && after(node)));
      expect(shown.map(({ op }) => op).join(' ')).to.equal(expected);
      const constants = [...graph.initializers.values()].flatMap((each) => (isHeld(each) ? [] : [{ shape: each.shape, ...each.stored }]));
      expect(constants.map(({ shape: rows, offset, length }) => [rows, offset, length])).to.deep.equal([[[4194, 4000], 7, 33_552_000], [[806, 4000], 33_552_007, 6_448_000]]);
      expect(graph.nodes.filter(({ op }) => op === 'Shape').map(({ inputs }) => inputs[0])).to.deep.equal(['left', products[0]!.outputs[0]]);
    });
  }

  it('gathers rows before it widens them', () => {
    const b = builderOf();
    const rows = b.node('Gather', [b.constant(weight([9, 6], false)), 'ids'], { shape: [5, 6], dtype: 'float32' });
    expect(ops(b, rows, widening)).to.deep.equal(['Cast Gather', 'Gather Cast']);
  });

  it('leaves other products alone', () => {
    const b = builderOf();
    const other = b.literal([6, 2], 'float32', new Float32Array(12).fill(1, 3));
    const [before, after] = ops(b, b.node('MatMul', ['x', other], { shape: [5, 2], dtype: 'float32' }), widening, turned);
    expect(after).to.equal(before);
  });
});

describe('the rule of turned matrices', () => {
  const product = (b: GraphBuilder, w: Constant) => b.node('MatMul', ['x', b.constant(w)], { shape: [5, 4], dtype: 'float32' });

  it('reads a matrix as its file has it', () => {
    const b = builderOf();
    const graph = rewrite(b.finish({ out: product(b, weight([6, 4], true, 'float32')) }), turned);
    expect(graph.nodes.map(({ op, attributes }) => [op, attributes])).to.deep.equal([['Gemm', { transB: 1 }]]);
  });

  it('does so after the matrix was widened', () => {
    const b = builderOf();
    const [, after] = ops(b, product(b, weight([6, 4], true)), widening, turned);
    expect(after).to.equal('Shape Sub ReduceSum Expand Add Reshape Cast Gemm');
  });

  it('leaves matrices in memory to the runtime, which packs them', () => {
    const b = builderOf();
    const held = b.node('Transpose', [b.literal([4, 6], 'float32', new Float32Array(24).fill(1, 3))], { shape: [6, 4], dtype: 'float32' }, { perm: [1, 0] });
    const [before, after] = ops(b, b.node('MatMul', ['x', held], { shape: [5, 4], dtype: 'float32' }), turned);
    expect(after).to.equal(before);
  });
});
