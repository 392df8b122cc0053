import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type CompletedRun, LetheError, type Results, deviceWords, grouped, isPath, sha256 } from '@lethe/core';
import { percent, resultsFile } from '@lethe/leaderboard';
import { variantKey } from '../labels.js';
import type { Output } from '../output.js';
import { installedPlugins, versionsOf } from '../installed.js';
import { otherCode } from '../other-code.js';
import { here } from '../paths.js';
import { plainTable } from '../plain-table.js';
import { type Configuration, jobsOf } from '../run/configuration.js';
import { perform } from '../run/execute.js';
import { resultsSoFar } from '../run/finished.js';
import { INTERRUPTED } from '../run/interrupt.js';
import { pluginsOfRuns, recordOf } from '../run/recorded.js';
import type { RunRequest } from '../run/request.js';
import { resolveRequest } from '../run/resolve.js';
import { type RunsChoice, chooseRuns } from './choice.js';
import { type Claim, runClaims, trialClaims } from './claims.js';
import { type Reproduced, mayBeRounding, outcomeOf, verdict } from './outcome.js';
import { checkTerms } from './terms.js';

/** What is to be made again, and with what that results only name. */
export interface ReproduceRequest extends RunsChoice, Pick<RunRequest, 'model' | 'adapter' | 'dataDir' | 'plugins' | 'device' | 'out'> {
  /** Where the suite lies, where it is not installed. */
  readonly suite?: string;
  /** Whether it is trials that are drawn, by which options were chosen, in the place of runs. */
  readonly trials?: boolean;
}

/**
 * A request with what a run folder itself says of what its results only name: suite, rows, model and plugins, as far as they are still where they
 * were. What was asked for wins.
 *
 * @param id of the suite that is wanted: trials may be of another one than the runs
 */
function withRecorded(request: ReproduceRequest, path: string, id: string): ReproduceRequest {
  const { suite, model } = recordOf(path);
  const there = <K extends 'suite' | 'dataDir' | 'model' | 'adapter'>(name: K, place: string | undefined) =>
    (place !== undefined && existsSync(place) ? { [name]: place } : {});
  const { reference, dataDir } = (suite?.id === id ? suite.reference : undefined) ?? {};
  const plugins = [...(request.plugins ?? []), ...pluginsOfRuns([path], installedPlugins(request.plugins).plugins)];
  return {
    // an adapter is merged into its own model
    ...(request.model === undefined && request.adapter === undefined && { ...there('model', model?.dir), ...there('adapter', model?.adapterDir) }),
    ...(reference !== undefined && isPath(reference) && there('suite', reference)), ...there('dataDir', dataDir),
    ...request, ...(plugins.length > 0 && { plugins }),
  };
}

/** Refuses methods and suites that results name by a path: names of plugins are none, and what lies there would be run. */
function checkNames(claims: readonly Claim[], where: string): void {
  const path = claims.flatMap(({ suite, method }) => [suite.id, method.id]).find(isPath);
  if (path === undefined) return;
  throw new LetheError('LETHE_RESULTS_INVALID', `The results name "${path}", which is a path and no name.`, {
    where, remedy: 'Trust no result of who made this file; lethe run never writes such a name.',
  });
}

/** Rethrows an error; that of a suite which is not here names the flag that it is given with. */
function withSuiteFlag(error: unknown): never {
  if (!(error instanceof LetheError) || error.code !== 'LETHE_SUITE_UNKNOWN') throw error;
  throw error.with({ remedy: 'Give the suite that the runs were made with: --suite FILE, its suite.yaml or its folder.' });
}

/** The device that all were made on, or the GPUs, as `--device` takes them. Throws LETHE_USAGE where they were made on several that give other numbers. */
function deviceOf(claims: readonly Claim[]): string {
  const devices = [...new Set(claims.map(({ environment }) => environment.device))];
  const alike = deviceWords(devices);
  if (alike.split(',').length === devices.length) return alike;
  throw new LetheError('LETHE_USAGE', `The runs were made on ${devices.join(' and ')}.`, { remedy: `Say on which they are to be made again: --device ${devices[0]}` });
}

/** What one would ask for to make these runs, and more: all of their methods in all of their orders with all of their seeds. */
function requestFor(claims: readonly Claim[], rows: Pick<RunRequest, 'probes' | 'skipBadRows'>, { suite, model, adapter, dataDir, plugins, device, out }: ReproduceRequest): RunRequest {
  const { suite: published, model: base, environment } = claims[0]!;
  return {
    suite: suite ?? published.id, size: published.size, ...(published.prompts !== undefined && { prompts: published.prompts }), ...(published.changed && { training: published.changed }), ...(published.scored && { scored: published.scored }),
    methods: methodsOf(claims).map(({ id, label, options }) => ({ name: id, ...(label !== undefined && { label }), options })),
    orders: ordersOf(claims), seeds: seedsOf(claims),
    // where only the adapter is given, it says itself what it was trained on
    ...(model !== undefined || adapter === undefined ? { model: model ?? base.adapter?.base.id ?? base.id } : {}),
    ...(base.chat && { chat: true }),
    device: device ?? deviceOf(claims), threads: environment.threads, ...(environment.microBatch !== undefined && { microBatch: environment.microBatch }),
    ...rows,
    ...(adapter !== undefined && { adapter }), ...(dataDir !== undefined && { dataDir }), ...(plugins && { plugins }), ...(out !== undefined && { out }),
  };
}

/** Whether probes were scored and rows left out, which a run that failed does not say. */
const rowsOf = ({ runs }: Results, [claim]: readonly Claim[]): Pick<RunRequest, 'probes' | 'skipBadRows'> => ({
  // probes are no part of what is scored on validation rows
  ...(!claim!.suite.scored && runs.some((run) => run.status === 'completed' && Object.keys(run.general.base).length > 0) && { probes: true }),
  ...(runs.some(({ environment }) => environment.skippedRows) && { skipBadRows: true }),
});

const methodsOf = (claims: readonly Claim[]) => grouped(claims.map(({ method }) => method), variantKey).map(([method]) => method!);
const ordersOf = (claims: readonly Claim[]) => [...new Set(claims.map(({ order }) => order.id))];
const seedsOf = (claims: readonly Claim[]) => [...new Set(claims.map(({ seed }) => seed))];

/** The place of a run among the jobs of a request, which {@link jobsOf} gives by seed, then order, then method. */
function placeOf({ method, order, seed }: Claim, claims: readonly Claim[]): number {
  const [methods, orders] = [methodsOf(claims), ordersOf(claims)];
  const at = methods.findIndex((other) => variantKey(other) === variantKey(method));
  return (seedsOf(claims).indexOf(seed) * orders.length + orders.indexOf(order.id)) * methods.length + at;
}

function show(all: readonly Reproduced[], outdated: readonly string[], output: Output): void {
  // of trials no answers are published
  const answered = all.some(({ answers }) => answers !== null);
  const lines = plainTable(['run', 'published', 'again', answered ? 'other answers' : ''], all.map(({ name, published, again, answers, error = '' }) =>
    [name, percent(published), percent(again), answers ? `${answers.other} of ${answers.of}${answers.missing > 0 ? `, ${answers.missing} missing` : ''}` : error]), [0]);
  const read = answered ? 'average accuracy after the last task, in percent; answers to scored rows at all points of the stream' : 'average accuracy after the last task, in percent';
  output.data([...lines, '', read, verdict(all, outdated)].join('\n'));
}

/** Where what was made again may round otherwise than what was published. */
function placesDiffer([claim]: readonly Claim[], again: CompletedRun): string {
  const say = ({ device, threads, node, lethe, processor = 'a processor that is not known' }: CompletedRun['environment']) =>
    `Lethe ${lethe}, ${device}, threads: ${threads}, Node ${node}, on ${processor}`;
  const [then, now] = [say(claim!.environment), say(again.environment)];
  return `published: ${then}; here: ${now}. The same seed gives the same answers on the same kind of processor; on another one rounding grows over the steps, and an `
    + 'average that stays within the interval of its method is no sign of a fault';
}

/**
 * `lethe reproduce RESULTS`: makes some of the published runs again, with what is here, and compares every answer.
 *
 * @param path a run folder, which says itself where what it was made with lies, or an entry
 * @param workers runs at a time, where so many are asked for
 * @returns the exit status: 0 where all came out as published, 1 where one did not, 130 where it was interrupted
 * @throws LETHE_USAGE for runs that there are not, LETHE_RUN_CHANGED where something else is here than they were made with, and the errors of
 *   `resultsSoFar`, `resolveRequest` and `perform`
 */
export async function reproduce(
  path: string, given: ReproduceRequest, workers: number | undefined, json: boolean, output: Output,
): Promise<number> {
  const file = resultsFile(resolve(path));
  const results = await resultsSoFar(resolve(path));
  const all = given.trials ? trialClaims(results) : runClaims(results);
  const request = withRecorded(given, resolve(path), all[0]?.suite.id ?? '');
  const versions = versionsOf(installedPlugins(request.plugins));
  const { claims, outdated } = chooseRuns(all, request, (id) => versions.get(id));
  if (outdated.length > 0) output.note(`none is drawn of ${outdated.join(', ')}: the versions that are installed are others; --method asks for one all the same`);
  checkNames(claims, file);
  const asked = await resolveRequest(requestFor(claims, rowsOf(results, claims), request), [], output.note).catch(withSuiteFlag);
  const configuration: Configuration = { ...asked.configuration, picked: claims.map((claim) => placeOf(claim, claims)) };
  const folder = request.out === undefined ? resolve(join('runs', `${asked.suite.id}-again-${sha256(configuration).slice(0, 8)}`)) : asked.folder;
  jobsOf(configuration, folder, { lethe: '', git: null }).forEach(({ identity }, i) => checkTerms(claims[i]!, identity, asked.suite, file));
  for (const note of asked.notes) output.note(note);
  const other = await otherCode(claims.flatMap(({ run }) => run ?? []), (id) => configuration.methods.find((method) => method.id === id)?.codePath);
  if (other.length > 0) output.note(`the code of ${other.join(', ')} is not what the published runs were made with: answers that differ may come of that`);
  output.note(`drawn by --draw ${request.draw}: ${claims.map(({ name }) => name).join('; ')}`);
  const goOn = `the same command and --draw ${request.draw}`;
  const { results: again, stopped } = await perform(configuration, folder, asked.suite, workers, goOn, output);
  if (stopped) {
    output.note(`stopped; go on with: ${goOn}; finished steps are kept`);
    return INTERRUPTED;
  }
  const outcomes = claims.map((claim, i) => outcomeOf(claim, again.runs[i]!));
  if (json) output.data(JSON.stringify({ schema: 'lethe.reproduction/1', results: results.sha256, runs: outcomes }, null, 2));
  else show(outcomes, outdated, output);
  output.note(`made again in ${here(folder)}`);
  const rounded = again.runs.find((run, i): run is CompletedRun => run.status === 'completed' && mayBeRounding(outcomes[i]!));
  if (rounded) output.note(placesDiffer(claims, rounded));
  return outcomes.every(({ same }) => same) ? 0 : 1;
}
