import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LetheError } from './errors.js';
import { frameWithin, framesIn } from './frame.js';
import type { PluginKind } from './manifest.js';
import type { Method } from './method.js';
import type { Scorer } from './scorer.js';

/** Whether code at this path finds the contracts by itself. */
function findsContracts(codePath: string): boolean {
  try {
    createRequire(codePath).resolve('@lethe/core');
    return true;
  } catch {
    return false;
  }
}

/** Where the code of a folder is no JavaScript, as `path:line`, the module of this path first: an error of `import` does not say. */
function syntaxFault(codePath: string, { message }: SyntaxError): string | undefined {
  const folder = dirname(codePath);
  const others = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => /\.[cm]?js$/.test(path) && !path.split(sep).includes('node_modules'));
  for (const file of new Set([codePath, ...others.map((path) => join(folder, path))])) {
    const { status, stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' });
    const [frame] = status !== 0 && stderr.includes(message) ? framesIn(stderr) : [];
    if (frame) return `${frame.file}:${frame.line}`;
  }
  return undefined;
}

/**
 * What the compiled module of a plugin exports by default. Where the module lies outside of this installation, `@lethe/core`,
 * `@lethe/model`, `@lethe/testkit` and `@tensorflow/tfjs` are those of this installation unless it has its own.
 *
 * @param fault what keeps the export from being a plugin of this kind and how to write one, or null
 * @throws LETHE_PLUGIN_EXPORT where there is no module, it cannot be imported or its default export has a fault
 */
export async function loadExport<T>(
  codePath: string, kind: PluginKind, fault: (exported: Partial<T> | undefined) => { readonly message: string; readonly remedy: string } | null,
): Promise<T> {
  if (!existsSync(codePath)) {
    throw new LetheError('LETHE_PLUGIN_EXPORT', `The code of the ${kind} is not there, or not built.`, {
      where: codePath,
      remedy: 'Build it: npm run build for a plugin in plugins, npx tsc -p FOLDER for one elsewhere.',
    });
  }
  let exported: unknown;
  try {
    if (!findsContracts(codePath)) await import('./lend.js');
    exported = ((await import(pathToFileURL(codePath).href)) as { default?: unknown }).default;
  } catch (cause) {
    const place = frameWithin(cause, dirname(codePath)) ?? (cause instanceof SyntaxError ? syntaxFault(codePath, cause) : undefined);
    throw new LetheError('LETHE_PLUGIN_EXPORT', `The code of the ${kind} cannot be imported: ${cause instanceof Error ? cause.message : String(cause)}`, {
      where: place ?? codePath, cause,
      remedy: place === undefined ? 'Build the plugin, and import it alone with node to see what is wrong.' : 'Mend what is at this line, and build the plugin again.',
    });
  }
  const found = fault(exported as Partial<T> | undefined);
  if (found === null) return exported as T;
  throw new LetheError('LETHE_PLUGIN_EXPORT', `The default export is not a ${kind}: ${found.message}`, { where: codePath, remedy: found.remedy });
}

/** {@link loadExport} of a method. */
export function loadMethod(codePath: string): Promise<Method> {
  return loadExport<Method>(codePath, 'method', (exported) => (typeof exported?.create === 'function' ? null : {
    message: 'it has no function "create".', remedy: 'Write `const method: Method = { create(host, options) { … } }; export default method;`.',
  }));
}

/** {@link loadExport} of a scorer, which judges what a model writes: of options the right one is right, and nothing else. */
export function loadScorer(codePath: string): Promise<Scorer> {
  return loadExport<Scorer>(codePath, 'scorer', (exported) => {
    const missing = typeof exported?.score !== 'function' ? 'no function "score"' : typeof exported.id !== 'string' ? 'no "id"'
      : exported.needs !== 'text' ? 'no "needs" that is "text"' : typeof exported.needsSource !== 'boolean' ? 'no "needsSource" that is true or false' : null;
    return missing && {
      message: `it has ${missing}.`,
      remedy: "Write `const scorer: Scorer = { id: '…', needs: 'text', needsSource: false, score(prediction, references) { … } }; export default scorer;`.",
    };
  });
}
