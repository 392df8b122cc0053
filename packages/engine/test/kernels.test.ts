import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { openDevice } from '../src/index.js';
import { FAMILIES } from '../src/kernels/index.js';
import { TRACE_BACKEND, record } from '../src/trace.js';
import { type Case, programOf } from './cases/case.js';
import { ARITHMETIC, COMPARISON, UNARY } from './cases/pointwise.js';
import { CREATION, FUSED, INDEXING, PRODUCT, REDUCTION, SHAPE } from './cases/structural.js';

const CASES: Readonly<Record<string, readonly Case[]>> = {
  arithmetic: ARITHMETIC, comparison: COMPARISON, unary: UNARY, reduction: REDUCTION, product: PRODUCT, shape: SHAPE,
  indexing: INDEXING, creation: CREATION, fused: FUSED,
};

/** Runs `work` with a function that gives the kernels called while a case is traced. */
function spying(work: (kernelsOf: (one: Case) => Set<string>) => void): void {
  let called = new Set<string>();
  const configs = Object.values(FAMILIES).flatMap((family) => Object.keys(family)).map((name) => tf.getKernel(name, TRACE_BACKEND)!);
  const originals = configs.map(({ kernelFunc }) => kernelFunc);
  configs.forEach((config, i) => {
    config.kernelFunc = (parameters) => {
      called.add(config.kernelName);
      return originals[i]!(parameters);
    };
  });
  try {
    work((one) => {
      called = new Set();
      record(programOf('spy', [one]).definition);
      return called;
    });
  } finally {
    configs.forEach((config, i) => { config.kernelFunc = originals[i]!; });
  }
}

describe('kernels', () => {
  for (const [family, cases] of Object.entries(CASES)) {
    it(`of family ${family} compute what the plain backend computes, and so do the gradients (${cases.length} cases)`, async () => {
      const { definition, feeds } = programOf(family, cases);
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
  }

  it('all have a case that calls them', () => spying((kernelsOf) => {
    for (const [family, kernels] of Object.entries(FAMILIES)) {
      for (const kernel of Object.keys(kernels)) {
        const cases = CASES[family]!.filter((one) => one.kernel === kernel);
        expect(cases, `${kernel} has no case in family ${family}`).not.to.have.length(0);
        cases.forEach((one, n) => expect(kernelsOf(one), `case ${n} of ${kernel}`).to.include(kernel));
      }
    }
  }));
});
