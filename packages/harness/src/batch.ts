import type { TensorSpec, Values } from '@lethe/engine';

/** Shape of one padded batch: programs are compiled once for each. */
export interface BatchShape {
  readonly batch: number;
  readonly tokens: number;
  /** Targets of all rows together, the same number for each row. */
  readonly targets: number;
}

/**
 * Specifications of the inputs that every program over token batches has.
 *
 * @param weighted whether it has the weights of a training loss
 * @param told whether it has the task of every row, for an oracle
 */
export function batchInputs(shape: BatchShape, weighted: boolean, told: boolean): Record<string, TensorSpec> {
  const grid: TensorSpec = { shape: [shape.batch, shape.tokens], dtype: 'int32' };
  const list: TensorSpec = { shape: [shape.targets], dtype: 'int32' };
  return {
    ids: grid,
    positions: grid,
    segments: grid,
    index: list,
    token: list,
    ...(weighted ? { weight: { shape: [shape.targets], dtype: 'float32' } as const } : {}),
    ...(told ? { task: { shape: [shape.batch], dtype: 'int32' } as const } : {}),
  };
}

/** Values of the input `task` where a program is told it: the same task for every row. */
export function taskFeeds({ batch }: BatchShape, task: number, told: boolean): Record<string, Values> {
  return told ? { task: new Int32Array(batch).fill(task) } : {};
}

/** Values of a program's output as floats. */
export function floats(values: Values | undefined): Float32Array {
  if (values instanceof Float32Array) return values;
  throw new TypeError('the output is not of type float32');
}
