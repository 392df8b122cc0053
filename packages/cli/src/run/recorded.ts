import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { LetheError, type Plugin } from '@lethe/core';
import type { ScorerPlace } from '@lethe/scorers';
import { pluginFolder } from '../installed.js';
import { typed } from '../paths.js';
import type { Configuration } from './configuration.js';
import { configurationFault, folderOf } from './record.js';

/** What a run was made with; nothing for a path that is no run's, or whose record is damaged, which the command itself will say. */
export function recordOf(path: string): Partial<Configuration> {
  const file = join(folderOf(path), 'run.json');
  if (!existsSync(file)) return {};
  let configuration: unknown;
  try {
    ({ configuration } = Object(JSON.parse(readFileSync(file, 'utf8'))) as { configuration?: unknown });
  } catch {
    return {};
  }
  return configurationFault(configuration) === null ? configuration as Configuration : {};
}

/** Whether a record names code that is there and lies outside of its run folder: what came along with a run is not run by whoever looks at it. */
function isElsewhere({ codePath }: ScorerPlace, path: string): boolean {
  if (!isAbsolute(codePath) || !existsSync(codePath)) return false;
  const below = relative(realpathSync(folderOf(path)), realpathSync(codePath));
  return below.startsWith(`..${sep}`) || isAbsolute(below);
}

/** The scorers of plugins that a run was made with, where they are still there; none that lies in the run folder itself. */
export const scorersOfRun = (path: string): readonly ScorerPlace[] =>
  (recordOf(path).suite?.reference.scorers ?? []).filter((place) => isElsewhere(place, path));

/**
 * Checks that plugins which a run was made with are still where they were.
 *
 * @param folder the run folder
 * @throws LetheError LETHE_RUN_CHANGED for the first that is not
 */
export function checkThere(methods: Configuration['methods'], scorers: readonly ScorerPlace[], folder: string): void {
  const files = [...methods.map(({ id, manifest }) => ({ what: `method "${id}"`, file: manifest })), ...scorers.map(({ id, codePath }) => ({ what: `scorer "${id}"`, file: codePath }))];
  const gone = files.find(({ file }) => !existsSync(file));
  if (!gone) return;
  throw new LetheError('LETHE_RUN_CHANGED', `The plugin of ${gone.what} is no longer where it was when the run began.`, {
    where: gone.file, remedy: `Put it back there, then: lethe resume ${typed(folder)}; or begin a new run with --plugins DIR, where it is now, and another --out.`,
  });
}

/**
 * The plugins that runs were made with and that are not found without being named: folders of methods and scorers, where they are still there.
 *
 * @param found what is found
 */
export function pluginsOfRuns(paths: readonly string[], found: readonly Plugin[]): string[] {
  const named = paths.flatMap((path) => [
    ...(recordOf(path).methods ?? []).map(({ id, manifest = '' }) => ({ key: `method ${id}`, folder: dirname(manifest) })),
    ...scorersOfRun(path).map(({ id, codePath }) => ({ key: `scorer ${id}`, folder: pluginFolder(codePath) })),
  ]).filter(({ folder }) => existsSync(join(folder, 'plugin.json')));
  const folders = new Map(named.toReversed().map(({ key, folder }) => [key, folder]));
  for (const { manifest: { kind, name } } of found) folders.delete(`${kind} ${name}`);
  return [...new Set(folders.values())];
}
