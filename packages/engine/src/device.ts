import * as ort from 'onnxruntime-node';
import * as tf from '@tensorflow/tfjs';
import { LetheError } from '@lethe/core';
import { EAGER_DEVICES, openEager } from './eager.js';
import { checkConstants, checkFeeds } from './feeds.js';
import { optimise } from './graph/rewrite.js';
import './gradients.js';
import './kernels/index.js';
import { runSession } from './session.js';
import { Sessions } from './sessions.js';
import { record } from './trace.js';
import type { Device, Program, ProgramDefinition, Values } from './types.js';

tf.enableProdMode();

class CompilingDevice implements Device {
  private readonly sessions: Sessions;

  constructor(
    readonly name: string,
    readonly threads: number,
  ) {
    this.sessions = new Sessions(name, threads);
  }

  async compile(definition: ProgramDefinition): Promise<Program> {
    checkConstants(definition);
    const kind = this.name.split(':')[0]!;
    const { graph, outputs } = record(definition, kind);
    const { name, inputs } = definition;
    const { session, given, release } = await this.sessions.lease(optimise(graph, kind), definition);
    return {
      name,
      inputs,
      outputs,
      run: async (feeds) => {
        checkFeeds(name, inputs, feeds);
        // an input that no output depends on is still declared, so every input is fed
        const tensors = Object.entries(inputs).map(([k, s]) => [`in:${k}`, new ort.Tensor(s.dtype, feeds[k]!, s.shape)] as const);
        const results = await runSession(session, { ...given, ...Object.fromEntries(tensors) }, name);
        return Object.fromEntries(Object.keys(outputs).map((k) => [k, results[`out:${k}`]!.data as Values]));
      },
      dispose: release,
    };
  }

  async dispose(): Promise<void> {
    await this.sessions.dispose();
  }
}

/**
 * Opens a device: `cpu`, `webgpu` and `cuda:N` compile programs; `tfjs-cpu`, `wasm`, `tfjs-node` and `tfjs-node-gpu` run the
 * same functions op by op on a backend of TensorFlow.js.
 * Throws LETHE_ENGINE_DEVICE for a name that is not known, or a backend that is not installed.
 */
export async function openDevice({ name = 'cpu', threads = 1 }: { name?: string; threads?: number } = {}): Promise<Device> {
  if (EAGER_DEVICES.includes(name)) return openEager(name);
  if (/^(cpu|webgpu|cuda(:\d+)?)$/.test(name)) return new CompilingDevice(name, threads);
  throw new LetheError('LETHE_ENGINE_DEVICE', `There is no device "${name}".`, {
    remedy: `Choose cpu, webgpu, cuda:N, ${EAGER_DEVICES.join(', ')}.`,
  });
}
