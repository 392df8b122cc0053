import * as ort from 'onnxruntime-node';
import * as tf from '@tensorflow/tfjs';
import { LetheError } from '@lethe/core';
import { openEager } from './eager.js';
import { checkFeeds } from './feeds.js';
import './kernels/elementwise.js';
import './kernels/reduce.js';
import './kernels/structure.js';
import { serialise } from './onnx.js';
import { record } from './trace.js';
import type { Device, Program, ProgramDefinition, Values } from './types.js';

tf.enableProdMode();

interface Shared {
  readonly session: Promise<ort.InferenceSession>;
  users: number;
}

function sessionOptions(name: string, threads: number): ort.InferenceSession.SessionOptions {
  const [kind, index = '0'] = name.split(':');
  const options: ort.InferenceSession.SessionOptions = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    // threads that spin while they wait starve the sessions beside them
    ...(threads > 1 ? { extra: { session: { intra_op: { allow_spinning: '0' } } } } : {}),
  };
  if (kind === 'webgpu') return { ...options, executionProviders: ['webgpu'] };
  if (kind === 'cuda') return { ...options, executionProviders: [{ name: 'cuda', deviceId: Number(index) }] };
  return options;
}

class CompilingDevice implements Device {
  private readonly sessions = new Map<string, Shared>();

  constructor(readonly name: string, readonly threads: number) {}

  async compile(definition: ProgramDefinition): Promise<Program> {
    const { graph, key, outputs } = record(definition);
    const id = JSON.stringify([key, definition.inputs, outputs]);
    let shared = this.sessions.get(id);
    if (!shared) {
      const model = serialise(graph, definition.inputs, outputs);
      shared = { session: ort.InferenceSession.create(model, sessionOptions(this.name, this.threads)), users: 0 };
      this.sessions.set(id, shared);
    }
    shared.users++;
    let session: ort.InferenceSession;
    try {
      session = await shared.session;
    } catch (cause) {
      this.sessions.delete(id);
      throw new LetheError('LETHE_ENGINE_DEVICE', `Device "${this.name}" refused program "${definition.name}": ${String(cause)}`, {
        where: definition.name,
        remedy: 'Choose device cpu, or install what this device needs.',
        cause,
      });
    }
    const { name, inputs } = definition;
    let open = true;
    return {
      name,
      inputs,
      outputs,
      run: async (feeds) => {
        checkFeeds(name, inputs, feeds);
        const tensors = Object.entries(inputs).map(([k, s]) => [`in:${k}`, new ort.Tensor(s.dtype, feeds[k]!, s.shape)] as const);
        // an input that no output depends on is still declared, so every input is fed
        const results = await session.run(Object.fromEntries(tensors));
        return Object.fromEntries(Object.keys(outputs).map((k) => [k, results[`out:${k}`]!.data as Values]));
      },
      dispose: async () => {
        if (!open) return;
        open = false;
        if (--shared.users > 0 || this.sessions.get(id) !== shared) return;
        this.sessions.delete(id);
        await session.release();
      },
    };
  }

  async dispose(): Promise<void> {
    const all = [...this.sessions.values()];
    this.sessions.clear();
    for (const { session } of all) await (await session).release();
  }
}

/**
 * Opens a device: `cpu`, `webgpu` and `cuda:N` compile programs; `tfjs-cpu` runs the same functions op by op.
 * Throws LETHE_ENGINE_DEVICE for a name that is not known.
 */
export async function openDevice({ name = 'cpu', threads = 1 }: { name?: string; threads?: number } = {}): Promise<Device> {
  if (name === 'tfjs-cpu') return openEager(name);
  if (/^(cpu|webgpu|cuda(:\d+)?)$/.test(name)) return new CompilingDevice(name, threads);
  throw new LetheError('LETHE_ENGINE_DEVICE', `There is no device "${name}".`, { remedy: 'Choose cpu, webgpu, cuda:N or tfjs-cpu.' });
}
