import { Fixture, ToyStream, describeMethod } from '@lethe/testkit';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';

// the defaults put 40 virtual tokens before the three of the small stream, which takes long and shows no more
describeMethod(import.meta.url, { options: { tokens: 2 } });

describe('l2p', () => {
  it('chooses prompts by their keys and pulls these towards the rows, as PyTorch does', async () => {
    const fixture = new Fixture(new URL('../../../test/fixtures/l2p/expected.json', import.meta.url));
    const { learner } = await ToyStream.open(import.meta.url, fixture.values['options'] as Record<string, unknown>);
    const scopeOf = (prompts: tf.Tensor, keys: tf.Tensor) => ({ ...Fixture.scope({}, fixture.tensor('z') as tf.Tensor2D), params: { prompts, keys } });
    const given = [fixture.tensor('prompts'), fixture.tensor('keys')] as const;
    const scope = scopeOf(...given);
    fixture.check('prefix', learner.prefix!(scope).dataSync());
    expect(learner.penalty!(scope)!.dataSync()[0]).to.be.closeTo(fixture.values['penalty'] as number, 1e-5);
    const total = (prompts: tf.Tensor, keys: tf.Tensor) => {
      const now = scopeOf(prompts, keys);
      return learner.prefix!(now).mul(fixture.tensor('weight')).sum<tf.Scalar>().add<tf.Scalar>(learner.penalty!(now)!);
    };
    const [prompts, keys] = tf.grads(total)([...given]) as [tf.Tensor, tf.Tensor];
    fixture.check('gradient.prompts', prompts.dataSync());
    fixture.check('gradient.keys', keys.dataSync());
  });

  it('begins at embeddings of the vocabulary, whatever the gain, and keeps its pool from task to task', async () => {
    const first = async (gain: number) => {
      const stream = await ToyStream.open(import.meta.url, { gain });
      await stream.begin(1);
      return { stream, values: stream.learner.trainable['prompts']!.data.map((value) => value * gain) };
    };
    const [{ stream, values }, { values: scaled }] = [await first(1), await first(8)];
    scaled.forEach((value, i) => expect(value).to.be.closeTo(values[i]!, 1e-5));
    const pool = stream.learner.trainable['prompts'];
    await stream.begin(2);
    expect(stream.learner.trainable['prompts']).to.equal(pool);
  });

  it('refuses to choose more prompts than there are', async () => {
    const error = await ToyStream.open(import.meta.url, { pool: 3 }).then(() => null, (e: unknown) => e as Error);
    expect(error).to.include({ code: 'LETHE_METHOD_FAILED' });
  });
});
