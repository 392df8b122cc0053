import type { Tensors } from '@lethe/core';
import type { TensorSpec, Values } from '@lethe/engine';
import type { BatchTensors } from '@lethe/model';
import type { Tensor2D } from '@tensorflow/tfjs';
import type { PackedBatch, PackedTokens } from './packing.js';

/** Shape of one padded batch: programs are compiled once for each. */
export interface BatchShape {
  readonly batch: number;
  readonly tokens: number;
  /** Targets of all rows together, the same number for each row. */
  readonly targets: number;
  /** Tokens of prompts that an encoder reads; absent where prompts stand before what follows them. */
  readonly source?: number;
}

/** What sets the programs of one run apart. */
export const shapeKey = ({ batch, tokens, targets, source }: BatchShape): string => `${batch} ${tokens} ${targets} ${source ?? ''}`;

/** Shape of the tokens of a batch. */
export type TokenShape = Omit<BatchShape, 'targets'>;

/** Specifications of the inputs with the tokens of a batch. */
export function tokenInputs({ batch, tokens, source }: TokenShape): Record<string, TensorSpec> {
  const grid = (columns: number): TensorSpec => ({ shape: [batch, columns], dtype: 'int32' });
  return {
    ids: grid(tokens),
    positions: grid(tokens),
    segments: grid(tokens),
    ...(source === undefined ? {} : { sourceIds: grid(source), sourceSegments: grid(source) }),
  };
}

/**
 * Specifications of the inputs that every program over token batches has.
 *
 * @param weighted whether it has the weights of a training loss
 * @param told whether it has the task of every row, for an oracle
 */
export function batchInputs(shape: BatchShape, weighted: boolean, told: boolean): Record<string, TensorSpec> {
  const list: TensorSpec = { shape: [shape.targets], dtype: 'int32' };
  return {
    ...tokenInputs(shape),
    index: list,
    token: list,
    ...(weighted ? { weight: { shape: [shape.targets], dtype: 'float32' } as const } : {}),
    ...(told ? { task: { shape: [shape.batch], dtype: 'int32' } as const } : {}),
  };
}

/** The batch among a program's inputs, all of its states wanted. */
export function batchOf(inputs: Tensors): BatchTensors {
  const grid = (name: string) => inputs[name] as Tensor2D;
  return {
    ids: grid('ids'),
    positions: grid('positions'),
    segments: grid('segments'),
    ...(inputs['sourceIds'] ? { source: { ids: grid('sourceIds'), segments: grid('sourceSegments') } } : {}),
  };
}

/** Values of {@link tokenInputs}. */
export function tokenFeeds({ ids, positions, segments, source }: PackedTokens): Record<string, Values> {
  return { ids, positions, segments, ...(source ? { sourceIds: source.ids, sourceSegments: source.segments } : {}) };
}

/** The number of tokens in places of a batch, padding left out. */
export const countTokens = (segments: Int32Array): number => segments.reduce((count, segment) => count + (segment > 0 ? 1 : 0), 0);

/** The number of all tokens of a batch. */
export const tokensOf = ({ segments, source }: PackedTokens): number => countTokens(segments) + (source ? countTokens(source.segments) : 0);

/** Values of {@link batchInputs} but for the task. */
export function batchFeeds(packed: PackedBatch, weighted: boolean): Record<string, Values> {
  const { index, token, weight } = packed;
  return { ...tokenFeeds(packed), index, token, ...(weighted ? { weight } : {}) };
}

/** Values of the input `task` where a program is told it: the same task for every row, or that of each; places without a row have 0 then. */
export function taskFeeds({ batch }: BatchShape, task: number | readonly number[], told: boolean): Record<string, Values> {
  if (!told) return {};
  const tasks = new Int32Array(batch);
  if (typeof task === 'number') tasks.fill(task);
  else tasks.set(task);
  return { task: tasks };
}

/** Values of a program's output as floats. */
export function floats(values: Values | undefined): Float32Array {
  if (values instanceof Float32Array) return values;
  throw new TypeError('the output is not of type float32');
}
