import { type Arrays, LetheError, type Learner, type LearnerState, type Method, type MethodHost, type NdArray, type Scope, type Site, type TaskView } from '@lethe/core';
import { type Start, linear, loraArrays, loraNames, startAdapter } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly experts: number;
  readonly active: number;
  readonly balance: number;
  readonly start: Start;
}

/** Where a router starts: close to an even choice. */
const ROUTER_DEVIATION = 0.02;
const routerOf = (site: Site): string => `router.${site.name}`;

/** What a router makes of the tokens of one site. */
interface Routing {
  /** Affinities s, the softmax over all routed experts: (batch, tokens, experts). */
  readonly affinities: tf.Tensor3D;
  /** 1 where an expert was chosen for a token, 0 elsewhere: (batch, tokens, experts). */
  readonly chosen: tf.Tensor3D;
}

/**
 * A mixture of low-rank experts with a shared one, trained through all tasks, in the layout of DeepSeekMoE (Dai et al. 2024,
 * arXiv 2401.06066, equations 9 to 11) with adapters as experts:
 *   delta(x) = scale * ( x A_0 B_0 + sum_i g_i(x) x A_i B_i )
 *   g_i = s_i where s_i is among the `active` largest, else 0, normalised to a sum of 1;   s = softmax(x W)
 * A_i (in, r), B_i (r, out) with r = rank / (1 + experts), so that all experts together have the rank of one adapter. The
 * experts lie side by side in one A (in, rank) and B (rank, out), the shared one first. A load balance loss (equations 12 to 14)
 * keeps the router from choosing the same experts always:
 *   L = L_task + balance * mean_sites experts / active * sum_i f_i P_i
 * f_i is the share of tokens that choose expert i, P_i its mean affinity.
 */
class MoeLora implements Learner {
  readonly frozen = {};
  trainable: Arrays;
  /** Rank of one expert. */
  private readonly size: number;

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {
    const { experts, active } = options;
    this.size = Math.floor(host.rank / (1 + experts));
    if (this.size === 0 || active > experts) {
      throw new LetheError('LETHE_METHOD_FAILED',
        this.size === 0 ? `A rank of ${host.rank} cannot be shared by ${1 + experts} experts.` : `${active} of ${experts} experts cannot be active.`,
        { where: 'moe-lora', remedy: host.rank < 3
          ? 'Raise the rank of the training budget to 3 or more (--training rank=8): a shared expert and two others take one each.'
          : `Set moe-lora.experts to ${host.rank - 1} or less and moe-lora.active to no more than that.` });
    }
    const random = host.random.fork('init');
    const routers = host.sites.map((site): [string, NdArray] =>
      [routerOf(site), { shape: [site.in, experts], data: random.fork('router', site.name).normals(site.in * experts, ROUTER_DEVIATION) }]);
    this.trainable = { ...loraArrays(host.sites, this.size * (1 + experts), random), ...Object.fromEntries(routers) };
  }

  async begin(task: TaskView): Promise<void> {
    if (task.index === 1) this.trainable = await startAdapter(this.host, task, this.options.start, this.trainable);
  }

  adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    const { a, b } = loraNames(site);
    const { affinities, chosen } = this.routing(site, scope, x);
    const kept = affinities.mul<tf.Tensor3D>(chosen);
    const gates = kept.div<tf.Tensor3D>(kept.sum(2, true)); // (batch, tokens, experts)
    const [batch, tokens] = x.shape;
    const perColumn = tf.concat([tf.ones([batch, tokens, this.size]), linear(gates, this.columns())], 2); // (batch, tokens, rank)
    return linear(linear(x, scope.params[a]!).mul(perColumn).mul(this.host.scale), scope.params[b]!);
  }

  penalty(scope: Scope): tf.Scalar | null {
    const { balance, experts, active } = this.options;
    if (balance === 0) return null;
    const losses = this.host.sites.map((site) => {
      const { affinities, chosen } = this.routing(site, scope);
      const share = chosen.mean([0, 1]); // f (experts)
      const affinity = affinities.mean([0, 1]); // P (experts)
      return share.mul(affinity).sum<tf.Scalar>().mul<tf.Scalar>(experts / active);
    });
    return tf.addN(losses).mul(balance / losses.length);
  }

  end(): void {}

  save(): LearnerState {
    return { trainable: this.trainable, frozen: {}, stored: {}, json: null };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
  }

  /** The routing of a site in this forward pass: computed from `x` where the site adapts, found again without it by the penalty. */
  private routing(site: Site, scope: Scope, x?: tf.Tensor3D): Routing {
    return scope.once(routerOf(site), () => {
      const logits = linear(x!, scope.params[routerOf(site)]!); // (batch, tokens, experts)
      const least = tf.topk(logits, this.options.active).values.slice([0, 0, this.options.active - 1]); // (batch, tokens, 1)
      return { affinities: tf.softmax(logits), chosen: tf.greaterEqual(logits, least).cast('float32') as tf.Tensor3D };
    });
  }

  /** Repeats the gate of every expert for its columns: (experts, experts * size) of 1 and 0. */
  private columns(): tf.Tensor2D {
    const { experts } = this.options;
    return tf.tensor2d(Array.from({ length: experts }, (_, e) =>
      Array.from({ length: experts * this.size }, (__, column) => (Math.floor(column / this.size) === e ? 1 : 0))));
  }
}

const method: Method = { create: (host, options) => new MoeLora(host, options as unknown as Options) };
export default method;
