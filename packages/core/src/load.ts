import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { LetheError } from './errors.js';
import type { Method } from './method.js';

/** Whether code at this path finds the contracts by itself. */
function findsContracts(codePath: string): boolean {
  try {
    createRequire(codePath).resolve('@lethe/core');
    return true;
  } catch {
    return false;
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
      remedy: 'Build it: npm run build for a method in plugins, npx tsc -p FOLDER for one elsewhere.',
    });
  }
  let exported: unknown;
  try {
    if (!findsContracts(codePath)) await import('./lend.js');
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
