import { dirname, resolve } from 'node:path';
import { capabilitiesOf } from '@lethe/core';
import type { DescribeMethod } from '@lethe/leaderboard';
import { type Command, Option } from 'commander';
import type { Output } from './output.js';
import { PATHS, here, installedPlugins, typed } from './paths.js';
import { withScorers } from './plugins-option.js';
import { checkFinished } from './run/finished.js';

/** What the installed plugins say of their methods. Of another version than a run was made with, nothing is known. */
export function describer(plugins: readonly string[] | undefined): DescribeMethod {
  const methods = installedPlugins(plugins).map(({ manifest }) => manifest).filter(({ kind }) => kind === 'method');
  return (id, version) => {
    const manifest = methods.find((method) => method.name === id && method.version === version);
    if (!manifest) return undefined;
    const { description, paper = null, options } = manifest;
    const defaults = Object.fromEntries(Object.entries(options.properties).map(([name, option]) => [name, option['default']]));
    return { note: { version, description, paper, defaults }, capabilities: (given) => capabilitiesOf(manifest, given) };
  };
}

interface PublishFlags {
  readonly entries: string;
  readonly plugins?: readonly string[];
}

/**
 * `lethe publish RUN…`: makes an entry of the leaderboard of a run, or of its parts. Its path goes to stdout, what to do next to stderr.
 *
 * @throws LetheError the errors of `checkFinished` and of `publishRuns`
 */
export async function publishCommand(runs: readonly string[], { entries, plugins }: PublishFlags, output: Output): Promise<void> {
  const { publishRuns } = await import('@lethe/leaderboard');
  const path = await publishRuns(runs.map((run) => resolve(run)), resolve(entries), describer(plugins), output.note,
    (part, results) => checkFinished(part, results.runs.length));
  output.data(here(path));
  const parts = runs.filter((run) => run.endsWith('.json') && dirname(resolve(run)) === resolve(entries));
  if (parts.length > 0) output.note(`the new entry holds all of ${parts.join(', ')}: delete what it takes the place of`);
  const build = entries === PATHS.entries ? 'lethe leaderboard build' : `lethe leaderboard build --entries ${typed(entries)}`;
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
    .action((runs: string[], flags: PublishFlags) => publishCommand(runs, flags, output));
}
