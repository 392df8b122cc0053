import { dirname, resolve } from 'node:path';
import { type FoundPlugins, LetheError, type Plugin, type Results, type Run, type SuiteTerms, canonicalJson, capabilitiesOf, refuseBroken, resolveOptions } from '@lethe/core';
import { type SuiteReference, isGenerated, loadSuite, suiteTerms } from '@lethe/data';
import type { Describer, ScoredRows } from '@lethe/leaderboard';
import { predictionsOf } from '@lethe/metrics';
import { type Command, Option } from 'commander';
import { otherCode } from './other-code.js';
import type { Output } from './output.js';
import { installedPlugins, ofKind, versionsOf } from './installed.js';
import { PATHS, here, typed } from './paths.js';
import { pluginWords, scorerPlace, withScorers } from './plugins-option.js';
import { checkFinished, checkResults } from './run/finished.js';
import { pluginsOfRuns, scorersOfRun } from './run/recorded.js';
import { parseList } from './run/request.js';
import { installedReference } from './suites.js';

/**
 * What plugins say of their methods, and suites that are installed or plugins of themselves. Of another version than a run was made with, nothing
 * is known; what is wrong with a broken one is thrown.
 */
export function describer(installed: FoundPlugins): Describer {
  const methods = ofKind('method', installed.plugins);
  const referenceOf = ({ id, version, size, prompts, changed }: Run['suite']): SuiteReference | undefined => {
    const reference = installedReference(id, version, installed);
    return reference && { ...reference, size, ...(prompts !== undefined && { prompts }), ...(changed && { training: changed }) };
  };
  const made = new Map<string, Promise<Readonly<Record<string, ScoredRows>> | undefined>>();
  return {
    method: (id, version) => {
      refuseBroken(installed, 'method', id);
      const plugin = methods.find(({ manifest: { name, version: own } }) => name === id && own === version);
      if (!plugin) return undefined;
      const { manifest } = plugin;
      const { description, paper = null, options, stream } = manifest;
      const defaults = Object.fromEntries(Object.entries(options.properties).map(([name, option]) => [name, option['default']]));
      return { note: { version, description, paper, defaults }, stream, capabilities: (given) => capabilitiesOf(manifest, given), accepts: (given) => accepts(plugin, given) };
    },
    suite: (named) => {
      const reference = referenceOf(named);
      return reference && termsOf(reference);
    },
    rows: (named) => {
      const [reference, key] = [referenceOf(named), canonicalJson(named)];
      if (reference && !made.has(key)) made.set(key, rowsOf(reference));
      return made.get(key) ?? Promise.resolve(undefined);
    },
  };
}

/** The rows of a suite that makes them itself, as every machine does; undefined for one whose rows are files, which may be others elsewhere. */
async function rowsOf(reference: SuiteReference): Promise<Readonly<Record<string, ScoredRows>> | undefined> {
  if (!await isGenerated(reference)) return undefined;
  const { tasks, probes } = await loadSuite(reference);
  return Object.fromEntries([...tasks, ...probes].map((task) => [task.id, { sha256: task.sha256, asked: predictionsOf(task, []) }]));
}

/** What a suite asks of runs; null where it has no such size or prompts. */
function termsOf(reference: SuiteReference): SuiteTerms | null {
  try {
    return suiteTerms(reference);
  } catch (error) {
    if (error instanceof LetheError && error.code === 'LETHE_SUITE_UNKNOWN') return null;
    throw error;
  }
}

/** Whether a method can run with these options, every one of which is given. */
function accepts(plugin: Plugin, options: Readonly<Record<string, unknown>>): boolean {
  try {
    return canonicalJson(resolveOptions(plugin, options)) === canonicalJson(options);
  } catch (error) {
    if (error instanceof LetheError) return false;
    throw error;
  }
}

/**
 * Checks that runs of a folder are of the versions that are installed: of others nothing is known to hold them to. An entry was held to its own
 * when it was published.
 *
 * @param versions of the methods that are installed, by name
 * @throws LETHE_RUN_CHANGED
 */
function checkVersions({ runs }: Results, versions: ReadonlyMap<string, string>, where: string): void {
  const other = runs.map(({ method }) => method).find(({ id, version }) => (versions.get(id) ?? version) !== version);
  if (!other) return;
  throw new LetheError('LETHE_RUN_CHANGED', `The runs were made with ${other.id} ${other.version}, and ${versions.get(other.id)} is installed: what they say of the method cannot be checked.`, {
    where, remedy: 'Publish them with the version that made them, or make them again.',
  });
}

interface PublishFlags {
  readonly entries: string;
  readonly plugins?: readonly string[];
  readonly tuned?: readonly string[];
}

/** The ids of the scorers that judged what was written. */
const scorersIn = ({ runs }: Results): string[] => runs.flatMap((run) =>
  (run.status === 'failed' ? [] : Object.values(run.predictions).flatMap((task) => ('scorer' in task ? [task.scorer] : []))));

/**
 * `lethe publish RUN…`: makes an entry of the leaderboard of a run, or of its parts. Its path goes to stdout, what to do next to stderr. Methods
 * are described by the plugins that are installed or named, or that a run was made with.
 *
 * @throws LetheError the errors of `checkResults`, `readSweeps`, `checkFinished`, `checkVersions` and `publishRuns`
 */
export async function publishCommand(runs: readonly string[], { entries, plugins, tuned: sweeps }: PublishFlags, output: Output): Promise<void> {
  const { isEntry, publishRuns } = await import('@lethe/leaderboard');
  for (const run of runs) await checkResults(resolve(run));
  const tuned = sweeps && await (await import('./tune/choice.js')).readSweeps(sweeps.map((path) => resolve(path)));
  const found = installedPlugins(plugins);
  const versions = versionsOf(found);
  const atHand = installedPlugins([...(plugins ?? []), ...pluginsOfRuns(runs, found.plugins)]);
  const describe = describer(atHand);
  const used = new Set<string>();
  const path = await publishRuns(runs.map((run) => resolve(run)), resolve(entries), describe, {
    note: output.note, tuned,
    check: async (part, results) => {
      await checkFinished(part, results.runs.length);
      if (!isEntry(part)) {
        checkVersions(results, versions, part);
        const other = await otherCode(results.runs, (id) => ofKind('method', atHand.plugins).find(({ manifest: { name } }) => name === id)?.codePath);
        if (other.length > 0) output.note(`the code of ${other.join(', ')} is not what the runs in ${typed(part)} were made with: publish with that code, or make them again with this one: lethe resume ${typed(part)}`);
      }
      for (const id of scorersIn(results)) used.add(id);
    },
  });
  output.data(here(path));
  const parts = runs.filter((run) => run.endsWith('.json') && dirname(resolve(run)) === resolve(entries));
  if (parts.length > 0) {
    const held = tuned ? 'what counts' : 'all';
    output.note(`the new entry holds ${held} of ${parts.join(', ')}: delete what it takes the place of`);
  }
  const brought = ofKind('scorer', found.plugins).map(scorerPlace);
  const scorers = pluginWords([...brought, ...runs.flatMap(scorersOfRun)].filter(({ id }) => used.has(id)));
  const build = ['lethe leaderboard build', ...(entries === PATHS.entries ? [] : [`--entries ${typed(entries)}`]), ...scorers].join(' ');
  if (scorers.length > 0) output.note('whoever builds pages of this entry needs the scorers of plugins that it was scored by, and names them with --plugins');
  output.note(`every score and metric was recomputed; next: ${build}, look at the page, and commit the entry`);
}

/** `--entries`, of every command that reads or writes entries. */
export const entriesOption = (): Option =>
  new Option('--entries <folder>', 'the entries of the leaderboard').default(PATHS.entries, 'leaderboard/entries of this installation');

/** Adds `lethe publish`. */
export function addPublishCommand(program: Command, output: Output): void {
  withScorers(program.command('publish <runs...>'))
    .description('add a run folder to the leaderboard, after recomputing its scores; several, of which one may be an entry, as the parts of one benchmark')
    .addOption(entriesOption())
    .option('--tuned <runs>', 'methods were tuned anew: run folders of `lethe tune` whose choices count in the place of those that the runs were made after; runs with other options are left out',
      (text) => parseList('--tuned', text))
    .action((runs: string[], flags: PublishFlags) => publishCommand(runs, flags, output));
}
