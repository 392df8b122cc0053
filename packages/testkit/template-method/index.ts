import { type Adapter, type Arrays, clone, type Learner, type LearnerState, type Method, type MethodHost, type Scope, type Site, type TaskView } from '@lethe/core';
import { type Start, loraAdapter, loraArrays, loraDelta, loraNames, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

/** The options of plugin.json; they arrive checked against it, with defaults filled in. */
interface Options {
  readonly strength: number;
  readonly start: Start;
}

const anchorOf = (name: string) => `anchor.${name}`;

/**
 * One low-rank adapter (Hu et al. 2021, arXiv 2106.09685) through all tasks. From the second task on a spring holds it where the
 * task before left it:
 *   L = L_task + strength * sum_i (theta_i - theta*_i)^2.
 */
class TemplateMethod implements Learner {
  /**
   * What the optimizer updates: A (site.in, rank) and B (rank, site.out) for each site. The harness writes the new values into
   * these very arrays when a task is learned. They are plain arrays, so there is nothing to dispose of.
   */
  trainable: Arrays;
  /** What `adapt` and `penalty` read beside them: theta*, once a task has ended. Nobody changes it while a task is learned. */
  frozen: Arrays = {};

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {
    // The host lends what several methods need: sites, rank, gradients over training rows, pooled features, and randomness, which
    // is forked by purpose so that a run can be continued: never draw from Math.random, nor from host.random itself.
    this.trainable = loraArrays(host.sites, host.rank, host.random.fork('init'));
  }

  /**
   * Before a task. A method that grows makes its new arrays here, and puts old ones from `trainable` into `frozen`. Rivals may begin on what a
   * task's inputs hold most of; so may this one, and `search` in plugin.json has `lethe tune` try both.
   */
  async begin(task: TaskView): Promise<void> {
    if (task.index === 1) this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
  }

  /**
   * Added to the output of a site: x is (batch, tokens, site.in), the result (batch, tokens, site.out). It is traced once and
   * compiled, so it reads arrays from `params`, never from `this`; it may branch on structure, never on values; and it treats
   * every row alike, whatever its neighbours are. It does not know the task.
   */
  adapt(site: Site, x: tf.Tensor3D, { params }: Scope): tf.Tensor3D {
    const { a, b } = loraNames(site);
    return loraDelta(x, params[a]!, params[b]!, this.host.scale); // scale (x A) B
  }

  /** Added to the loss while a task is learned; null where there is nothing to add. Traced like `adapt`. */
  penalty({ params }: Scope): tf.Scalar | null {
    const held = Object.keys(this.trainable).filter((name) => anchorOf(name) in this.frozen);
    if (held.length === 0) return null;
    const distances = held.map((name) => params[name]!.sub(params[anchorOf(name)]!).square().sum<tf.Scalar>());
    return tf.addN(distances).mul(this.options.strength);
  }

  /** After a task: consolidate. Copy what is to stay: the arrays themselves go on training. */
  end(): void {
    this.frozen = Object.fromEntries(Object.entries(this.trainable).map(([name, array]) => [anchorOf(name), clone(array)]));
  }

  /** What the learner adds to the model, to be used elsewhere (`lethe export`). A method with a gate, or whose update depends on the input, leaves this out. */
  adapter(): Adapter {
    return loraAdapter(this.host.sites, this.trainable, this.host.scale);
  }

  /**
   * All that a later task needs. Their bytes are counted and shown, so arrays belong into `trainable`, `frozen` or (where no traced
   * function reads them) `stored`, and `json` is for counters and names.
   */
  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
  }
}

const method: Method = { create: (host, options) => new TemplateMethod(host, options as unknown as Options) };
export default method;
