import * as tf from '@tensorflow/tfjs';
import { LetheError, sizeOf } from '@lethe/core';
import { STACK_DEPTH } from './caller.js';
import { explain, tensorsOf } from './explain.js';
import { checkConstants, checkFeeds } from './feeds.js';
import { repair } from './repairs.js';
import { ARRAY, type Device, type DType, type Program, type ProgramDefinition, type TensorSpec, type Values } from './types.js';

interface Backend {
  readonly backend: string;
  /** The package that brings it, besides `@tensorflow/tfjs` itself. */
  readonly package?: string;
  /** What adds the package. */
  readonly command?: string;
}

const VERSION = tf.version['tfjs'];
const add = (name: string) => `npm install --no-save ${name}@${VERSION}`;
/** With the install script, which fetches TensorFlow's library and is off for all packages (.npmrc). */
const addNative = (name: string) => `${add(name)} && npm rebuild --ignore-scripts=false ${name}`;

const BACKENDS: Readonly<Record<string, Backend>> = {
  'tfjs-cpu': { backend: 'cpu' },
  wasm: { backend: 'wasm', package: '@tensorflow/tfjs-backend-wasm', command: add('@tensorflow/tfjs-backend-wasm') },
  'tfjs-node': { backend: 'tensorflow', package: '@tensorflow/tfjs-node', command: addNative('@tensorflow/tfjs-node') },
  'tfjs-node-gpu': { backend: 'tensorflow', package: '@tensorflow/tfjs-node-gpu', command: addNative('@tensorflow/tfjs-node-gpu') },
};

/** Names of the devices that run op by op. */
export const EAGER_DEVICES: readonly string[] = Object.keys(BACKENDS);

function evaluate(
  backend: string,
  { name, inputs, constants = {}, compute }: ProgramDefinition,
  feeds: Readonly<Record<string, Values>>,
) {
  const previous = tf.getBackend();
  const depth = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_DEPTH;
  void tf.setBackend(backend);
  tf.engine().startScope('eager');
  try {
    // a copy, because the cpu backend keeps the array it is given
    const place = (data: Values, s: TensorSpec) => tf.tensor(data.slice(), [...s.shape], s.dtype);
    const given = Object.fromEntries(Object.entries(inputs).map(([k, s]) => [k, place(feeds[k]!, s)]));
    const fixed = Object.fromEntries(Object.entries(constants).map(([k, c]) => [k, place(c.data, c)]));
    return tensorsOf(compute(given, fixed), name).map(([k, t]) => ({
      key: k,
      spec: { shape: [...t.shape], dtype: t.dtype as DType },
      values: t.dataSync().slice() as Values,
    }));
  } catch (error) {
    throw explain(error, name, `The backend ${backend} of TensorFlow.js`);
  } finally {
    tf.engine().endScope();
    Error.stackTraceLimit = depth;
    void tf.setBackend(previous);
  }
}

/** Imports what brings a backend and starts it: the first choice of a backend does, which takes time for some. */
async function start({ backend, package: brings }: Backend): Promise<void> {
  if (brings !== undefined) await import(brings);
  repair(backend);
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js could not start its backend "${backend}".`);
}

async function load(name: string): Promise<string> {
  const backend = BACKENDS[name]!;
  tf.backend();
  const previous = tf.getBackend();
  const refuse = (what: string, remedy: string, cause?: unknown): never => {
    throw new LetheError('LETHE_ENGINE_DEVICE', `Device "${name}" is not there: ${what}`, { remedy, cause });
  };
  try {
    await start(backend);
    if (name === 'tfjs-node-gpu' && !(tf.backend() as unknown as { isUsingGpuDevice: boolean }).isUsingGpuDevice)
      refuse('TensorFlow sees no GPU.', 'Install the driver, CUDA and cuDNN that its release needs, or choose device tfjs-node or cpu.');
  } catch (cause) {
    if (cause instanceof LetheError) throw cause;
    const { package: brings = '@tensorflow/tfjs', command = 'npm ci' } = backend;
    const absent = (cause as { code?: string }).code === 'ERR_MODULE_NOT_FOUND';
    const what = absent ? `${brings} is not installed.` : `${brings} does not start: ${String(cause).split('\n', 1)[0]}`;
    refuse(what, `Add it with: ${command}, or choose device cpu.`, cause);
  } finally {
    await tf.setBackend(previous);
  }
  return backend.backend;
}

/**
 * A device that runs each operation at once on a backend of TensorFlow.js; `tfjs-cpu` is the reference for the compiler.
 * Throws LETHE_ENGINE_DEVICE when the backend is not installed or does not start.
 */
export async function openEager(name: string): Promise<Device> {
  const backend = await load(name);
  const zeros = ({ shape, dtype }: TensorSpec): Values => new ARRAY[dtype](sizeOf(shape));
  return {
    name,
    threads: 1,
    compile: async (definition): Promise<Program> => {
      checkConstants(definition);
      const sample = Object.fromEntries(Object.entries(definition.inputs).map(([k, s]) => [k, zeros(s)]));
      const outputs = Object.fromEntries(evaluate(backend, definition, sample).map((o) => [o.key, o.spec]));
      return {
        name: definition.name,
        inputs: definition.inputs,
        outputs,
        run: async (feeds) => {
          checkFeeds(definition.name, definition.inputs, feeds);
          return Object.fromEntries(evaluate(backend, definition, feeds).map((o) => [o.key, o.values]));
        },
        dispose: async () => {},
      };
    },
    dispose: async () => {},
  };
}
