import { readFileSync } from 'node:fs';
import type { CompletedRun, Results } from '@lethe/core';
import { LetheError } from '@lethe/core';
import { Ajv, type ValidateFunction } from 'ajv';
import { resultsHash } from './hash.js';
import { metricsOf } from './metrics.js';

const TOLERANCE = 1e-9;
let compiled: ValidateFunction | undefined;

/** The compiled schema, once: the file is beside the contracts it describes. */
function schema(): ValidateFunction {
  if (!compiled) {
    const core = new URL(import.meta.resolve('@lethe/core'));
    const file = new URL('../../schemas/results.schema.json', core);
    compiled = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true })
      .compile(JSON.parse(readFileSync(file, 'utf8')));
  }
  return compiled;
}

function refuse(where: string, pointer: string, message: string): never {
  throw new LetheError('LETHE_RESULTS_INVALID', message, {
    where: `${where}#${pointer}`,
    remedy: 'Make the file again with `lethe resume`; results are never edited by hand.',
  });
}

/**
 * Checks a results file: its schema, then its own numbers. Every score is recomputed from the predictions, every metric
 * from the matrix, and the hash from the runs.
 *
 * @param where what to call the file in messages
 * @throws LETHE_RESULTS_INVALID with a JSON pointer to the first fault
 */
export function validateResults(json: unknown, where = 'results.json'): Results {
  const check = schema();
  if (!check(json)) {
    const error = check.errors![0]!;
    const extra = (error.params as { additionalProperty?: string }).additionalProperty;
    refuse(where, error.instancePath, `${error.message}${extra === undefined ? '' : ` ("${extra}")`}.`);
  }
  const results = json as Results;
  results.runs.forEach((run, i) => {
    if (run.status === 'completed') checkRun(run, where, `/runs/${i}`);
  });
  const hash = resultsHash(results.runs);
  if (results.sha256 !== hash) refuse(where, '/sha256', `The runs hash to ${hash}, the file says ${results.sha256}.`);
  return results;
}

const differ = (a: number | null | undefined, b: number | null | undefined) =>
  a === null || b === null || a === undefined || b === undefined ? a !== b : Math.abs(a - b) > TOLERANCE;

function checkRun(run: CompletedRun, where: string, at: string): void {
  const { tasks } = run.order;
  if (run.matrix.length !== tasks.length + 1) refuse(where, `${at}/matrix`, `${tasks.length} tasks make ${tasks.length + 1} rows.`);
  run.matrix.forEach((row, i) => {
    if (row.length !== tasks.length) refuse(where, `${at}/matrix/${i}`, `${tasks.length} tasks make ${tasks.length} columns.`);
    tasks.forEach((task, j) => {
      const predictions = run.predictions[task];
      if (!predictions) refuse(where, `${at}/predictions`, `The predictions for task ${task} are missing.`);
      const chosen = predictions.chosen[i];
      if (chosen && chosen.length !== predictions.answers.length) {
        refuse(where, `${at}/predictions/${task}/chosen/${i}`, 'There are not as many choices as answers.');
      }
      const score = chosen ? accuracy(chosen, predictions.answers) : null;
      if (differ(score, row[j])) {
        refuse(where, `${at}/matrix/${i}/${j}`, `The predictions give ${score}, the matrix says ${row[j]}.`);
      }
    });
  });
  const metrics = metricsOf(run.matrix, run.general);
  for (const [name, value] of Object.entries(metrics)) {
    const stated = run.metrics[name as keyof typeof metrics];
    if (differ(value, stated)) refuse(where, `${at}/metrics/${name}`, `The matrix gives ${value}, the file says ${stated}.`);
  }
}

/** The fraction of rows whose chosen option is the right one. */
export function accuracy(chosen: readonly number[], answers: readonly number[]): number {
  return chosen.filter((option, row) => option === answers[row]).length / answers.length;
}
