import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { LETHE_VERSION, LetheError, PLUGIN_KEYWORD, quoted } from '@lethe/core';
import { findScorer } from '@lethe/scorers';
import { type Command, Option } from 'commander';
import { checkName, writeFolder } from './new-folder.js';
import type { Output } from './output.js';
import { installedPlugins, ofKind } from './installed.js';
import { PATHS, here, inRoot, npmRun, tool, typed } from './paths.js';

/** The kinds whose code is written from a template. */
const KINDS = ['method', 'scorer'] as const;
type Kind = (typeof KINDS)[number];

/** What one is, in the words of the help. */
const WRITTEN: Readonly<Record<Kind, string>> = {
  method: 'a plugin folder whose method runs and whose tests pass',
  scorer: 'a plugin folder whose scorer judges written answers and whose tests pass',
};

/** `sd-lora` to `SdLora`; a class cannot begin with a digit. */
function classOf(name: string): string {
  const words = name.split('-').map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
  return /^\d/.test(words) ? `Method${words}` : words;
}

/** Throws LETHE_PLUGIN_DUPLICATE where an installed plugin of the kind, or a scorer of Lethe itself, has the name. */
function checkFree(kind: Kind, name: string): void {
  const { plugins, broken } = installedPlugins();
  const other = ofKind(kind, plugins).find(({ manifest }) => manifest.name === name) ?? broken.find((plugin) => plugin.kind === kind && plugin.name === name);
  if (other || (kind === 'scorer' && findScorer(name))) {
    throw new LetheError('LETHE_PLUGIN_DUPLICATE', `There is a ${kind} called "${name}" already.`, { ...(other && { where: other.file }), remedy: 'Choose another name.' });
  }
}

const pathFrom = (folder: string, path: string) => relative(folder, path).replaceAll(sep, '/');

/** A file of the template, made the new plugin's own: the template's name stands for it, as does that of its class. */
function filled(text: string, kind: Kind, name: string, folder: string): string {
  const template = `template-${kind}`;
  return text.replaceAll(classOf(template), classOf(name)).replaceAll(template, name)
    .replace(/"\$schema": "[^"]*"/, `"$schema": "${pathFrom(folder, join(PATHS.coreSchemas, 'plugin.schema.json'))}"`)
    .replace(/"lethe": "[^"]*"/, `"lethe": "^${LETHE_VERSION}"`);
}

/** What a plugin needs that is compiled by itself: it is an npm package, whose types are those of this installation. */
function packageFiles(name: string, folder: string): Record<string, string> {
  const at = (path: string) => [pathFrom(folder, join(PATHS.root, path))];
  const compilerOptions = {
    target: 'es2023', module: 'nodenext', strict: true, sourceMap: true, exactOptionalPropertyTypes: true, skipLibCheck: true,
    rootDir: '.', outDir: 'dist', types: ['mocha'], typeRoots: at('node_modules/@types'),
    paths: {
      '@lethe/core': at('packages/core/dist/src/index.d.ts'),
      '@lethe/core/tensor': at('packages/core/dist/src/tensor.d.ts'),
      '@lethe/testkit': at('packages/testkit/dist/src/index.d.ts'),
      '@tensorflow/tfjs': at('node_modules/@tensorflow/tfjs/dist/index.d.ts'),
      chai: at('node_modules/@types/chai/index.d.ts'),
    },
  };
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  return {
    'package.json': json({
      name, version: '0.1.0', type: 'module', main: 'dist/index.js', keywords: [PLUGIN_KEYWORD], files: ['plugin.json', 'dist'],
    }),
    'tsconfig.json': json({ compilerOptions, include: ['*.ts'] }),
  };
}

/** The module that lends a plugin elsewhere what it imports, as node takes it here. */
const lender = (module = '@lethe/core/lend') => quoted(inRoot() ? module : import.meta.resolve(module));

/** How the new plugin is tested, once it is built. */
const testOf = (flags: string, tests: string) => tool(`mocha --no-config --timeout 180000 ${flags}${typed(tests)}`);

/** How the new plugin is tried. */
function trialOf(kind: Kind, name: string, plugins: string): string {
  return kind === 'method' ? `${npmRun('lethe --')} run domain-mini --size quick ${plugins}--methods ${name}`
    : `a task of a suite names it: written: { scorer: ${name}, maxTokens: 16, stop: [] }${plugins && `; then ${plugins.trim()} wherever that suite is named`}`;
}

/**
 * `lethe new method NAME`, `lethe new scorer NAME`: writes a plugin that works, with its test, to be changed into another. All of it is
 * written, or nothing.
 *
 * @param parent the folder that gets the folder of the plugin; outside of this installation's plugins it is an npm package of its own
 * @throws LetheError LETHE_PLUGIN_DUPLICATE, and the errors of `checkName` and `writeFolder`
 */
function newPlugin(kind: Kind, name: string, parent: string, output: Output): void {
  const folder = join(resolve(parent), name);
  const inside = resolve(parent) === PATHS.plugins;
  checkName(kind, name, (near) => `${near}${inside ? '' : ` --dir ${typed(parent)}`}`);
  checkFree(kind, name);
  const source = join(PATHS.templates, `template-${kind}`);
  const template = Object.fromEntries(readdirSync(source).map((file) => [file, filled(readFileSync(join(source, file), 'utf8'), kind, name, folder)]));
  writeFolder(folder, { ...template, ...(inside ? {} : packageFiles(name, folder)) });
  const shown = typed(folder);
  output.data(here(folder));
  output.note(inside
    ? `build and test it:  ${npmRun('build')} && ${testOf('', join(PATHS.root, 'dist/plugins', name))}`
    : `build and test it:  ${tool(`tsc -p ${shown}`)} && ${testOf(`--import=${lender()} `, join(folder, 'dist'))}`);
  output.note(`try it:             ${trialOf(kind, name, inside ? '' : `--plugins ${shown} `)}`);
  output.note(`check it:           ${npmRun('lethe --')} validate ${shown}`);
}

/** Adds `lethe new method` and `lethe new scorer`. */
export function addNewPlugins(command: Command, output: Output): void {
  for (const kind of KINDS) {
    command.command(`${kind} <name>`)
      .description(WRITTEN[kind])
      .addOption(new Option('--dir <folder>', 'where its folder goes').default(PATHS.plugins, 'plugins of this installation, where it is built and found'))
      .action((name: string, { dir }: { dir: string }) => newPlugin(kind, name, dir, output));
  }
}
