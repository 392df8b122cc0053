import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { RULES, checkMethod } from '../src/index.js';
import { KeepsAndAsks } from './faults/declared.js';
import { FAULTS, THROWS } from './faults/index.js';
import { SoundPrompts } from './faults/prompts.js';
import { Idle, Sound, tested } from './faults/sound.js';

describe('conformance suite', () => {
  it('finds nothing wrong with a sound method', async () => {
    const verdicts = await checkMethod(tested(Sound));
    expect(verdicts.map(({ rule, status }) => `${rule.id} ${status}`)).to.deep.equal(RULES.map(({ id }) => `${id} kept`));
  });

  it('finds nothing wrong with a sound method of virtual tokens', async () => {
    const verdicts = await checkMethod(tested(SoundPrompts, { growth: 'linear' }));
    expect(verdicts.map(({ rule, status }) => `${rule.id} ${status}`)).to.deep.equal(RULES.map(({ id }) => `${id} kept`));
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

  it('does not take a method that trains nothing for one that learns', async () => {
    const open = (await checkMethod(tested(Idle))).filter(({ status }) => status !== 'kept');
    expect(open.map(({ rule, status }) => [rule.id, status])).to.deep.equal([['learns', 'not-checked'], ['gradients', 'not-checked']]);
  });

  it('does not check what a manifest admits', async () => {
    const admitted = await checkMethod(tested(KeepsAndAsks, { rehearsal: true, taskIdentity: true, bound: true, growth: 'linear' }));
    const open = admitted.filter(({ status }) => status === 'not-checked').map(({ rule }) => rule.id);
    expect(open).to.deep.equal(['task-blind', 'rehearsal']);
  });
});
