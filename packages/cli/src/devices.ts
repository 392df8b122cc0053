import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LetheError } from '@lethe/core';
import { PATHS } from './paths.js';

/** Whether a device can be used, and what to do where it cannot. */
export interface DeviceState {
  readonly works: boolean;
  readonly message?: string;
  readonly remedy?: string;
}

/** Longer than a driver takes to start, in ms. */
const PATIENCE = 60_000;

/** Runs a small program on a device, in a process of its own. */
export async function probeDevice(name: string): Promise<DeviceState> {
  const script = fileURLToPath(new URL('./device-probe.js', import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, name], { timeout: PATIENCE });
    return JSON.parse(stdout) as DeviceState;
  } catch (error) {
    return { works: false, message: `Device "${name}" ended its process: ${(error as Error).message.split('\n')[0]}`, remedy: 'Choose device cpu.' };
  }
}

/** Whether the runtime was installed with its CUDA provider, which is no part of its npm package. */
export function hasCuda(): boolean {
  const entry = createRequire(join(PATHS.models, '..', 'engine', 'package.json')).resolve('onnxruntime-node');
  const folder = join(dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch);
  return ['libonnxruntime_providers_cuda.so', 'onnxruntime_providers_cuda.dll'].some((file) => existsSync(join(folder, file)));
}

/**
 * The device that a name stands for: `auto` is the first NVIDIA GPU where it can be used, else the cpu. (Small models run
 * faster on a cpu than through WebGPU, which is taken by its name only.)
 *
 * @throws LETHE_ENGINE_DEVICE for a device that is not known or does not work
 */
export async function chooseDevice(name: string): Promise<string> {
  if (name === 'cpu') return name;
  if (name === 'auto') return hasCuda() && (await probeDevice('cuda:0')).works ? 'cuda:0' : 'cpu';
  const { works, message, remedy } = await probeDevice(name);
  if (works) return name;
  throw new LetheError('LETHE_ENGINE_DEVICE', message ?? `Device "${name}" does not work.`, {
    where: '--device', remedy: remedy ?? 'See what there is with: lethe doctor',
  });
}
