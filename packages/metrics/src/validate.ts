import { readFileSync } from 'node:fs';
import type { BudgetChange, CompletedRun, Results, TextPredictions } from '@lethe/core';
import { LetheError, canonicalJson, didYouMean, escaped, schemaFault, unlabelled } from '@lethe/core';
import { findScorer, textScorers } from '@lethe/scorers';
import { Ajv, type ValidateFunction } from 'ajv';
import { resultsHash } from './hash.js';
import { isJoint, metricsOf } from './metrics.js';
import { meanScore, predictionsFor, rowScores, rowsOf, stepsOf } from './rows.js';
import { sweepFault } from './sweep.js';

const TOLERANCE = 1e-9;
let compiled: ValidateFunction | undefined;

/** The compiled schema, once: the file is beside the contracts it describes. */
function schema(): ValidateFunction {
  if (!compiled) {
    const core = new URL(import.meta.resolve('@lethe/core'));
    const file = new URL('../../schemas/results.schema.json', core);
    // the first fault alone: a file that is no results at all may have millions
    compiled = new Ajv({ verbose: true, strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true, keywords: ['patternErrorMessage'] })
      .compile(JSON.parse(readFileSync(file, 'utf8')));
  }
  return compiled;
}

/** Where a fault is looked for: a file, and the JSON pointer of the results within it. */
interface Place {
  readonly file: string;
  readonly root: string;
}

function refuse(
  { file, root }: Place, pointer: string, message: string, remedy = 'Make the file again with `lethe resume`; results are never edited by hand.',
): never {
  throw new LetheError('LETHE_RESULTS_INVALID', message, { where: `${file}#${root}${pointer}`, remedy });
}

/**
 * Checks results: their schema, then their own numbers. Every score is recomputed from the predictions, every metric
 * from the matrix, and the hash from the runs; every point of the stream was scored, no run is in there twice, no label is the name of a
 * method, and options that were tuned are those that the sweep chose.
 *
 * @param file what to call the file in messages
 * @param root JSON pointer of the results within the file, where they are a part of it
 * @throws LETHE_RESULTS_INVALID with a JSON pointer to the first fault
 */
export function validateResults(json: unknown, file = 'results.json', root = ''): Results {
  const place: Place = { file, root };
  try {
    return checkResults(json, place);
  } catch (error) {
    // options of a method may hold anything
    if (error instanceof RangeError) return refuse(place, '', 'Its values are nested too deeply to be read.');
    throw error;
  }
}

function checkResults(json: unknown, place: Place): Results {
  const check = schema();
  if (!check(json)) {
    const { pointer, message } = schemaFault(check.errors!, 'the file');
    refuse(place, pointer, message);
  }
  const results = json as Results;
  const seen = new Map<string, number>();
  const ids = new Set(results.runs.map(({ method }) => method.id));
  results.runs.forEach((run, i) => {
    const { suite, method, model, order, seed, training } = run;
    const identity = canonicalJson({ suite, method: unlabelled(method), model, order, seed, training });
    if (seen.has(identity)) refuse(place, `/runs/${i}`, `This run is in the file twice: it is also /runs/${seen.get(identity)}.`);
    seen.set(identity, i);
    if (method.label !== undefined && ids.has(method.label)) refuse(place, `/runs/${i}/method/label`, `The label "${method.label}" is the name of a method.`);
    for (const [field, value] of Object.entries(suite.changed ?? {})) {
      const [asked, stated] = [canonicalJson(value), canonicalJson(training[field as keyof BudgetChange])];
      if (asked !== stated) refuse(place, `/runs/${i}/suite/changed/${field}`, `${field} was changed to ${asked}, and training says ${stated}.`);
    }
    if (run.status === 'completed') checkRun(run, place, `/runs/${i}`);
  });
  const fault = results.sweep && sweepFault(results.sweep, results.runs);
  if (fault) refuse(place, fault.pointer, fault.message);
  const hash = resultsHash(results.runs, results.sweep);
  if (results.sha256 !== hash) refuse(place, '/sha256', `The runs hash to ${hash}, the file says ${results.sha256}.`);
  return results;
}

const differ = (a: number | null | undefined, b: number | null | undefined) =>
  a === null || b === null || a === undefined || b === undefined ? a !== b : !(Math.abs(a - b) <= TOLERANCE);

/** Where the predictions of a task or probe after step i stand. */
const stepPointer = ({ predictions }: CompletedRun, id: string, i: number, at: string) =>
  `${at}/predictions/${escaped(id)}/${'scorer' in predictions[id]! ? 'written' : 'chosen'}/${i}`;

/** The score of a task after step i by its predictions; null where the step was not scored. */
function scoreOf(run: CompletedRun, task: string, i: number, place: Place, at: string): number | null {
  const predictions = predictionsFor(run, task);
  if (!predictions) refuse(place, `${at}/predictions`, `The predictions for ${task} are missing.`);
  const pointer = `${at}/predictions/${escaped(task)}`;
  const given = stepsOf(predictions)[i];
  if (!given) return null;
  if (given.length !== rowsOf(predictions)) {
    refuse(place, stepPointer(run, task, i, at), 'There are not as many predictions as answers.');
  }
  if ('scorer' in predictions) checkScorer(predictions, place, pointer);
  return meanScore(rowScores(predictions, i)!);
}

/** That text can be scored at all: by a scorer there is, with a source for every row where it needs them. */
function checkScorer({ scorer: id, references, sources }: TextPredictions, place: Place, at: string): void {
  const scorer = findScorer(id);
  if (!scorer || scorer.needs !== 'text') {
    refuse(place, `${at}/scorer`, `No scorer of text is called "${id}".${didYouMean(id, textScorers())}`,
      'Name the folder of the plugin that brings it with --plugins; where none does, make the file again with `lethe resume`.');
  }
  if (scorer.needsSource ? sources?.length !== references.length : sources !== undefined) {
    refuse(place, at, `The scorer ${id} ${scorer.needsSource ? 'needs a source for every row' : 'takes no sources'}.`);
  }
}

/** That predictions are of the tasks and probes alone, at all points of the stream and no more. */
function checkExtent({ order: { tasks }, general, predictions }: CompletedRun, place: Place, at: string): void {
  for (const [id, own] of Object.entries(predictions)) {
    const pointer = `${at}/predictions/${escaped(id)}`;
    if (!tasks.includes(id) && !Object.hasOwn(general.base, id)) refuse(place, pointer, `${id} is no task of the order and no probe that was scored.`);
    const steps = stepsOf(own);
    if (steps.length !== tasks.length + 1) refuse(place, pointer, `${tasks.length} tasks make predictions at ${tasks.length + 1} points of the stream, and there are ${steps.length}.`);
  }
}

/**
 * That every point of the stream was scored, for all tasks and probes: a step left out would hide what was forgotten. What learns all tasks at once,
 * which bounds alone may do, passes no point between both ends; and of a trial the end alone is looked at.
 */
function checkScored(run: CompletedRun, place: Place, at: string): void {
  const { suite, method: { capabilities }, order: { tasks }, predictions, matrix } = run;
  const endsAlone = isJoint(matrix) && (capabilities.bound || suite.scored === 'validation');
  for (const [id, own] of Object.entries(predictions)) {
    const odd = stepsOf(own).findIndex((given, i) => (given === null) !== (endsAlone && i > 0 && i < tasks.length));
    if (odd < 0) continue;
    refuse(place, stepPointer(run, id, odd, at), endsAlone ? 'The tasks were not scored at this point of the stream, and this was.'
      : odd === 0 ? 'The base model was not scored.' : 'This point of the stream was not scored: bounds alone may learn all tasks at once.');
  }
}

function checkRun(run: CompletedRun, place: Place, at: string): void {
  const { tasks } = run.order;
  if (run.matrix.length !== tasks.length + 1) refuse(place, `${at}/matrix`, `${tasks.length} tasks make ${tasks.length + 1} rows.`);
  run.matrix.forEach((row, i) => {
    if (row.length !== tasks.length) refuse(place, `${at}/matrix/${i}`, `${tasks.length} tasks make ${tasks.length} columns.`);
    tasks.forEach((task, j) => {
      const score = scoreOf(run, task, i, place, at);
      if (differ(score, row[j])) refuse(place, `${at}/matrix/${i}/${j}`, `The predictions give ${score}, the matrix says ${row[j]}.`);
    });
  });
  for (const [moment, i] of [['base', 0], ['final', tasks.length]] as const) {
    for (const [probe, stated] of Object.entries(run.general[moment])) {
      const score = scoreOf(run, probe, i, place, at);
      if (differ(score, stated)) {
        refuse(place, `${at}/general/${moment}/${escaped(probe)}`, `The predictions give ${score}, the file says ${stated}.`);
      }
    }
  }
  const { base, final } = run.general;
  const lacking = Object.keys({ ...base, ...final }).find((probe) => !Object.hasOwn(base, probe) || !Object.hasOwn(final, probe));
  if (lacking !== undefined) refuse(place, `${at}/general`, `The probe ${lacking} was scored at one end of the stream only: there is no change to be had of it.`);
  const metrics = metricsOf(run.matrix, run.general);
  for (const [name, value] of Object.entries(metrics)) {
    const stated = run.metrics[name as keyof typeof metrics];
    if (differ(value, stated)) refuse(place, `${at}/metrics/${name}`, `The matrix gives ${value}, the file says ${stated}.`);
  }
  checkExtent(run, place, at);
  checkScored(run, place, at);
}
