import type { Arrays, Tensors } from '@lethe/core';
import type { Device, Program, TensorSpec } from '@lethe/engine';
import type { BatchTensors, KeysValues, LanguageModel, Memory } from '@lethe/model';
import * as tf from '@tensorflow/tfjs';
import { type TokenShape, batchOf, tokenInputs } from '../batch.js';
import type { Forward } from '../loss.js';
import { PARAMS, adaptWith, arrayInputs, arrayTensors, createScope, withPrefix } from '../scope.js';


/** Names of what a layer remembers, among inputs and outputs: of the text that grows, and of the prompt that an encoder has read. */
export const memoryNames = (layer: number) => ({ keys: `keys.${layer}`, values: `values.${layer}` });
const sourceNames = (layer: number) => ({ keys: `source.keys.${layer}`, values: `source.values.${layer}` });
type Names = ReturnType<typeof memoryNames>;

/** What all layers remember, among the inputs of a step. */
function recalled({ config }: LanguageModel, namesOf: (layer: number) => Names, inputs: Tensors): KeysValues[] {
  return Array.from({ length: config.layers }, (_, layer) => {
    const { keys, values } = namesOf(layer);
    return { keys: inputs[keys] as tf.Tensor4D, values: inputs[values] as tf.Tensor4D };
  });
}

/** The input `task` of programs whose learner is told: (batch). */
const taskInput = ({ told }: Forward, batch: number): Record<string, TensorSpec> => (told ? { task: { shape: [batch], dtype: 'int32' } } : {});

/** What both programs are compiled for. */
export interface Generation {
  readonly device: Device;
  readonly forward: Forward;
  /** All arrays of the learner. */
  readonly params: Arrays;
  /** Told, when a program is traced, whether the learner added anything. */
  readonly onTrace: (adapted: boolean) => void;
}

interface PassInputs {
  readonly batch: BatchTensors;
  readonly weights: Tensors;
  readonly inputs: Tensors;
  /** Gives the features of the prompts, where the learner asks for them. */
  readonly features: () => tf.Tensor2D;
  readonly past?: Pick<Memory, 'past' | 'source'>;
}

/** Traced. The batch of a step, whose encoder has read so many virtual tokens before its prompts. */
function behindRead(batch: BatchTensors, virtual: number): BatchTensors {
  const { source, ids: { shape: [rows] } } = batch;
  if (!source || virtual === 0) return batch;
  return { ...batch, source: { ...source, segments: tf.concat([tf.ones([rows, virtual], 'int32'), source.segments], 1) } };
}

/** Traced. Scores of the next token, (batch, vocabulary), and what every layer is to remember of the batch's tokens. */
function next({ forward: { model, learner, sites }, params, onTrace }: Generation, { batch, weights, inputs, features, past }: PassInputs): Tensors {
  const scope = createScope({
    params: arrayTensors(params, PARAMS, inputs), training: false, batch: batch.ids.shape[0], features, weights, task: inputs['task'] as tf.Tensor1D | undefined,
  });
  const kept: Record<string, tf.Tensor> = {};
  const keep = (names: Names, { keys, values }: KeysValues) => {
    kept[names.keys] = keys;
    kept[names.values] = values;
  };
  const memory: Memory = {
    ...past,
    keep: (layer, own) => keep(memoryNames(layer), own),
    keepSource: (layer, own) => keep(sourceNames(layer), own),
  };
  let adapted = Boolean(learner.virtualTokens);
  // what stands before the text is read with it, and remembered afterwards
  const whole = past ? behindRead(batch, learner.virtualTokens ?? 0) : withPrefix(learner, scope, batch, model.config.hiddenSize);
  const states = model.hidden(whole, weights, adaptWith(learner, sites, scope, () => { adapted = true; }), memory);
  onTrace(adapted);
  return { logits: model.logits(states, weights), ...kept };
}

/**
 * Compiles the pass over prompts. Inputs are the tokens of a batch and `last`, (batch, 1): the flat position of the last token that
 * stands before the answer. Outputs are `logits`, (batch, vocabulary), of the first token of the answer; keys and values of every layer,
 * (batch, keyValueHeads, virtual and other tokens, headSize), of an encoder-decoder also those of the prompt; and `features`, (batch,
 * featureSize), where the learner asks for them.
 */
export function compilePrompt(generation: Generation, shape: TokenShape): Promise<Program> {
  const { device, forward, params } = generation;
  const { model } = forward;
  return device.compile({
    name: 'read-prompt',
    inputs: {
      ...tokenInputs(shape), last: { shape: [shape.batch, 1], dtype: 'int32' },
      ...taskInput(forward, shape.batch), ...arrayInputs(params, PARAMS),
    },
    constants: model.weights,
    compute: (inputs, weights) => {
      const prompts = { ...batchOf(inputs), wanted: inputs['last'] as tf.Tensor2D };
      let asked: tf.Tensor2D | undefined;
      const features = () => (asked ??= model.features(prompts, weights));
      const outputs = next(generation, { batch: prompts, weights, inputs, features });
      return asked ? { ...outputs, features: asked } : outputs;
    },
  });
}

/** What one more token of each row is computed with. */
export interface StepShape {
  readonly batch: number;
  /** Of the text that grows: place p for position p. */
  readonly places: number;
  /** Tokens of the prompts that an encoder has read; absent for none. */
  readonly source?: number;
  /** Whether the learner asked for the features of the prompts. */
  readonly gated: boolean;
}

/**
 * Compiles the pass over one more token of each row. Inputs `ids` and `positions`, (batch, 1); keys and values of every layer, (batch,
 * keyValueHeads, places, headSize); and what reading the prompts left: `features` where `gated`, of an encoder-decoder the prompts with
 * their keys and values. Outputs `logits`, (batch, vocabulary), and keys and values of these tokens, (batch, keyValueHeads, 1, headSize).
 */
export function compileStep(generation: Generation, { batch, places, source, gated }: StepShape): Promise<Program> {
  const { device, forward, params } = generation;
  const { model } = forward;
  const { keyValueHeads, headSize, layers } = model.config;
  const grid = (columns: number): TensorSpec => ({ shape: [batch, columns], dtype: 'int32' });
  const memory = (namesOf: (layer: number) => Names, tokens: number): Record<string, TensorSpec> => {
    const spec = { shape: [batch, keyValueHeads, tokens, headSize], dtype: 'float32' } as const;
    return Object.fromEntries(Array.from({ length: layers }, (_, layer) => Object.values(namesOf(layer))).flat().map((name) => [name, spec]));
  };
  return device.compile({
    name: 'generate-token',
    inputs: {
      ids: grid(1), positions: grid(1),
      ...memory(memoryNames, places),
      ...(source === undefined ? {} : { sourceIds: grid(source), sourceSegments: grid(source), ...memory(sourceNames, (forward.learner.virtualTokens ?? 0) + source) }),
      ...(gated ? { features: { shape: [batch, model.featureSize], dtype: 'float32' } as const } : {}),
      ...taskInput(forward, batch), ...arrayInputs(params, PARAMS),
    },
    constants: model.weights,
    compute: (inputs, weights) => next(generation, {
      batch: batchOf({ ...inputs, segments: tf.ones([batch, 1], 'int32') }),
      weights, inputs,
      features: () => inputs['features'] as tf.Tensor2D,
      past: {
        past: recalled(model, memoryNames, inputs),
        ...(inputs['sourceIds'] ? { source: recalled(model, sourceNames, inputs) } : {}),
      },
    }),
  });
}
