import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { openDevice } from '../src/index.js';
import { FAMILIES } from '../src/kernels/index.js';
import { TRACE_BACKEND } from '../src/trace.js';
import { type Case, programOf } from './cases/case.js';
import { ARITHMETIC, COMPARISON, UNARY } from './cases/pointwise.js';
import { CREATION, FUSED, INDEXING, PRODUCT, REDUCTION, SHAPE } from './cases/structural.js';

const CASES: Readonly<Record<string, readonly Case[]>> = {
  arithmetic: ARITHMETIC, comparison: COMPARISON, unary: UNARY, reduction: REDUCTION, product: PRODUCT, shape: SHAPE,
  indexing: INDEXING, creation: CREATION, fused: FUSED,
};

describe('kernels', () => {
  const configs = Object.values(FAMILIES).flatMap((family) => Object.keys(family)).map((name) => tf.getKernel(name, TRACE_BACKEND)!);
  const originals = configs.map(({ kernelFunc }) => kernelFunc);
  /** The kernels that each case called while it was traced. */
  const called = new Map<Case, Set<string>>();
  let current = new Set<string>();
  before(() => configs.forEach((config, i) => {
    config.kernelFunc = (parameters) => {
      current.add(config.kernelName);
      return originals[i]!(parameters);
    };
  }));
  after(() => configs.forEach((config, i) => { config.kernelFunc = originals[i]!; }));

  for (const [family, cases] of Object.entries(CASES)) {
    it(`of family ${family} compute what the plain backend computes, and so do the gradients (${cases.length} cases)`, async () => {
      const { definition, feeds } = programOf(family, cases, (one) => called.set(one, (current = called.get(one) ?? new Set())));
      const [cpu, plain] = [await openDevice({ name: 'cpu' }), await openDevice({ name: 'tfjs-cpu' })];
      const [a, b] = [await cpu.compile(definition), await plain.compile(definition)];
      expect(a.outputs).to.deep.equal(b.outputs);
      const [got, wanted] = [await a.run(feeds), await b.run(feeds)];
      for (const [name, values] of Object.entries(wanted)) {
        const one = cases[Number.parseInt(name, 10)]!;
        const label = `output ${name}: ${one.kernel} of ${JSON.stringify(one.inputs)}`;
        expect(got[name]!.length, label).to.equal(values.length);
        values.forEach((value, i) => {
          const mine = got[name]![i]!;
          if (Object.is(mine, value) || (Number.isNaN(mine) && Number.isNaN(value))) return;
          expect(mine, `${label}, element ${i}`).to.be.closeTo(value, 2e-5 * (1 + Math.abs(value)));
        });
      }
      await cpu.dispose();
    });

    it(`of family ${family} all have cases, which call them`, () => {
      for (const kernel of Object.keys(FAMILIES[family]!)) expect(cases.map((one) => one.kernel), family).to.include(kernel);
      for (const one of cases) expect([...called.get(one)!], JSON.stringify(one.inputs)).to.include(one.kernel);
    });
  }

  it('come in families that are all tested', () => expect(Object.keys(CASES)).to.have.members(Object.keys(FAMILIES)));
});
