import { LETHE_VERSION } from '@lethe/core';
import type { Configuration } from '../src/run/configuration.js';

type Method = Configuration['methods'][number];

/** What a run may be for, where it is not as in {@link recordText}. */
export interface Recorded extends Partial<Omit<Configuration, 'methods' | 'suite'>> {
  readonly methods?: readonly Partial<Method>[];
  readonly suite?: Partial<Configuration['suite']>;
}

const hash = '0'.repeat(64);

/** A method of a configuration. */
const method = (given: Partial<Method>): Method => ({
  id: 'ewc', version: '1.0.0', options: {}, capabilities: { rehearsal: false, taskIdentity: false, growth: 'none', bound: false }, stream: 'continual',
  manifest: '/none/plugin.json', codePath: '/none/index.js', ...given,
});

/** The text of a `run.json` as `lethe run --workers 1` writes it: of one method on two tasks, with a seed. */
export function recordText({ methods = [{}], suite, ...rest }: Recorded = {}): string {
  const configuration: Configuration = {
    suite: { id: 's', version: '1.0.0', size: 'full', reference: { reference: 's', suitesDir: '/none', builtDir: '/none' }, data: { x: hash, y: hash }, ...suite },
    methods: methods.map(method), orders: [{ id: '1', tasks: ['x', 'y'] }], seeds: [1], model: { id: 'tiny', sha256: hash, dir: '/none' }, devices: ['cpu'], threads: 1,
    training: { epochs: 1, batch: 4, learningRate: 1e-3, warmup: 0.1, weightDecay: 0, clip: 1, rank: 2, alpha: 4, sites: ['q'], maxTokens: 32 },
    ...rest,
  };
  return JSON.stringify({ schema: 'lethe.run/1', lethe: LETHE_VERSION, configuration, code: {}, workers: 1 });
}
