import * as ort from 'onnxruntime-node';
import { LetheError } from '@lethe/core';
import type { OnnxModel } from './onnx.js';

interface Place {
  readonly device: string;
  readonly threads: number;
  /** For messages: the program. */
  readonly program: string;
  /** Whether the session holds the memory of a run for the next one; false by default. */
  readonly arena?: boolean;
}

/**
 * What the runtime makes of constants when it opens a session, all copies of its own: packed for products, folded with casts and
 * transposes. That pays for a small model; one whose weights are mapped from their file is to stay there.
 */
const COPYING = ['ConstantFolding', 'FuseFp16InitializerToFp32NodeTransformer', 'CommonSubexpressionElimination'];

function optionsFor({ device, threads, arena = false }: Place, { externalData, folder }: OnnxModel): ort.InferenceSession.SessionOptions {
  const [kind, index = '0'] = device.split(':');
  const mapped = folder !== null;
  const extra = {
    session: {
      // threads that spin while they wait starve the sessions beside them
      ...(threads > 1 ? { intra_op: { allow_spinning: '0' } } : {}),
      ...(mapped ? { model_external_initializers_file_folder_path: folder } : {}),
      ...(mapped && kind === 'cpu' ? { disable_prepacking: '1' } : {}),
    },
    ...(mapped && kind === 'cpu' ? { optimization: { disable_specified_optimizers: COPYING.join(';') } } : {}),
  };
  const options: ort.InferenceSession.SessionOptions = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // a plan of all memory in one block is no faster here, and every session would keep its block
    enableMemPattern: false,
    enableCpuMemArena: arena,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4, // what goes wrong is thrown, and need not be printed too
    ...(externalData.length > 0 ? { externalData } : {}),
    extra,
  };
  if (kind === 'webgpu') return { ...options, executionProviders: ['webgpu'] };
  if (kind === 'cuda') return { ...options, executionProviders: [{ name: 'cuda', deviceId: Number(index) }] };
  return options;
}

/** What the runtime says of a graph that it cannot read: the fault of a kernel, not of the device. */
const REFUSAL = /invalid model|Type Error|NOT_IMPLEMENTED|not find an implementation|InferenceError|No Op registered/i;
/** What it says where there is no memory for a run. */
const NO_MEMORY = /allocate memory|bad_alloc|out of memory/i;
const MORE_MEMORY = 'Use less memory: fewer --workers, a smaller batch, a smaller maxTokens, or a smaller model.';
/** What it says of a model file that is larger than the format can be. */
const TOO_LARGE = /exceeds maximum supported size|2 ?GB/i;
/** What it says of a session that was released. */
const DISPOSED = /already disposed/i;
/** Nodes are named after the operation that asked for them: `Select v12`. */
const NODE = /[Nn](?:ode|ame)[^\n]*?[("'](\w+) v\d+/;

function deviceRemedy(device: string, text: string): string {
  if (NO_MEMORY.test(text)) return MORE_MEMORY;
  if (TOO_LARGE.test(text)) return `Choose ${device === 'cpu' ? '' : 'device cpu or '}a smaller model: the weights that are no file of their own are more than 2 GB.`;
  return device === 'cpu' ? 'Run lethe doctor, which says whether the runtime works here.' : 'Choose device cpu, or install what this device needs.';
}

/**
 * Opens a session. Throws LETHE_ENGINE_KERNEL when the runtime refuses the graph, naming the TensorFlow.js operation whose
 * node it refuses, and LETHE_ENGINE_DEVICE when it cannot serve the device.
 */
export async function openSession(model: OnnxModel, place: Place): Promise<ort.InferenceSession> {
  const { device, program } = place;
  try {
    return await ort.InferenceSession.create(model.bytes, optionsFor(place, model));
  } catch (cause) {
    const text = String(cause);
    if (!REFUSAL.test(text)) {
      throw new LetheError('LETHE_ENGINE_DEVICE', `Device "${device}" refused program "${program}": ${text}`, {
        where: program, remedy: deviceRemedy(device, text), cause,
      });
    }
    const origin = NODE.exec(text)?.[1];
    const kernel = origin === undefined ? 'a kernel' : `the kernel of ${origin}`;
    throw new LetheError('LETHE_ENGINE_KERNEL', `The runtime refused what ${kernel} recorded for program "${program}": ${text}`, {
      where: program,
      remedy: 'Correct shape and type of what the kernel records in packages/engine/src/kernels.',
      cause,
    });
  }
}

/**
 * Runs a session. Throws LETHE_ENGINE_MEMORY where there is not enough memory for it, LETHE_ENGINE_DEVICE where its device was disposed,
 * and LETHE_ENGINE_INPUT when the values given lead it outside of a table or shape.
 */
export async function runSession(
  session: ort.InferenceSession,
  feeds: Record<string, ort.Tensor>,
  program: string,
): Promise<ort.InferenceSession.OnnxValueMapType> {
  try {
    return await session.run(feeds);
  } catch (cause) {
    const text = String(cause);
    const origin = NODE.exec(text)?.[1];
    const message = `Program "${program}" failed${origin === undefined ? '' : ` at ${origin}`}: ${text}`;
    if (NO_MEMORY.test(text)) throw new LetheError('LETHE_ENGINE_MEMORY', message, { where: program, remedy: MORE_MEMORY, cause });
    if (DISPOSED.test(text)) {
      throw new LetheError('LETHE_ENGINE_DEVICE', message, { where: program, remedy: 'Dispose a device after the last run of its programs.', cause });
    }
    throw new LetheError('LETHE_ENGINE_INPUT', message, { where: program, remedy: 'Look for an index out of range among the inputs.', cause });
  }
}
