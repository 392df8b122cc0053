import { existsSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LetheError, type Manifest, type Method, type Plugin, capabilitiesOf, loadMethod, readManifest, resolveOptions } from '@lethe/core';

/** A method with its manifest, and the options that it is tried with. */
export interface TestedMethod {
  /** With the capabilities that it has with these options. */
  readonly manifest: Manifest;
  readonly method: Method;
  /** All options of the manifest, defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * The plugin.json of code in a folder: beside the code, or where that would be without one `dist` on the way.
 *
 * @throws LetheError LETHE_PLUGIN_UNKNOWN where there is none
 */
export function manifestOf(folder: string): string {
  const parts = folder.split(sep);
  const folders = [folder, ...parts.flatMap((part, i) => (part === 'dist' ? [parts.toSpliced(i, 1).join(sep)] : []))];
  const file = folders.map((at) => join(at, 'plugin.json')).find((at) => existsSync(at));
  if (file !== undefined) return file;
  throw new LetheError('LETHE_PLUGIN_UNKNOWN', 'There is no plugin.json beside this code.', {
    where: folder, remedy: 'Put the test into the folder of the plugin; compiled code may lie in a folder "dist" of the same shape.',
  });
}

/** The method of a plugin, to be tried with `options`: all of its manifest. Throws the errors of `loadMethod`. */
export async function testedMethod({ manifest, codePath }: Plugin, options: TestedMethod['options']): Promise<TestedMethod> {
  return { manifest: { ...manifest, capabilities: capabilitiesOf(manifest, options) }, method: await loadMethod(codePath), options };
}

/**
 * The method whose compiled `index.js` lies in the folder of a module.
 *
 * @param url of a module of the plugin, such as its test: `import.meta.url`
 * @param options those that differ from the defaults of the manifest
 * @throws LetheError the errors of {@link manifestOf}, `readManifest`, `resolveOptions` and `loadMethod`
 */
export async function methodBeside(url: string, options: Readonly<Record<string, unknown>> = {}): Promise<TestedMethod> {
  const folder = dirname(fileURLToPath(url));
  const file = manifestOf(folder);
  const plugin = { manifest: readManifest(file), file, codePath: join(folder, 'index.js') };
  return testedMethod(plugin, resolveOptions(plugin, options));
}
