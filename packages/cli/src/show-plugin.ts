import Table from 'cli-table3';
import { LetheError, type Manifest, didYouMean, findPlugin } from '@lethe/core';
import type { Output } from './output.js';
import { here, installedPlugins } from './paths.js';
import { LINES, plainLines } from './plain-table.js';

/** What a manifest says of one option. */
interface OptionSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default: unknown;
  readonly description: string;
}

/** The values that an option may have, in words: `0 to 1`, `any of "a", "b"`, `true or false`, `text`. */
function valuesOf({ type, enum: values, minimum, maximum }: OptionSchema): string {
  if (values) return `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`;
  if (type === 'boolean') return 'true or false';
  if (type === 'number' || type === 'integer') return `${minimum} to ${maximum}${type === 'integer' ? ', whole' : ''}`;
  return type === 'array' ? 'a list' : 'a text';
}

function optionsTable(properties: Manifest['options']['properties']): string[] {
  const table = new Table({
    head: ['option', 'default', 'values', 'description'], chars: LINES, wordWrap: true, colWidths: [null, null, null, 72],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  table.push(...Object.entries(properties).map(([name, schema]) => {
    const option = schema as unknown as OptionSchema;
    return [name, JSON.stringify(option.default), valuesOf(option), option.description];
  }));
  return plainLines(table);
}

/** What a method declares of itself, in words. */
function declaredOf({ stream, capabilities: { rehearsal, taskIdentity, growth, bound } }: Manifest): string {
  const growths = { none: 'does not grow with the tasks', linear: 'grows with every task', sublinear: 'grows less with every task' } as const;
  return [
    stream === 'joint' ? 'learns all tasks at once' : 'learns one task after another',
    rehearsal ? 'keeps rows of earlier tasks' : 'keeps no rows',
    taskIdentity ? 'is told the task when it predicts' : 'is not told the task when it predicts',
    growths[growth],
    ...(bound ? ['a bound, not a competitor'] : []),
  ].join('; ');
}

/**
 * `lethe show method NAME`: what an installed method says of itself, with its options, their defaults and bounds.
 *
 * @param plugins folders of plugins beside those that are installed
 * @throws LetheError LETHE_USAGE for another kind, and the errors of `installedPlugins` and `findPlugin`
 */
export function showPlugin(kind: string, name: string, { json, plugins }: { json: boolean; plugins: readonly string[] }, output: Output): void {
  if (kind !== 'method') {
    throw new LetheError('LETHE_USAGE', `"${kind} ${name}" cannot be shown.${didYouMean(kind, ['method'])}`, { remedy: 'lethe show RUN, or lethe show method NAME' });
  }
  const { manifest, file } = findPlugin(installedPlugins(plugins), 'method', name);
  if (json) return output.data(JSON.stringify(manifest, null, 2));
  const options = manifest.options.properties;
  output.data([
    `${name} ${manifest.version}: ${manifest.description}`,
    declaredOf(manifest),
    ...(manifest.paper === undefined ? [] : [`paper ${manifest.paper}`]),
    `${manifest.licence}; ${here(file)}`,
    '',
    ...(Object.keys(options).length === 0 ? ['no options'] : optionsTable(options)),
  ].join('\n'));
}
