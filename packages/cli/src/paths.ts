import { fileURLToPath } from 'node:url';
import { type Plugin, discoverPlugins } from '@lethe/core';

const at = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

/** Where the parts of this installation lie. Absolute. */
export const PATHS = {
  plugins: at('plugins'),
  builtPlugins: at('dist/plugins'),
  suites: at('suites'),
  builtSuites: at('dist/suites'),
  models: at('packages/model'),
  entries: at('leaderboard/entries'),
  site: at('leaderboard/site'),
} as const;

/** The plugins of this installation. Throws the errors of `discoverPlugins`. */
export function installedPlugins(): Plugin[] {
  return discoverPlugins([{ manifests: PATHS.plugins, code: PATHS.builtPlugins }]);
}
