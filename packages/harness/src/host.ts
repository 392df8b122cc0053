import type { Arrays, Capabilities, GradientRequest, Learner, MethodHost, NdArray, Random, Row, Site, TaskView, TrainingBudget, WritingRequest, Written } from '@lethe/core';
import { Asked, LetheError, didYouMean, sizeOf } from '@lethe/core';
import { namedGradients, picked } from '@lethe/core/tensor';
import type { Device } from '@lethe/engine';
import type { LanguageModel } from '@lethe/model';
import type { Tensor2D } from '@tensorflow/tfjs';
import { batchInputs, batchOf, floats, taskFeeds, tokenInputs } from './batch.js';
import { Generator } from './generation/generator.js';
import { roomBehind } from './length.js';
import { type Forward, rowsAtOnce, taskLoss } from './loss.js';
import { inputMoments } from './moments.js';
import { overBatches } from './over-batches.js';
import { trainingShape } from './packing.js';
import { answerPredictions } from './predictions.js';
import { PARAMS, arrayFeeds, arrayInputs, arrayTensors, paramsOf, sitesOf } from './scope.js';

const FEATURE_BATCH = 16;
/** Texts that are written at once. */
const TEXT_BATCH = 16;

/** Gives methods their services, and knows which task's rows they may see now. */
export class Host implements MethodHost {
  readonly sites: readonly Site[];
  readonly rank: number;
  readonly scale: number;
  readonly featureSize: number;
  readonly width: number;
  readonly endOfText: number;
  readonly modelParameters: number;
  /** The learner whose arrays gradients are taken at; set once it is created. */
  learner: Learner | undefined;
  private shown: readonly Row[] | undefined;
  private readonly asked = new Asked();

  constructor(
    private readonly device: Device,
    private readonly model: LanguageModel,
    private readonly budget: TrainingBudget,
    readonly random: Random,
    private readonly capabilities: Capabilities,
    private readonly run: { readonly stop?: () => boolean; readonly microBatch?: number | undefined } = {},
  ) {
    this.sites = sitesOf(model, budget.sites);
    this.rank = budget.rank;
    this.scale = budget.alpha / budget.rank;
    this.featureSize = model.featureSize;
    this.width = model.config.hiddenSize;
    this.endOfText = model.tokenizer.endOfText;
    this.modelParameters = model.parameters;
  }

  get room(): number {
    return roomBehind(this.learner?.virtualTokens, this.budget, this.model);
  }

  /** Opens the rows of a task to the method, from `begin` to the end of `end`; undefined closes them. */
  show(rows: readonly Row[] | undefined): void {
    this.shown = rows;
  }

  /** Throws LETHE_METHOD_FAILED where the method did not wait for what it asked for in `begin` or `end`. */
  checkAwaited(): Promise<void> {
    return this.asked.check();
  }

  private visible(): readonly Row[] {
    if (this.shown) return this.shown;
    throw new LetheError('LETHE_METHOD_FAILED', 'A method asked for training rows outside of begin and end.', {
      remedy: 'Keep what you need of them in the learner.',
    });
  }

  rows(_task: TaskView): readonly Row[] {
    if (this.capabilities.rehearsal) return this.visible();
    throw new LetheError('LETHE_METHOD_CAPABILITY', 'A method asked for training rows to keep, which its manifest does not declare.', {
      remedy: 'Set "rehearsal" in the capabilities of its plugin.json, or do without rows.',
    });
  }

  async *gradients(task: TaskView, request: GradientRequest): AsyncIterable<Arrays> {
    const rows = this.visible();
    const learner = this.learner!;
    const told = this.capabilities.taskIdentity;
    const params = paramsOf(learner);
    for (const name of request.names) {
      if (!(name in params)) {
        throw new LetheError('LETHE_METHOD_FAILED', `There is no array "${name}" to differentiate by.${didYouMean(name, Object.keys(params))}`, {
          remedy: 'Name arrays that are in trainable or frozen when gradients are asked for.',
        });
      }
    }
    const drawn = this.random.fork('gradients', task.index).shuffle(rows).slice(0, request.rows);
    const { tokenizer } = this.model;
    const shape = trainingShape(tokenizer, drawn, drawn, request.batch);
    const outputs = overBatches(this.device, {
      name: 'gradients',
      inputs: { ...batchInputs(shape, true, told), ...arrayInputs(params, PARAMS) },
      constants: this.model.weights,
      compute: (inputs, weights) => {
        const tensors = arrayTensors(params, PARAMS, inputs);
        const loss = () => taskLoss(this.forward(), inputs, weights, tensors).loss;
        return namedGradients(loss, picked(tensors, request.names)).gradients;
      },
    }, tokenizer, drawn, shape, { ...taskFeeds(shape, task.index, told), ...arrayFeeds(params, PARAMS) });
    for await (const { out } of this.asked.each('host.gradients', outputs)) {
      yield Object.fromEntries(request.names.map((name): [string, NdArray] => [name, { shape: params[name]!.shape, data: floats(out[name]) }]));
    }
  }

  /** So many of the rows of the task, drawn by the seed: the first ones of a file that is sorted by label would be of one label. All of them as they stand. */
  private sample(task: TaskView, count: number): readonly Row[] {
    const rows = this.visible();
    return count < rows.length ? this.random.fork('sample', task.index).shuffle(rows).slice(0, count) : rows;
  }

  features(task: TaskView, rows: number): Promise<{ shape: readonly [number, number]; data: Float32Array }> {
    return this.asked.during('host.features', () => this.pooled(task, rows));
  }

  private async pooled(task: TaskView, rows: number): Promise<{ shape: readonly [number, number]; data: Float32Array }> {
    const chosen = this.sample(task, rows);
    const { tokenizer } = this.model;
    const shape = trainingShape(tokenizer, chosen, chosen, FEATURE_BATCH);
    const outputs = overBatches(this.device, {
      name: 'features',
      inputs: tokenInputs(shape),
      constants: this.model.weights,
      compute: (inputs, weights) => ({ features: this.model.features(batchOf(inputs), weights) }),
    }, tokenizer, chosen, shape);
    const size: readonly [number, number] = [chosen.length, this.featureSize];
    const data = new Float32Array(sizeOf(size));
    let at = 0;
    for await (const { rows: batch, out } of outputs) {
      const found = floats(out['features']).subarray(0, batch.length * this.featureSize);
      data.set(found, at);
      at += found.length;
    }
    return { shape: size, data };
  }

  predictions(task: TaskView, rows: readonly Row[]): Promise<readonly NdArray[]> {
    return this.asked.during('host.predictions', async () => {
      this.visible();
      return answerPredictions(this.device, this.forward(), rows, task.index);
    });
  }

  generate(task: TaskView, prompts: readonly (readonly number[])[], request: WritingRequest): Promise<readonly Written[]> {
    return this.asked.during('host.generate', () => this.written(task, prompts, request));
  }

  private async written({ index }: TaskView, prompts: readonly (readonly number[])[], { maxTokens, draw }: WritingRequest): Promise<readonly Written[]> {
    this.visible();
    const generator = new Generator(this.device, this.forward(), this.run.stop);
    try {
      const { random, ...sampling } = draw ?? {};
      const drawn = random && { temperature: 1, ...sampling, seed: random.below(2 ** 31) };
      const written = await generator.run(prompts, { maxTokens, batch: rowsAtOnce(this.forward(), TEXT_BATCH), ...drawn }, index);
      return written.map(({ tokens, end }) => ({ tokens, ended: end === 'end-of-text' }));
    } finally {
      await generator.dispose();
    }
  }

  embeddings(count: number, random: Random): Promise<NdArray> {
    return this.asked.during('host.embeddings', () => this.drawn(count, random));
  }

  private async drawn(count: number, random: Random): Promise<NdArray> {
    const { vocabSize } = this.model.config;
    const ids = Int32Array.from({ length: count }, () => random.below(vocabSize));
    const program = await this.device.compile({
      name: 'embeddings',
      inputs: { ids: { shape: [1, count], dtype: 'int32' } },
      constants: this.model.weights,
      compute: (inputs, weights) => ({ embeddings: this.model.embed(inputs['ids'] as Tensor2D, weights) }),
    });
    try {
      return { shape: [count, this.width], data: floats((await program.run({ ids }))['embeddings']) };
    } finally {
      await program.dispose();
    }
  }

  async weight({ name }: Site): Promise<NdArray> {
    const { shape, data } = this.model.weights[name]!;
    return { shape, data: floats(data).slice() }; // what the model computes with is not the method's to change
  }

  moments(task: TaskView, rows: number, sites?: readonly Site[]): Promise<Arrays> {
    return this.asked.during('host.moments', async () => inputMoments(this.device, this.forward(), this.sample(task, rows), task.index, sites));
  }

  /** What the forward passes of the run need, once the learner is there. */
  forward(): Forward {
    return { model: this.model, learner: this.learner!, sites: this.sites, told: this.capabilities.taskIdentity, dropout: this.budget.dropout, microBatch: this.run.microBatch };
  }
}
