import type { Arrays, Learner, LearnerState, Method, MethodHost, NdArray, ReportTable, Scope, Site, TaskView } from '@lethe/core';
import { linear, loraArrays, loraBeside, loraJoined, loraOverlap } from '@lethe/core/tensor';
import * as tf from '@tensorflow/tfjs';
import { Gates } from './gate.js';

interface Options {
  readonly hidden: number;
  readonly threshold: number;
  readonly lambda: number;
  readonly rows: number;
}

const OLD = 'old';

/**
 * GainLoRA (Liang and Li 2025, arXiv 2505.15424), the form that builds on O-LoRA: a branch and a gate (gate.ts) a task, those of
 * earlier tasks frozen,
 *   delta(x) = scale * sum_t a_t(z) (x A_t) B_t,      L = L_task + lambda * sum_sites sum |A_old^T A|
 * with a_t in [0, 1) from the pooled features z of the prompt. What a branch adds to the answers of earlier tasks is bounded twice:
 * its gate is shut for them, and its input directions stay away from theirs.
 */
class GainLora implements Learner {
  /** `lora.SITE.A` and `lora.SITE.B` of the task at hand, and the updates of its gate. */
  trainable: Arrays = {};
  /** Earlier branches side by side under `old.`, and all gates under `gate.`. */
  frozen: Arrays = {};
  private task = 0;
  private readonly branches: Gates;

  constructor(
    private readonly host: MethodHost,
    private readonly options: Options,
  ) {
    this.branches = new Gates(host.featureSize, options.hidden, options.threshold);
  }

  async begin(task: TaskView): Promise<void> {
    const { sites, rank, random } = this.host;
    this.task = task.index;
    const old = task.index > 1 ? loraBeside(sites, this.frozen, this.trainable, OLD) : {};
    const gates = this.branches.added(this.gateArrays(), task.index, await this.features(task), random.fork('gate', task.index));
    this.frozen = { ...old, ...gates };
    this.trainable = { ...loraArrays(sites, rank, random.fork('init', task.index)), ...this.branches.updates() };
  }

  adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    const { a, b } = loraJoined(site, scope.params, OLD); // (in, rank * tasks), (rank * tasks, out)
    const openness = this.branches.openness(scope, this.task); // (batch, tasks)
    const perColumn = openness.expandDims(2).tile([1, 1, this.host.rank]).reshape([x.shape[0], 1, -1]); // (batch, 1, rank * tasks)
    return linear(linear(x, a).mul(perColumn).mul(this.host.scale), b);
  }

  penalty({ params }: Scope): tf.Scalar | null {
    if (this.options.lambda === 0) return null;
    const overlaps = this.host.sites.flatMap((site) => loraOverlap(site, params, OLD) ?? []);
    return overlaps.length > 0 ? tf.addN(overlaps).mul(this.options.lambda) : null;
  }

  async end(task: TaskView): Promise<void> {
    const gates = this.branches.ended(this.gateArrays(), this.trainable, await this.features(task));
    this.frozen = { ...this.frozen, ...gates };
    this.trainable = { ...this.trainable, ...this.branches.updates() };
  }

  save(): LearnerState {
    return { trainable: this.trainable, frozen: this.frozen, stored: {}, json: this.task };
  }

  restore(state: LearnerState): void {
    this.trainable = state.trainable;
    this.frozen = state.frozen;
    this.task = state.json as number;
  }

  /** How many directions each layer of the gates keeps for the tasks so far, of how many there are. */
  report(): readonly ReportTable[] {
    const layers = ['in', 'out', 'key'];
    return [{
      title: 'Directions that the gates keep', rows: { title: 'layer', names: layers }, columns: { title: 'directions', names: ['kept', 'of'] },
      cells: layers.map((layer) => this.frozen[`gate.space.${layer}`]!.shape.toReversed()),
    }];
  }

  gates(scope: Scope): { parts: readonly string[]; open: tf.Tensor2D } {
    return { parts: Array.from({ length: this.task }, (_, t) => `branch ${t + 1}`), open: this.branches.openness(scope, this.task) };
  }

  private gateArrays(): Arrays {
    return Object.fromEntries(Object.entries(this.frozen).filter(([name]) => name.startsWith('gate.')));
  }

  private async features(task: TaskView): Promise<NdArray> {
    return this.host.features(task, this.options.rows);
  }
}

const method: Method = { create: (host, options) => new GainLora(host, options as unknown as Options) };
export default method;
