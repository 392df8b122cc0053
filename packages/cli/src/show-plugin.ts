import { resolve } from 'node:path';
import Table from 'cli-table3';
import { BUDGET_LEFT_OUT, type FoundPlugins, LetheError, type Manifest, type Plugin, type PluginKind, budgetWords, didYouMean, findPlugin, isPath, valueWords } from '@lethe/core';
import { type SuiteSummary, type TaskDefinition, readSuiteFile, suiteUnknown, summaryAt } from '@lethe/data';
import { SCORERS } from '@lethe/scorers';
import { describeScorer, suiteNotes, suites } from './list.js';
import type { Output } from './output.js';
import { installedPlugins, pluginAt } from './installed.js';
import { PATHS, here } from './paths.js';
import { LINES, plainLines, plainTable } from './plain-table.js';

function optionsTable(properties: Manifest['options']['properties']): string[] {
  const table = new Table({
    head: ['option', 'default', 'values', 'description'], chars: LINES, wordWrap: true, colWidths: [null, null, null, 72],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  table.push(...Object.entries(properties).map(([name, schema]) =>
    [name, JSON.stringify(schema['default']), valueWords(schema) ?? '', String(schema['description'])]));
  return plainLines(table);
}

/** What a method declares of itself, in words. */
function declaredOf({ stream, capabilities: { rehearsal, pseudoRehearsal, taskIdentity, growth, bound } }: Manifest): string {
  const growths = { none: 'does not grow with the tasks', linear: 'grows with every task', sublinear: 'grows less with every task' } as const;
  return [
    stream === 'joint' ? 'learns all tasks at once' : 'learns one task after another',
    rehearsal ? 'keeps rows of earlier tasks' : 'keeps no rows',
    ...(pseudoRehearsal ? ['trains on rows that it makes itself'] : []),
    taskIdentity ? 'is told the task when it predicts' : 'is not told the task when it predicts',
    growths[growth],
    ...(bound ? ['a bound, not a competitor'] : []),
  ].join('; ');
}

/** What a plugin says of itself first: name and version, what it is, its licence and place. */
const headOf = ({ manifest: { name, version, description, paper, licence }, file }: Plugin, ...own: readonly string[]): string[] =>
  [`${name} ${version}: ${description}`, ...own, ...(paper === undefined ? [] : [`paper ${paper}`]), `${licence}; ${here(file)}`];

/** What is shown of one thing: as JSON, or as lines. */
interface Shown {
  readonly json: unknown;
  readonly lines: readonly string[];
}

/** The plugin of a name, or in the folder that is named by a path. */
const pluginOf = (kind: PluginKind, name: string, plugins: FoundPlugins, others: readonly string[] = []): Plugin =>
  (isPath(name) ? pluginAt(kind, resolve(name)) : findPlugin(plugins, kind, name, others));

function method(name: string, plugins: FoundPlugins): Shown {
  const plugin = pluginOf('method', name, plugins);
  const options = plugin.manifest.options.properties;
  return {
    json: plugin.manifest,
    lines: [...headOf(plugin, declaredOf(plugin.manifest)), '', ...(Object.keys(options).length === 0 ? ['no options'] : optionsTable(options))],
  };
}

function scorer(name: string, plugins: FoundPlugins): Shown {
  const own = SCORERS.find(({ id }) => id === name);
  if (own) return { json: { id: own.id, needs: own.needs, needsSource: own.needsSource }, lines: [`${own.id}: ${describeScorer(own)}`] };
  const plugin = pluginOf('scorer', name, plugins, SCORERS.map(({ id }) => id));
  return { json: plugin.manifest, lines: headOf(plugin) };
}

function model(name: string, plugins: FoundPlugins): Shown {
  const plugin = pluginOf('model', name, plugins);
  return { json: plugin.manifest, lines: headOf(plugin) };
}

/** How the tasks of a suite are answered. */
function answersOf(task: TaskDefinition): string {
  if (task.written) return `written, scored by ${task.written.scorer}`;
  if (task.rows === 'generated') return 'one of the options of a row';
  return task.labels.length > 0 ? `one of ${task.labels.length} labels` : 'one of the choices of a row';
}

function suiteOf(name: string, folders: readonly string[]): SuiteSummary {
  if (isPath(name)) return summaryAt(resolve(name), { suitesDir: PATHS.suites, builtDir: PATHS.builtSuites });
  const all = suites(folders);
  const found = all.find(({ id }) => id === name);
  if (found) return found;
  throw suiteUnknown(name, all.map(({ id }) => id), PATHS.suites);
}

function suite(name: string, folders: readonly string[]): Shown {
  const found = suiteOf(name, folders);
  const definition = readSuiteFile(found.file);
  const { id, version, title, description, licence, tasks, orders, prompts = {}, training, sizes } = definition;
  return {
    json: definition,
    lines: [
      `${id} ${version}: ${title}`, description.trim(), suiteNotes(found), `${licence}; ${here(found.file)}`, '',
      ...plainTable(['task', 'title', 'answers'], tasks.map((task) => [task.id, task.title, answersOf(task)]), [0, 1, 2]),
      ...(orders.length > 0 ? ['', ...orders.map((order) => `order ${order.id}: ${order.tasks.join(', ')}`)] : []),
      ...Object.entries(prompts).map(([id, what]) => `prompts ${id}: ${what}`),
      ...(training ? [`training: ${budgetWords({ ...training, ...BUDGET_LEFT_OUT, ...training }).join(', ')}`] : []),
      ...Object.entries(sizes).flatMap(([size, { training: other }]) => (other ? [`training of size ${size}: ${budgetWords(other).join(', ')}`] : [])),
    ],
  };
}

/**
 * `lethe show KIND NAME`: what a method, suite, scorer or model says of itself, be it installed or in a folder: a method with its options, their
 * defaults and bounds, a suite with its tasks and orders.
 *
 * @param name or the path of the plugin's folder, or of a suite.yaml
 * @param folders plugins beside those that are installed
 * @throws LetheError LETHE_USAGE for another kind, LETHE_PLUGIN_UNKNOWN or LETHE_SUITE_UNKNOWN for another name, LETHE_SUITE_INVALID, and the errors of `installedPlugins`
 */
export function showPlugin(kind: string, name: string, { json, plugins: folders }: { json: boolean; plugins: readonly string[] }, output: Output): void {
  const kinds: Readonly<Record<PluginKind, () => Shown>> = {
    method: () => method(name, installedPlugins(folders)), suite: () => suite(name, folders),
    scorer: () => scorer(name, installedPlugins(folders)), model: () => model(name, installedPlugins(folders)),
  };
  if (!Object.hasOwn(kinds, kind)) {
    throw new LetheError('LETHE_USAGE', `"${kind} ${name}" cannot be shown.${didYouMean(kind, Object.keys(kinds))}`, {
      remedy: `lethe show RUN, or lethe show KIND NAME, where KIND is ${Object.keys(kinds).join(', ')}`,
    });
  }
  const shown = kinds[kind as PluginKind]();
  output.data(json ? JSON.stringify(shown.json, null, 2) : shown.lines.join('\n'));
}
