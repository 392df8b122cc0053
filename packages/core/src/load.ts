import { pathToFileURL } from 'node:url';
import { LetheError } from './errors.js';
import type { Method } from './method.js';

/**
 * The method that a compiled module exports by default.
 *
 * @throws LETHE_PLUGIN_EXPORT where the module cannot be imported or its default export is not a Method
 */
export async function loadMethod(codePath: string): Promise<Method> {
  let exported: unknown;
  try {
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
