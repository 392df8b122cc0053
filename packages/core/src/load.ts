import { existsSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LetheError } from './errors.js';
import type { Method } from './method.js';

let lent = false;

/**
 * Lets code that lies outside of this installation import what plugins are made of, in this thread, from here on: the contracts and
 * the tensor library must be the same ones that run it.
 */
function lendPackages(codePath: string): void {
  if (lent) return;
  try {
    createRequire(codePath).resolve('@lethe/core');
  } catch {
    lent = true;
    register('./lend.js', import.meta.url, { data: { from: import.meta.url } });
  }
}

/**
 * The method that a compiled module exports by default. Where the module lies outside of this installation, `@lethe/core`,
 * `@lethe/testkit` and `@tensorflow/tfjs` are those of this installation unless it has its own.
 *
 * @throws LETHE_PLUGIN_EXPORT where there is no module, it cannot be imported or its default export is not a Method
 */
export async function loadMethod(codePath: string): Promise<Method> {
  if (!existsSync(codePath)) {
    throw new LetheError('LETHE_PLUGIN_EXPORT', 'The code of the method is not there, or not built.', {
      where: codePath,
      remedy: existsSync(codePath.replace(/\.js$/, '.ts')) ? `Compile it: npx tsc -p ${dirname(codePath)}` : 'npm run build, for a method in plugins; else write index.js.',
    });
  }
  let exported: unknown;
  try {
    lendPackages(codePath);
    exported = ((await import(pathToFileURL(codePath).href)) as { default?: unknown }).default;
  } catch (cause) {
    throw new LetheError('LETHE_PLUGIN_EXPORT', `The code of the method cannot be imported: ${cause instanceof Error ? cause.message : String(cause)}`, {
      where: codePath, remedy: 'Build the plugin, and import it alone with node to see what is wrong.', cause,
    });
  }
  if (typeof (exported as Partial<Method> | undefined)?.create === 'function') return exported as Method;
  throw new LetheError('LETHE_PLUGIN_EXPORT', 'The default export is not a Method: it has no function "create".', {
    where: codePath, remedy: 'Write `const method: Method = { create(host, options) { … } }; export default method;`.',
  });
}
