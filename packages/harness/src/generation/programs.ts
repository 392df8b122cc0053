import type { Arrays, Tensors } from '@lethe/core';
import type { Device, Program, TensorSpec } from '@lethe/engine';
import type { BatchTensors, KeysValues, LanguageModel, Memory } from '@lethe/model';
import * as tf from '@tensorflow/tfjs';
import type { Forward } from '../loss.js';
import { adaptWith, arrayInputs, arrayTensors, createScope, withPrefix } from '../scope.js';

/** Prefix of the program inputs that hold the learner's arrays. */
export const PARAMS = 'params.';

/** Names of what a layer remembers, among inputs and outputs. */
export const memoryNames = (layer: number) => ({ keys: `keys.${layer}`, values: `values.${layer}` });
const layersOf = ({ config }: LanguageModel) => Array.from({ length: config.layers }, (_, layer) => memoryNames(layer));

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
  readonly past?: readonly KeysValues[];
}

/** Traced. Scores of the next token, (batch, vocabulary), and what every layer is to remember of the batch's tokens. */
function next({ forward: { model, learner, sites }, params, onTrace }: Generation, { batch, weights, inputs, features, past }: PassInputs): Tensors {
  const scope = createScope({
    params: arrayTensors(params, PARAMS, inputs), training: false, batch: batch.ids.shape[0], features, task: inputs['task'] as tf.Tensor1D | undefined,
  });
  const kept: Record<string, tf.Tensor> = {};
  const memory: Memory = {
    ...(past ? { past } : {}),
    keep: (layer, own) => {
      const names = memoryNames(layer);
      kept[names.keys] = own.keys;
      kept[names.values] = own.values;
    },
  };
  let adapted = Boolean(learner.virtualTokens);
  // what stands before the text is read with it, and remembered afterwards
  const whole = past ? batch : withPrefix(learner, scope, batch);
  const states = model.hidden(whole, weights, adaptWith(learner, sites, scope, () => { adapted = true; }), memory);
  onTrace(adapted);
  return { logits: model.logits(states, weights), ...kept };
}

/**
 * Compiles the pass over prompts. Inputs `ids`, `positions` and `segments`, (batch, tokens), and `last`, (batch, 1): the flat position
 * of each prompt's last token. Outputs `logits`, (batch, vocabulary), of the tokens after the prompts; keys and values of every
 * layer, (batch, keyValueHeads, virtual and other tokens, headSize); and `features`, (batch, featureSize), where the learner asks for them.
 */
export function compilePrompt(generation: Generation, batch: number, tokens: number): Promise<Program> {
  const { device, forward, params } = generation;
  const { model } = forward;
  const grid: TensorSpec = { shape: [batch, tokens], dtype: 'int32' };
  return device.compile({
    name: 'read-prompt',
    inputs: {
      ids: grid, positions: grid, segments: grid, last: { shape: [batch, 1], dtype: 'int32' },
      ...taskInput(forward, batch), ...arrayInputs(params, PARAMS),
    },
    constants: model.weights,
    compute: (inputs, weights) => {
      const read = (name: string) => inputs[name] as tf.Tensor2D;
      const prompts = { ids: read('ids'), positions: read('positions'), segments: read('segments'), wanted: read('last') };
      let asked: tf.Tensor2D | undefined;
      const features = () => (asked ??= model.features(prompts, weights));
      const outputs = next(generation, { batch: prompts, weights, inputs, features });
      return asked ? { ...outputs, features: asked } : outputs;
    },
  });
}

/**
 * Compiles the pass over one more token of each row. Inputs `ids` and `positions`, (batch, 1); keys and values of every layer, (batch,
 * keyValueHeads, places, headSize), place p for position p; and `features` where `gated`. Outputs `logits`, (batch, vocabulary), and
 * keys and values of these tokens, (batch, keyValueHeads, 1, headSize).
 */
export function compileStep(generation: Generation, batch: number, places: number, gated: boolean): Promise<Program> {
  const { device, forward, params } = generation;
  const { model } = forward;
  const { keyValueHeads, headSize } = model.config;
  const one: TensorSpec = { shape: [batch, 1], dtype: 'int32' };
  const memory: TensorSpec = { shape: [batch, keyValueHeads, places, headSize], dtype: 'float32' };
  return device.compile({
    name: 'generate-token',
    inputs: {
      ids: one, positions: one,
      ...Object.fromEntries(layersOf(model).flatMap(({ keys, values }) => [[keys, memory], [values, memory]])),
      ...(gated ? { features: { shape: [batch, model.featureSize], dtype: 'float32' } as const } : {}),
      ...taskInput(forward, batch), ...arrayInputs(params, PARAMS),
    },
    constants: model.weights,
    compute: (inputs, weights) => next(generation, {
      batch: { ids: inputs['ids'] as tf.Tensor2D, positions: inputs['positions'] as tf.Tensor2D, segments: tf.ones([batch, 1], 'int32') },
      weights, inputs,
      features: () => inputs['features'] as tf.Tensor2D,
      past: layersOf(model).map(({ keys, values }) => ({ keys: inputs[keys] as tf.Tensor4D, values: inputs[values] as tf.Tensor4D })),
    }),
  });
}
