import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { openDevice } from '../src/index.js';
import { FAMILIES } from '../src/kernels/index.js';
import { TRACE_BACKEND } from '../src/trace.js';
import type { Case } from './cases/case.js';
import { CASES } from './cases/index.js';
import { differences } from './compare.js';
import { openInstalled } from './installed.js';

describe('kernels', () => {
  const configs = Object.values(FAMILIES)
    .flatMap((family) => Object.keys(family))
    .map((name) => tf.getKernel(name, TRACE_BACKEND)!);
  const originals = configs.map(({ kernelFunc }) => kernelFunc);
  /** The kernels that each case called while it was traced. */
  const called = new Map<Case, Set<string>>();
  let current = new Set<string>();
  before(() =>
    configs.forEach((config, i) => {
      config.kernelFunc = (parameters) => {
        current.add(config.kernelName);
        return originals[i]!(parameters);
      };
    }),
  );
  after(() =>
    configs.forEach((config, i) => {
      config.kernelFunc = originals[i]!;
    }),
  );

  for (const [family, cases] of Object.entries(CASES)) {
    it(`of family ${family} compute what the plain backend computes, and so do the gradients (${cases.length} cases)`, async () => {
      const [cpu, plain] = [await openDevice({ name: 'cpu' }), await openDevice({ name: 'tfjs-cpu' })];
      const follow = (one: Case) => called.set(one, (current = called.get(one) ?? new Set()));
      expect(await differences(family, cases, cpu, plain, 2e-5, follow)).to.deep.equal([]);
      await cpu.dispose();
    });

    it(`of family ${family} all have cases, which call them`, () => {
      for (const kernel of Object.keys(FAMILIES[family]!))
        expect(
          cases.map((one) => one.kernel),
          family,
        ).to.include(kernel);
      for (const one of cases) expect([...called.get(one)!], JSON.stringify(one.inputs)).to.include(one.kernel);
    });
  }

  it('come in families that are all tested', () => expect(Object.keys(CASES)).to.have.members(Object.keys(FAMILIES)));
});

describe('kernels of TensorFlow itself', () => {
  for (const name of ['tfjs-node', 'tfjs-node-gpu']) {
    it(`compute on ${name} what the plain backend computes, and so do the gradients`, async function () {
      const [native, plain] = [await openInstalled(this, name), await openDevice({ name: 'tfjs-cpu' })];
      for (const [family, cases] of Object.entries(CASES)) {
        expect(await differences(family, cases, native, plain, 2e-5)).to.deep.equal([]);
      }
    });
  }
});
