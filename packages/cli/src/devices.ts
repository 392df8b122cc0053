import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LetheError } from '@lethe/core';
import { PATHS } from './paths.js';
import { parseList } from './run/request.js';

/** Whether a device can be used, and what to do where it cannot. */
export interface DeviceState {
  readonly works: boolean;
  readonly message?: string;
  readonly remedy?: string;
}

/** Longer than a driver takes to start, in ms. */
const PATIENCE = 60_000;

/** Runs a small program on a device, in a process of its own. */
async function probeDevice(name: string): Promise<DeviceState> {
  const script = fileURLToPath(new URL('./device-probe.js', import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, name], { timeout: PATIENCE });
    return JSON.parse(stdout) as DeviceState;
  } catch (error) {
    return { works: false, message: `Device "${name}" ended its process: ${(error as Error).message.split('\n')[0]}`, remedy: 'Choose device cpu.' };
  }
}

/** Whether the runtime was installed with its CUDA provider, which is no part of its npm package. */
function hasCuda(): boolean {
  const entry = createRequire(join(PATHS.models, '..', 'engine', 'package.json')).resolve('onnxruntime-node');
  const folder = join(dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch);
  return ['libonnxruntime_providers_cuda.so', 'onnxruntime_providers_cuda.dll'].some((file) => existsSync(join(folder, file)));
}

const absent = (name: string, why: string, remedy: string): DeviceState => ({ works: false, message: `Device "${name}" is not there: ${why}.`, remedy });

/** On Linux alone the driver is a package that may be missing; NVIDIA's is part of its own. */
const MESA = process.platform === 'linux' ? 'For a GPU of Intel or AMD on Debian and Ubuntu: apt-get install mesa-vulkan-drivers; else choose device cpu.' : 'Choose device cpu.';

/** Whether a device can be used. What the runtime says of GPUs that are not there names no remedy, and is replaced. */
export async function deviceState(name: string): Promise<DeviceState> {
  if (/^cuda(:\d+)?$/.test(name) && !hasCuda()) {
    return absent(name, 'the runtime was installed without CUDA', 'Where there is an NVIDIA GPU: node node_modules/onnxruntime-node/script/install.js; else choose device cpu.');
  }
  const state = await probeDevice(name);
  return name === 'webgpu' && !state.works ? absent(name, 'it needs a GPU with a Vulkan, Metal or Direct3D 12 driver', MESA) : state;
}

/**
 * The device that a name stands for: `auto` is the first NVIDIA GPU where it can be used, else the cpu. (Small models run
 * faster on a cpu than through WebGPU, which is taken by its name only.)
 *
 * @throws LETHE_ENGINE_DEVICE for a device that is not known or does not work
 */
export async function chooseDevice(name: string): Promise<string> {
  if (name === 'cpu') return name;
  if (name === 'auto') return (await deviceState('cuda:0')).works ? 'cuda:0' : 'cpu';
  const { works, message, remedy } = await deviceState(name);
  if (works) return name;
  throw new LetheError('LETHE_ENGINE_DEVICE', message ?? `Device "${name}" does not work.`, {
    where: '--device', remedy: remedy ?? 'See what there is with: lethe doctor',
  });
}

/**
 * The devices that runs are made on, side by side: the one that a name stands for, or several NVIDIA GPUs, `cuda:0,cuda:1`.
 *
 * @throws LETHE_USAGE for several that would not give the same numbers, and the errors of {@link chooseDevice}
 */
export async function chooseDevices(names: string): Promise<string[]> {
  const all = parseList('--device', names);
  const other = all.length > 1 ? all.find((name) => !/^cuda:\d+$/.test(name)) : undefined;
  if (other !== undefined) {
    throw new LetheError('LETHE_USAGE', `--device "${names}": runs are made side by side on several GPUs of NVIDIA alone, and "${other}" is none.`, {
      remedy: 'Name one device, or GPUs by their numbers: --device cuda:0,cuda:1',
    });
  }
  return Promise.all(all.map(chooseDevice));
}
