import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { discoverPlugins, findPlugin, pluginsIn, resolveOptions } from '@lethe/core';
import { loadSuite } from '@lethe/data';
import type { Job } from '@lethe/harness';
import { loadModel } from '@lethe/model';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const plugins = discoverPlugins(pluginsIn(join(root, 'plugins')));

/** A real language model: the one that comes with Lethe, or one beside the repository; undefined where there is none. */
export const MODEL = [join(root, 'packages/model/lethe-nano'), join(root, '../shared/models/english-mini')]
  .find((folder) => existsSync(join(folder, 'model.safetensors')));

export interface JobDetails {
  readonly seed?: number;
  readonly order?: string;
  /** The code of a method that is no plugin. */
  readonly codePath?: string;
}

/** Makes jobs of the smallest size of the test suite, all in one run folder. */
export async function jobMaker(outDir: string): Promise<(method: string, details?: JobDetails) => Job> {
  const reference = { reference: join(root, 'test/fixtures/two-trades'), suitesDir: join(root, 'suites'), builtDir: join(root, 'dist/suites'), size: 'tiny' };
  const suite = await loadSuite(reference);
  const model = await loadModel(MODEL!);
  return (method, { seed = 1, order = '1', codePath } = {}) => {
    const plugin = codePath === undefined ? findPlugin(plugins, 'method', method) : undefined;
    return {
      identity: {
        suite: { id: suite.id, version: suite.version, size: suite.size },
        method: {
          id: method, version: '1.0.0', options: plugin ? resolveOptions(plugin, {}) : {},
          capabilities: plugin?.manifest.capabilities ?? { rehearsal: false, taskIdentity: false, growth: 'none', bound: false },
        },
        model: { id: model.id, sha256: model.sha256 }, order: suite.orders.find(({ id }) => id === order)!, seed, training: suite.training,
      },
      codePath: codePath ?? plugin!.codePath, stream: plugin?.manifest.stream ?? 'continual',
      suite: reference, modelDir: MODEL!, device: 'cpu', threads: 1, outDir, origin: { lethe: '0.1.0', git: null },
    };
  };
}
