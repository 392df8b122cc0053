import { describeMethod, Fixture, ToyStream } from '@lethe/testkit';
import { expect } from 'chai';

describeMethod(import.meta.url);

describe('moe-lora', () => {
  it('mixes the shared expert with those that a token chooses, and balances their load, as PyTorch does', async () => {
    const fixture = new Fixture(new URL('../../../test/fixtures/moe-lora/expected.json', import.meta.url));
    const { learner, host } = await ToyStream.open(import.meta.url, fixture.values['options'] as Record<string, unknown>);
    const given = fixture.arrays('');
    const names = Object.keys(given).filter((name) => /^(lora|router)/.test(name));
    const { penalty } = fixture.checkLearner(learner, host.sites, given, names);
    expect(penalty).to.be.closeTo(fixture.values['penalty'] as number, 1e-5);
  });

  it('is of one size, whatever number of tasks it has learned', async () => {
    const stream = await ToyStream.open(import.meta.url);
    const shapes = () => Object.values(stream.learner.trainable).map(({ shape }) => shape);
    const first = shapes();
    for (const t of [1, 2, 3]) await stream.learn(t);
    expect(shapes()).to.deep.equal(first);
  });

  it('refuses more experts than the rank can be shared by', async () => {
    const error = await ToyStream.open(import.meta.url, { experts: 7 }).then(() => null, (e: unknown) => e as Error);
    expect(error).to.include({ code: 'LETHE_METHOD_FAILED' });
  });
});
