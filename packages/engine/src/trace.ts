import * as tf from '@tensorflow/tfjs';
import { LetheError } from '@lethe/core';
import { type Graph, GraphBuilder } from './graph.js';
import type { DType, ProgramDefinition, TensorSpec, Values } from './types.js';

export const TRACE_BACKEND = 'lethe-trace';

/** What a kernel sees of a tensor. */
export type Info = tf.TensorInfo;
// Kernels get attributes as TensorFlow.js passes them, a different record for each op.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Attributes = any;
export type Kernel = (trace: Trace, inputs: Record<string, Info>, attributes: Attributes) => Info | Info[];

/** One function being recorded. */
export class Trace {
  readonly builder = new GraphBuilder();
  private readonly refs = new WeakMap<object, string>();
  private readonly data = new WeakMap<object, Values>();

  bind(ref: string, shape: readonly number[], dtype: string): Info {
    const dataId = {};
    this.refs.set(dataId, ref);
    return { dataId, shape: [...shape], dtype: dtype as DType };
  }

  write(dataId: object, values: Values, shape: readonly number[], dtype: DType): void {
    const first = values[0];
    const equal = first !== undefined && values.every((v) => Object.is(v, first));
    this.refs.set(dataId, equal ? this.builder.splat(shape, dtype, first) : this.builder.literal(shape, dtype, values));
    this.data.set(dataId, values);
  }

  read(dataId: object): Values | undefined {
    return this.data.get(dataId);
  }

  /** The graph value of a tensor; a tensor made on another backend becomes a constant. */
  ref(info: Info): string {
    const known = this.refs.get(info.dataId);
    if (known !== undefined) return known;
    const values = tf.engine().state.tensorInfo.get(info.dataId)?.backend.readSync(info.dataId) as Values | undefined;
    if (values === undefined) throw new LetheError('LETHE_INTERNAL', 'A tensor of another trace was used.');
    const dtype = info.dtype as DType;
    const fit = dtype === 'float32' ? Float32Array.from(values) : dtype === 'int32' ? Int32Array.from(values) : Uint8Array.from(values);
    this.write(info.dataId, fit, info.shape, dtype);
    return this.refs.get(info.dataId)!;
  }

  emit(op: string, inputs: readonly string[], shape: readonly number[], dtype: string, attributes = {}): Info {
    return this.bind(this.builder.node(op, inputs, attributes), shape, dtype);
  }
}

let current: Trace | undefined;

class TraceBackend extends tf.KernelBackend {
  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    const array = dtype === 'float32' ? Float32Array : dtype === 'int32' ? Int32Array : Uint8Array;
    current?.write(dataId, array.from(values as Float32Array), shape, dtype as DType);
    return dataId;
  }
  override readSync(dataId: object): Values {
    const values = current?.read(dataId);
    if (values) return values;
    throw new LetheError('LETHE_ENGINE_READ', 'A compiled function read the values of a tensor that is not known before it runs.', {
      remedy: 'Write the choice with tf.where, or return the value as an output.',
    });
  }
  override async read(dataId: object): Promise<Values> {
    return this.readSync(dataId);
  }
  override disposeData(): boolean {
    return true;
  }
  override incRef(): void {}
  decRef(): void {}
  override refCount(): number {
    return 1;
  }
  override numDataIds(): number {
    return 0;
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }
  override timerAvailable(): boolean {
    return false;
  }
  override dispose(): void {}
}

tf.registerBackend(TRACE_BACKEND, () => new TraceBackend(), 0);

/** Adds a kernel to the compiler: what it records for the TensorFlow.js kernel `kernelName`. */
export function addKernel(kernelName: string, kernel: Kernel): void {
  tf.registerKernel({
    kernelName,
    backendName: TRACE_BACKEND,
    kernelFunc: ({ inputs, attrs }) => kernel(current!, inputs as Record<string, Info>, attrs ?? {}),
  });
}

/** Records `definition` as a graph. Synchronous, so two of them never mix. Throws LETHE_ENGINE_KERNEL and LETHE_ENGINE_READ. */
export function record(definition: ProgramDefinition): { graph: Graph; key: string; outputs: Record<string, TensorSpec> } {
  tf.backend();
  const previous = tf.getBackend();
  const trace = new Trace();
  const engine = tf.engine();
  current = trace;
  void tf.setBackend(TRACE_BACKEND);
  engine.startScope(definition.name);
  try {
    const place = (ref: string, { shape, dtype }: TensorSpec): tf.Tensor => engine.makeTensorFromTensorInfo(trace.bind(ref, shape, dtype));
    const inputs = Object.fromEntries(Object.entries(definition.inputs).map(([k, s]) => [k, place(`in:${k}`, s)]));
    const constants = Object.fromEntries(
      Object.entries(definition.constants ?? {}).map(([k, c]) => [k, place(trace.builder.constant(c, c), c)]),
    );
    const results = Object.entries(definition.compute(inputs, constants));
    const outputs = Object.fromEntries(results.map(([k, t]) => [k, { shape: [...t.shape], dtype: t.dtype as DType }]));
    return { ...trace.builder.finish(Object.fromEntries(results.map(([k, t]) => [k, trace.ref(t)]))), outputs };
  } catch (error) {
    const op = /[Kk]ernel '(\w+)' not registered/.exec(String(error))?.[1];
    if (op === undefined) throw error;
    throw new LetheError('LETHE_ENGINE_KERNEL', `The compiler has no kernel for ${op}, used by program "${definition.name}".`, {
      where: definition.name,
      remedy: `Add it in packages/engine/src/kernels with addKernel('${op}', …), or write the function with other operations.`,
      cause: error,
    });
  } finally {
    engine.endScope();
    current = undefined;
    void tf.setBackend(previous);
  }
}
