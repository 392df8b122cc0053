import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { LETHE_VERSION } from '@lethe/core';
import { type DeviceState, deviceState } from './devices.js';
import { listed } from './list.js';
import type { Output } from './output.js';
import { PATHS } from './paths.js';

/** The version of a package that the engine can load, or null. */
function versionOf(name: string): string | null {
  const roots = createRequire(join(PATHS.models, '..', 'engine', 'package.json')).resolve.paths(name) ?? [];
  const file = roots.map((root) => join(root, name, 'package.json')).find((path) => existsSync(path));
  return file === undefined ? null : (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** What to say of a device: that it works, or why not and what to do. */
function describe(name: string, { works, message = '', remedy }: DeviceState): string {
  if (works) return `${name}: works`;
  const why = message.replace(`Device "${name}" is not there: `, '').replace(/\.$/, '');
  return `${name}: not here; ${why}. ${remedy}`;
}

/** The state of a device; of GPUs that are numbered, of all there are, or of the first where there is none. */
async function statesOf(name: string): Promise<[device: string, state: DeviceState][]> {
  if (name !== 'cuda') return [[name, await deviceState(name)]];
  const states: [string, DeviceState][] = [];
  for (;;) {
    const device = `${name}:${states.length}`;
    const state = await deviceState(device);
    if (state.works || states.length === 0) states.push([device, state]);
    if (!state.works) return states;
  }
}

/** `lethe doctor`: what this machine and installation offer, and the command that adds what is missing. */
export async function doctorCommand(output: Output): Promise<void> {
  const line = (name: string, value: string) => output.data(`${name.padEnd(16)}${value}`);
  const names = (kind: string, add: string) => listed(kind).map(({ name }) => name).join(', ') || `none; ${add}`;
  const optional = (name: string, add: string) => versionOf(name) ?? `missing; add it with: ${add}`;
  line('lethe', LETHE_VERSION);
  line('node', process.version);
  line('cores', String(availableParallelism()));
  line('memory', `${(totalmem() / 2 ** 30).toFixed(1)} GiB`);
  line('onnxruntime', optional('onnxruntime-node', 'npm install'));
  for (const name of ['cpu', 'webgpu', 'cuda', 'wasm', 'tfjs-node', 'tfjs-node-gpu']) {
    for (const [device, state] of await statesOf(name)) line('device', describe(device, state));
  }
  line('models', names('models', 'give a folder of your own or a model of the hub with: lethe run … --model DIR or OWNER/NAME'));
  const { MODEL_TYPES } = await import('@lethe/model'); // the tensor library, which no other command of this kind needs
  line('architectures', MODEL_TYPES.join(', '));
  line('suites', names('suites', 'npm run build'));
  line('methods', names('methods', 'npm run build'));
}
