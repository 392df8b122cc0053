import { LetheError, type ReportAxis, type ReportTable, checkGates, reportFault } from '@lethe/core';
import type { Device } from '@lethe/engine';
import type * as tf from '@tensorflow/tfjs';
import { batchOf, floats, taskFeeds, tokenFeeds, tokenInputs } from './batch.js';
import type { Forward } from './loss.js';
import { packTraining, trainingShape } from './packing.js';
import { PARAMS, arrayFeeds, arrayInputs, arrayTensors, createScope, paramsOf } from './scope.js';

const BATCH = 16;
/** Test rows of a task that the means over gates are taken of: its first ones. */
const ROWS = 128;
/** Digits of such a mean: no more is of interest. */
const DIGITS = 4;

/** A task whose test rows are shown to gates. */
export interface ShownTask {
  readonly id: string;
  readonly prompts: readonly (readonly number[])[];
  /** {@link Scope.task} of its rows. */
  readonly task: number;
}

/**
 * What a learner says it learned, then how far its gates are open for rows of each task.
 *
 * @param learned names of the stages that it has learned
 * @param shown tasks and probes with their test rows
 * @throws LETHE_METHOD_FAILED for a report that is not a list of tables
 */
export async function learnedTables(
  device: Device, forward: Forward, learned: readonly string[], shown: readonly ShownTask[],
): Promise<readonly ReportTable[]> {
  const { learner } = forward;
  const said = learner.report?.() ?? [];
  const fault = reportFault(said);
  if (fault !== null) {
    throw new LetheError('LETHE_METHOD_FAILED', `Its report is not a list of tables: ${fault}.`, { remedy: 'See ReportTable in packages/core/src/report.ts.' });
  }
  const named = (axis: ReportAxis): ReportAxis =>
    (axis.title === 'task' ? { ...axis, names: axis.names.map((index) => `${index} ${learned[Number(index) - 1] ?? ''}`.trim()) } : axis);
  const own = said.map((table) => ({ ...table, rows: named(table.rows), columns: named(table.columns) }));
  return learner.gates ? [...own, await gateTable(device, forward, shown)] : own;
}

/** A compiled program opens the gates for prompts; only afterwards the rows are sorted by task. */
async function gateTable(device: Device, { learner, model, told = false }: Forward, tasks: readonly ShownTask[]): Promise<ReportTable> {
  const params = paramsOf(learner);
  // rows as training packs them, with any answer: features are of prompts alone
  const shown = tasks.map(({ id, task, prompts }) =>
    ({ id, task, rows: prompts.slice(0, ROWS).map((prompt) => ({ prompt, answer: [model.tokenizer.endOfText] })) }));
  const all = shown.flatMap(({ rows }) => rows);
  const shape = trainingShape(model.tokenizer, all, all, BATCH);
  let parts: readonly string[] = [];
  const program = await device.compile({
    name: 'gates',
    inputs: {
      ...tokenInputs(shape), ...(told ? { task: { shape: [shape.batch], dtype: 'int32' } as const } : {}),
      ...arrayInputs(params, PARAMS),
    },
    constants: model.weights,
    compute: (inputs, weights) => {
      const gates = checkGates(learner.gates!(createScope({
        params: arrayTensors(params, PARAMS, inputs), training: false, batch: shape.batch,
        features: () => model.features(batchOf(inputs), weights), weights, task: inputs['task'] as tf.Tensor1D | undefined,
      })), shape.batch);
      ({ parts } = gates);
      return { open: gates.open };
    },
  });
  try {
    const feeds = arrayFeeds(params, PARAMS);
    const cells: number[][] = [];
    for (const { rows, task } of shown) {
      const sums: number[] = [];
      for (let at = 0; at < rows.length; at += BATCH) {
        const batch = rows.slice(at, at + BATCH);
        const tokens = tokenFeeds(packTraining(model.tokenizer, batch, shape));
        const open = floats((await program.run({ ...tokens, ...taskFeeds(shape, task, told), ...feeds }))['open']);
        const width = open.length / shape.batch;
        for (let i = 0; i < batch.length * width; i++) sums[i % width] = (sums[i % width] ?? 0) + open[i]!;
      }
      cells.push(sums.map((sum) => Number((sum / rows.length).toFixed(DIGITS))));
    }
    return {
      title: 'Gate', unit: `how far each part is open, from 0 to 1, for rows of each task: the mean over its first ${ROWS} test rows at most`,
      rows: { title: 'rows of', names: shown.map(({ id }) => id) }, columns: { title: 'part', names: parts }, cells, scale: [0, 1],
    };
  } finally {
    await program.dispose();
  }
}
