import { type Arrays, type Learner, LetheError, type NdArray, type Scope, type Site } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { readFileSync } from 'node:fs';

interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface Content {
  readonly arrays: Readonly<Record<string, Numbers>>;
  readonly expected: Readonly<Record<string, Numbers>>;
}

/**
 * What another library computes from given arrays, to compare a method with: a JSON file whose `arrays` are given and whose
 * `expected` is computed from them, both by name as `{shape, data}`, row-major. What else it holds are its `values`.
 */
export class Fixture {
  private readonly content: Content;
  readonly values: Readonly<Record<string, unknown>>;

  constructor(file: URL) {
    const { arrays, expected, ...values } = JSON.parse(readFileSync(file, 'utf8')) as Content & Record<string, unknown>;
    this.content = { arrays, expected };
    this.values = values;
  }

  /** The given arrays whose names begin with a prefix, by the rest of their names. */
  arrays(prefix: string): Arrays {
    const found = Object.entries(this.content.arrays).filter(([name]) => name.startsWith(prefix));
    return Object.fromEntries(found.map(([name, array]) => [name.slice(prefix.length), dense(array)]));
  }

  /** @throws RangeError where there is none of this name */
  array(name: string): NdArray {
    return dense(known(this.content.arrays, name));
  }

  tensor(name: string): tf.Tensor {
    const { shape, data } = known(this.content.arrays, name);
    return tf.tensor([...data], [...shape]);
  }

  /**
   * Compares numbers with the expected array of a name, entry by entry.
   *
   * @param tolerance largest difference, relative to numbers above 1
   */
  check(name: string, actual: ArrayLike<number>, tolerance = 1e-5): void {
    const { data } = known(this.content.expected, name);
    expect(actual.length, name).to.equal(data.length);
    data.forEach((v, i) => expect(actual[i], `${name}[${i}]`).to.be.closeTo(v, tolerance * Math.max(1, Math.abs(v))));
  }

  /**
   * Compares what a learner adds to every site (`delta.SITE` of the given `x.SITE`) and the gradients (`gradient.NAME`) by some of its
   * arrays, of the sum of what it adds times the given `weight.SITE`, and of its penalty.
   *
   * @param arrays all that it reads
   * @param names of those that are differentiated by
   * @param tolerance of the gradients, as in {@link check}
   * @returns that sum with the penalty, and the penalty alone
   */
  checkLearner(
    learner: Learner, sites: readonly Site[], arrays: Arrays, names: readonly string[], { features, tolerance }: { features?: tf.Tensor2D; tolerance?: number } = {},
  ): { total: number; penalty: number } {
    const termsAt = (...at: tf.Tensor[]) => {
      const { params, ...scope } = Fixture.scope(arrays, features);
      const now = { ...scope, params: { ...params, ...Object.fromEntries(at.map((t, i) => [names[i]!, t])) } };
      const deltas = sites.map((site) => learner.adapt(site, this.tensor(`x.${site.name}`) as tf.Tensor3D, now)!);
      const penalty = learner.penalty!(now)!;
      const total = tf.addN([...deltas.map((delta, i) => delta.mul(this.tensor(`weight.${sites[i]!.name}`)).sum<tf.Scalar>()), penalty]);
      return { deltas, penalty, total };
    };
    const { deltas, penalty, total } = termsAt();
    sites.forEach(({ name }, i) => this.check(`delta.${name}`, deltas[i]!.dataSync()));
    const { params } = Fixture.scope(arrays);
    const gradients = tf.grads((...at) => termsAt(...at).total)(names.map((name) => params[name]!));
    gradients.forEach((g, i) => this.check(`gradient.${names[i]!}`, g.dataSync(), tolerance));
    return { total: total.dataSync()[0]!, penalty: penalty.dataSync()[0]! };
  }

  /**
   * A scope outside of any model, which holds arrays and, where they are given, pooled features.
   *
   * @param layers what sites give by themselves, for a method that asks: the matrix of each by the name of its site, and its bias, where it has one, as `SITE.bias`
   */
  static scope(arrays: Arrays, features?: tf.Tensor2D, layers: Arrays = {}): Scope {
    const made = new Map<string, unknown>();
    const absent = (): never => { throw new LetheError('LETHE_METHOD_FAILED', 'There is no batch of a model in a fixture.'); };
    const layer = <T extends tf.Tensor>(name: string): T | null => {
      const array = layers[name];
      return array ? tf.tensor(array.data, [...array.shape]) as T : null;
    };
    return {
      params: Object.fromEntries(Object.entries(arrays).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])])),
      training: true,
      batch: features?.shape[0] ?? 0,
      features: () => features ?? absent(),
      weight: ({ name }) => layer<tf.Tensor2D>(name) ?? absent(),
      bias: ({ name }) => layer<tf.Tensor1D>(`${name}.bias`),
      once<T>(key: string, make: () => T): T {
        if (!made.has(key)) made.set(key, make());
        return made.get(key) as T;
      },
      task: absent,
      predictions: absent,
    };
  }
}

function dense({ shape, data }: Numbers): NdArray {
  return { shape, data: Float32Array.from(data) };
}

function known(arrays: Readonly<Record<string, Numbers>>, name: string): Numbers {
  const found = arrays[name];
  if (!found) throw new RangeError(`the fixture has no array "${name}"; there are ${Object.keys(arrays).join(', ')}`);
  return found;
}
