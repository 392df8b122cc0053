import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { RULES, checkMethod } from '../src/index.js';
import { StraightThrough, WaitsForNothing } from './faults/behaviour.js';
import { FillsUp, KeepsAndAsks } from './faults/declared.js';
import { FAULTS, THROWS } from './faults/index.js';
import { SoundGradients } from './faults/gradients.js';
import { SoundPrompts } from './faults/prompts.js';
import { Shows } from './faults/shown.js';
import { Idle, Sound, tested } from './faults/sound.js';
import { SoundNoise } from './faults/steps.js';
import { WritesRows } from './faults/written.js';

describe('conformance suite', () => {
  it('finds nothing wrong with a sound method', async () => {
    const verdicts = await checkMethod(tested(Shows));
    expect(verdicts.map(({ rule, status }) => `${rule.id} ${status}`)).to.deep.equal(RULES.map(({ id }) => `${id} kept`));
  });

  it('finds nothing wrong with a sound method of virtual tokens', async () => {
    const verdicts = await checkMethod(tested(SoundPrompts, { growth: 'linear' }));
    expect(verdicts.map(({ rule, status }) => `${rule.id} ${status}`)).to.deep.equal(RULES.map(({ id }) => `${id} ${id === 'adapter' ? 'not-checked' : 'kept'}`));
  });

  for (const [what, sound, capabilities] of [
    ['changes gradients', SoundGradients, {}], ['has noise at every step', SoundNoise, {}], ['writes rows', WritesRows, { pseudoRehearsal: true }],
  ] as const) {
    it(`finds nothing wrong with a sound method that ${what}`, async () => {
      const verdicts = await checkMethod(tested(sound, capabilities));
      expect(verdicts.map(({ rule, status }) => `${rule.id} ${status}`)).to.deep.equal(RULES.map(({ id }) => `${id} ${id === 'adapter' ? 'not-checked' : 'kept'}`));
    });
  }

  it('holds gradients that are others on purpose to nothing but that there are some', async () => {
    const of = async (method: typeof Sound) => (await checkMethod(tested(method))).filter(({ rule }) => rule.id === 'gradients');
    expect(await of(StraightThrough)).to.have.nested.property('[0].status', 'not-checked');
    expect(await of(class extends StraightThrough { override readonly surrogateGradients = undefined as never; })).to.have.nested.property('[0].status', 'broken');
  });

  for (const [id, fault, seen] of FAULTS) {
    it(`rejects "${fault.manifest.name}" by the rule "${id}" alone`, async () => {
      const verdicts = await checkMethod(fault);
      const broken = verdicts.flatMap((verdict) => (verdict.status === 'broken' ? [verdict] : []));
      expect(broken.map(({ rule, seen: what }) => `${rule.id}: ${what}`).join('\n')).to.match(new RegExp(`^${id}: [^\\n]*$`)).and.match(seen);
    });
  }

  it('has a planted fault for every rule', () => {
    expect([...new Set(FAULTS.map(([id]) => id))].sort()).to.deep.equal(RULES.map(({ id }) => id).sort());
  });

  it('tells of every rule in its README', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    expect([...readme.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, id]) => id)).to.deep.equal(RULES.map(({ id }) => id));
  });

  it('checks nothing else on a method that does not run, and says so', async () => {
    const [first, second, ...others] = await checkMethod(THROWS);
    expect([first!.status, second!.status]).to.deep.equal(['kept', 'broken']);
    for (const verdict of others) expect(verdict).to.include({ status: 'not-checked', why: 'the method breaks "runs"' });
  });

  const given = (members: object) => tested(class extends Sound {
    constructor(...args: ConstructorParameters<typeof Sound>) {
      super(...args);
      Object.assign(this, members);
    }
  });
  for (const [what, nonsense, sentence] of [
    ['no learner', { ...tested(Sound), method: { create: () => undefined as never } }, 'create gives undefined instead of a learner'],
    ['a promise of a learner', { ...tested(Sound), method: { create: (async () => ({})) as never } }, 'create gives a promise instead of a learner'],
    ['a learner that cannot end', given({ end: undefined }), 'the learner has no function "end": it is undefined'],
    ['no trainable arrays', given({ trainable: undefined }), 'trainable is undefined instead of arrays by name, {} where there are none'],
    ['a tensor for an array', given({ frozen: { a: tf.scalar(1) } }), 'frozen array "a" is a tensor instead of a plain array { shape, data }'],
    ['running arrays that nothing moves', given({ running: { a: { shape: [1], data: new Float32Array(1) } } }), 'there are running arrays, but no function "track" to give their next values'],
    ['doubles', given({ frozen: { a: { shape: [1], data: new Float64Array(1) } } }), 'frozen array "a" is no Float32Array'],
    ['an array without a shape', given({ frozen: { a: new Float32Array(1) } }), 'frozen array "a" has no shape: { shape, data } is wanted, and it is a Float32Array'],
    ['a number as delta', given({ adapt: () => 0.5 }), 'adapt gives a number (0.5) at layers.0.q instead of a tensor [16, 3, 6]'],
    ['no delta', given({ adapt: () => undefined }), 'adapt gives undefined at layers.0.q instead of a tensor, or null where nothing is added'],
    ['a number as penalty', given({ penalty: () => 1 }), 'penalty gives a number (1) instead of a scalar'],
    ['a penalty that is no function', given({ penalty: 1 }), '"penalty" of the learner is a number (1) instead of a function'],
    ['no prefix', given({ virtualTokens: 2, prefix: () => null }), 'prefix gives null instead of a tensor [16, 2, 8]'],
    ['no state', given({ save: () => undefined }), 'save gives undefined instead of { trainable, frozen, stored, json }'],
    ['a state without stored arrays', given({ save: () => ({ trainable: {}, frozen: {} }) }), 'saved stored is undefined instead of arrays by name, {} where there are none'],
    ['no gates', given({ gates: () => null }), 'gates gives null instead of { parts, open }'],
    ['no prompt', given({ prompt: () => undefined }), 'prompt gives undefined instead of a list of tokens'],
  ] as const) {
    it(`says what the contract asks for in the place of ${what}`, async () => {
      const broken = (await checkMethod(nonsense)).flatMap((verdict) => (verdict.status === 'broken' ? [[verdict.rule.id, verdict.seen]] : []));
      expect(broken).to.deep.equal([['runs', sentence]]);
    });
  }

  it('says what a method throws, and where', async () => {
    const [, { seen }] = (await checkMethod(THROWS)) as [unknown, { seen: string }];
    expect(seen).to.match(/^it throws Error: no penalty today, at .*behaviour\.ts:\d+$/);
  });

  it('says what fails in a promise that nobody waits for, and goes on', async () => {
    const others = process.listeners('unhandledRejection'); // mocha fails a test by one
    process.removeAllListeners('unhandledRejection');
    try {
      const [, { seen }] = (await checkMethod(tested(WaitsForNothing))) as [unknown, { seen: string }];
      expect(seen).to.match(/^it throws Error: too late, at .*behaviour\.ts:\d+ \(in a promise that nobody waits for/);
    } finally {
      for (const listener of others) process.on('unhandledRejection', listener);
    }
  });

  it('takes it for linear growth where the third of its tasks leaves nothing more to keep', async () => {
    const growth = (await checkMethod(tested(FillsUp, { growth: 'linear' }))).find(({ rule }) => rule.id === 'growth');
    expect(growth!.status).to.equal('kept');
  });

  it('does not take a method that trains nothing for one that learns', async () => {
    const open = (await checkMethod(tested(Idle))).filter(({ status }) => status !== 'kept');
    expect(open.map(({ rule, status }) => [rule.id, status])).to.deep.equal([['learns', 'not-checked'], ['gradients', 'not-checked'], ['adapter', 'not-checked']]);
  });

  it('does not check what a manifest admits', async () => {
    const admitted = await checkMethod(tested(KeepsAndAsks, { rehearsal: true, taskIdentity: true, bound: true, growth: 'linear' }));
    const open = admitted.filter(({ status }) => status === 'not-checked').map(({ rule }) => rule.id);
    expect(open).to.deep.equal(['task-blind', 'adapter', 'rehearsal']);
  });
});
