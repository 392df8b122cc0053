import { LetheError, PLUGIN_KINDS, type PluginKind, type Scorer, didYouMean } from '@lethe/core';
import { type SuiteSummary, listSuites } from '@lethe/data';
import { SCORERS } from '@lethe/scorers';
import type { Output } from './output.js';
import { installedPlugins, leaveOut, ofKind } from './installed.js';
import { PATHS } from './paths.js';
import { suiteOfPlugin } from './suites.js';

/** One thing that can be named on the command line. */
export interface Listed {
  readonly name: string;
  readonly version?: string;
  readonly description?: string;
}

/** What one must know of a suite before running it: its kind and sizes, and whether its rows are there. */
export const suiteNotes = ({ kind, sizes, needsData, probesOnly, supersededBy }: SuiteSummary): string => [
  kind, probesOnly ? 'probes for other suites' : `sizes ${sizes.join(', ')}`,
  ...(needsData ? ['needs --data-dir'] : []),
  ...(supersededBy === undefined ? [] : [`superseded by ${supersededBy}`]),
].join('; ');

/** What a scorer judges. */
export const describeScorer = ({ needs, needsSource }: Scorer): string =>
  (needs === 'options' ? 'judges the option that was chosen' : `judges what was written${needsSource ? ', beside what it rewrites' : ''}`);

/** What plugins of a kind say of themselves. */
function pluginsOf(kind: PluginKind, folders: readonly string[]): Listed[] {
  return ofKind(kind, installedPlugins(folders).plugins)
    .map(({ manifest: { name, version, description } }) => ({ name, version, description }));
}

/** The installed suites, and those that are plugins. */
export function suites(plugins: readonly string[]): (SuiteSummary & Listed)[] {
  const files = ofKind('suite', installedPlugins(plugins).plugins).flatMap((plugin) => {
    try {
      return [suiteOfPlugin(plugin)];
    } catch (error) {
      leaveOut(plugin, error);
      return [];
    }
  });
  return listSuites(PATHS.suites, files).map((suite) => ({ ...suite, name: suite.id, description: `${suite.title} (${suiteNotes(suite)})` }));
}

const LISTS: Readonly<Record<string, (plugins: readonly string[]) => Listed[]>> = {
  methods: (plugins) => pluginsOf('method', plugins),
  suites,
  scorers: (plugins) => [...SCORERS.map((scorer) => ({ name: scorer.id, description: describeScorer(scorer) })), ...pluginsOf('scorer', plugins)],
  models: (plugins) => pluginsOf('model', plugins),
};

/**
 * What is installed of a kind: methods, suites, scorers or models.
 *
 * @param plugins folders of plugins beside those that are installed
 * @throws LetheError LETHE_USAGE for another kind
 */
export function listed(kind: string, plugins: readonly string[] = []): Listed[] {
  const kinds = Object.keys(LISTS);
  const list = Object.hasOwn(LISTS, kind) ? LISTS[kind] : undefined;
  if (!list) {
    throw new LetheError('LETHE_USAGE', `"${kind}" cannot be listed.${didYouMean(kind, kinds)}`, { remedy: `list one of: ${kinds.join(', ')}` });
  }
  return list(plugins);
}

/** The kind of plugin that a word names, one or several of it; undefined for another word. */
export const kindNamed = (word: string): PluginKind | undefined =>
  PLUGIN_KINDS.find((kind) => word === kind || word === `${kind}s`);

/** The kind of which something that is installed has this name; undefined where nothing has. */
export const kindWith = (name: string): PluginKind | undefined =>
  PLUGIN_KINDS.find((kind) => listed(`${kind}s`).some((item) => item.name === name));

/** `lethe list KIND`. */
export function listCommand(kind: string, { json, plugins }: { json: boolean; plugins: readonly string[] }, output: Output): void {
  const items = listed(kind, plugins);
  if (json) return output.data(JSON.stringify(items, null, 2));
  if (items.length === 0) return output.note(`no ${kind} are installed`);
  const width = Math.max(...items.map(({ name }) => name.length));
  for (const { name, version, description } of items) {
    output.data([name.padEnd(width), version, description].filter((part) => part !== undefined).join('  ').trimEnd());
  }
}
