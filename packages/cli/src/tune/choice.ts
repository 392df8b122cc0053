import { LetheError, type Plugin, type Results, type Sweep, type Trial, canonicalJson, didYouMean, methodName, readManifest, suiteLabel } from '@lethe/core';
import { percent } from '@lethe/leaderboard';
import { carriedOver, chosenOptions, joinSweeps, pickedSeeds, sweepOf, trialMean, tunedIn } from '@lethe/metrics';
import type { Output } from '../output.js';
import { plainTable } from '../plain-table.js';
import type { Configuration, ConfiguredMethod } from '../run/configuration.js';
import { checkFinished, resultsSoFar } from '../run/finished.js';
import { showNotes } from '../show.js';
import { runWords } from '../suites.js';

/**
 * What the trials of one or several `lethe tune` chose.
 *
 * @param paths their run folders, or results and entries that keep what was tuned before them
 * @throws LETHE_RUN_MISSING where there are no results, LETHE_RUN_STOPPED where a run is not finished, LETHE_RESULTS_INVALID for results that
 *   are none of trials and keep none, LETHE_USAGE where methods were not tuned under equal terms
 */
export async function readSweeps(paths: readonly string[]): Promise<Sweep> {
  const sweeps = await Promise.all(paths.map(async (path) => {
    const results = await resultsSoFar(path);
    await checkFinished(path, results.runs.length);
    return results.sweep ?? sweepOf(results, path);
  }));
  const sweep = joinSweeps(sweeps);
  if (sweep) return sweep;
  throw new LetheError('LETHE_USAGE', 'The methods were not tuned under equal terms: another size, model, order, seed or number of trials, or one of them twice.', {
    where: paths.join(', '), remedy: 'Tune them again with the same flags.',
  });
}

/**
 * The options that a sweep chose for a method, or for its variant with a label; undefined where that was not tuned.
 *
 * @throws LETHE_RUN_CHANGED for another version of the method
 */
export function chosenFor({ manifest: { name, version } }: Plugin, label: string | undefined, sweep: Sweep): Trial['options'] | undefined {
  const tuned = tunedIn(sweep, { id: name, label });
  if (!tuned) return undefined;
  if (tuned.version === version) return chosenOptions(tuned);
  throw new LetheError('LETHE_RUN_CHANGED', `Method ${name} ${tuned.version} was tuned, ${version} is installed.`, { remedy: 'Tune it again.' });
}

/** Methods, as they are called, that a sweep did not tune, though their manifests say what could be: they run with what they were given, and their defaults. */
function untuned(methods: readonly ConfiguredMethod[], sweep: Sweep): string[] {
  const lacking = methods.filter(({ id, label }) => !sweep.methods.some((tuned) => tuned.id === id && (tuned.label === undefined || tuned.label === label)));
  return lacking.filter(({ manifest }) => Object.keys(readManifest(manifest).search).length > 0).map(methodName);
}

/** What one should know of runs whose options a sweep chose, a line each: whether it was made elsewhere, with seeds of theirs, and without some of their methods. */
export function sweepNotes(sweep: Sweep, configuration: Configuration): string[] {
  const { suite, methods, seeds } = configuration;
  const picked = pickedSeeds(sweep, suite, seeds);
  const beside = untuned(methods, sweep);
  return [
    ...(carriedOver(sweep, configuration) ? [`options are carried over: they were chosen on ${suiteLabel(sweep.suite)}, with ${sweep.model.id}; to choose them here: lethe tune ${runWords(suite.reference)}`] : []),
    ...(picked.length > 0 ? [`options were chosen on this suite with ${picked.length === 1 ? 'seed' : 'seeds'} ${picked.join(', ')}: such runs are not published, since what suits these seeds was picked for it`] : []),
    ...(beside.length > 0 ? [`not tuned, and run beside methods that were: ${beside.join(', ')}`] : []),
  ];
}

/** Throws LETHE_USAGE where a sweep tuned none of the methods that are to run. */
export function checkTuned(names: readonly string[], { methods }: Sweep): void {
  const tuned = methods.map(({ id }) => id);
  if (names.some((name) => tuned.includes(name))) return;
  throw new LetheError('LETHE_USAGE', `None of the methods was tuned.${didYouMean(names[0]!, tuned)}`, { remedy: `tuned were: ${tuned.join(', ')}` });
}

/** The mean accuracy of a trial in percent. */
function meanOf(trial: Trial): string {
  const mean = trialMean(trial);
  return mean === null ? 'failed' : percent(mean);
}

/** Writes a line a method, what was chosen and what it gained over the first setting, with the errors of failed runs; gives the exit status: 1 where a run failed. */
export function showChoice(results: Results, file: string, output: Output): 0 | 1 {
  const rows = sweepOf(results, file).methods.map((method) => {
    const { trials, chosen } = method;
    const [first, best] = [trials[0]!, trials[chosen]!];
    const changed = Object.entries(best.options).filter(([name, value]) => canonicalJson(first.options[name]) !== canonicalJson(value));
    const alike = trials.length > 1 && new Set(trials.map(trialMean)).size === 1;
    return [methodName(method), String(trials.length), meanOf(first), meanOf(best),
      changed.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(' ') || (alike ? 'the first: all came to the same' : 'the first')];
  });
  const lines = plainTable(['method', 'trials', 'first', 'best', 'chosen'], rows, [0, 4]);
  output.data([...lines, '', 'percent: average accuracy on validation rows after the last task; first: the defaults of a method, but for what it was given in every trial'].join('\n'));
  return showNotes(results, file, output);
}
