import { type Arrays, type Gates, LetheError, type Learner, type LearnerState, type Method, type MethodHost, type Scope } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly pool: number;
  readonly tokens: number;
  readonly chosen: number;
  readonly lambda: number;
  readonly gain: number;
}

/** Of the entries of a key at first. */
const KEY_DEVIATION = 0.1;
/** Keeps a vector of zeros from being divided by its norm. */
const TINY = 1e-12;

/** Which prompts the rows of a batch get. */
interface Choice {
  /** Their places in the pool, (batch, chosen) int32. */
  readonly places: tf.Tensor2D;
  /** Distances of their keys, (batch, chosen). */
  readonly distances: tf.Tensor2D;
}

/**
 * Learning to Prompt (Wang et al. 2022, arXiv 2112.08654): a pool of prompts P_1, ..., P_M, each (tokens, width), with keys k_i. A row
 * is asked for by its pooled features q(x), and the N prompts whose keys are nearest stand before its text x_e:
 *   x_p = [P_s1; ...; P_sN; x_e]                                                              (equation 2)
 *   {s_i} = argmin sum_i d(q(x), k_si),   d(q, k) = 1 - cos(q, k)                             (equation 3)
 *   L = L_task + lambda * sum_i d(q(x), k_si)                                                 (equation 5)
 * The choice has no gradient; keys are trained by the second term alone, which is a mean over rows. The optimizer sees prompts
 * divided by `gain`.
 */
class LearningToPrompt implements Learner {
  readonly frozen = {};
  /** `prompts` (pool, tokens * width) and `keys` (pool, featureSize). */
  trainable: Arrays = {};

  constructor(private readonly host: MethodHost, private readonly options: Options) {
    const { pool, chosen } = options;
    if (chosen > pool) {
      throw new LetheError('LETHE_METHOD_FAILED', `${chosen} prompts cannot be chosen of ${pool}.`, {
        where: 'l2p', remedy: `Set l2p.chosen to ${pool} or less.`,
      });
    }
  }

  get virtualTokens(): number {
    return this.options.chosen * this.options.tokens;
  }

  /** Makes the pool before the first task: prompts at the embeddings of tokens drawn from the vocabulary, keys in random directions. */
  async begin(): Promise<void> {
    if ('prompts' in this.trainable) return;
    const { pool, tokens, gain } = this.options;
    const { featureSize, width, random } = this.host;
    const { data } = await this.host.embeddings(pool * tokens, random.fork('prompts'));
    this.trainable = {
      prompts: { shape: [pool, tokens * width], data: data.map((value) => value / gain) },
      keys: { shape: [pool, featureSize], data: random.fork('keys').normals(pool * featureSize, KEY_DEVIATION) },
    };
  }

  prefix(scope: Scope): tf.Tensor3D {
    const { places } = this.choice(scope);
    const prompts = tf.gather(scope.params['prompts']!, places.flatten()).mul(this.options.gain); // (batch * chosen, tokens * width)
    return prompts.reshape([scope.batch, this.virtualTokens, this.host.width]);
  }

  adapt(): null {
    return null;
  }

  penalty(scope: Scope): tf.Scalar | null {
    const { lambda } = this.options;
    return lambda === 0 ? null : this.choice(scope).distances.sum(1).mean<tf.Scalar>().mul(lambda);
  }

  end(): void {}

  /** 1 for the prompts that a row gets. */
  gates(scope: Scope): Gates {
    const { pool } = this.options;
    const open = tf.oneHot(this.choice(scope).places, pool, 1, 0, 'float32').sum<tf.Tensor2D>(1); // (batch, chosen, pool) to (batch, pool)
    return { parts: Array.from({ length: pool }, (_, i) => `prompt ${i + 1}`), open };
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: {}, stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
  }

  private choice(scope: Scope): Choice {
    return scope.once('choice', () => {
      const cosines = tf.matMul(normed(scope.features()), normed(scope.params['keys'] as tf.Tensor2D), false, true); // (batch, pool)
      const { values, indices } = tf.topk(cosines, this.options.chosen);
      return { places: indices as tf.Tensor2D, distances: tf.sub(1, values) };
    });
  }
}

/** Rows divided by their norms. */
const normed = (x: tf.Tensor2D): tf.Tensor2D => x.div(x.square().sum(1, true).add(TINY).sqrt());

const method: Method = { create: (host, options) => new LearningToPrompt(host, options as unknown as Options) };
export default method;
