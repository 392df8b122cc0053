import * as tf from '@tensorflow/tfjs';
import { LetheError } from '@lethe/core';
import { STACK_DEPTH, callerOf } from './caller.js';
import { explain, stray, tensorsOf } from './explain.js';
import { GraphBuilder } from './graph/builder.js';
import { ONNX_TYPE } from './graph/onnx-types.js';
import type { Attribute, Graph, Value } from './graph/types.js';
import { ARRAY, type DType, type ProgramDefinition, type TensorSpec, type Values } from './types.js';

export const TRACE_BACKEND = 'lethe-trace';

/** What a kernel sees of a tensor. */
export type Info = tf.TensorInfo;
// Kernels get attributes as TensorFlow.js passes them, a different record for each op.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Attributes = any;
/** What is recorded for one TensorFlow.js kernel. Inputs have the names that TensorFlow.js gives them, 0, 1, … for lists. */
export type Kernel = (trace: Trace, inputs: Record<string, Info>, attributes: Attributes) => Info | Info[];
/** Kernels by their TensorFlow.js names. */
export type Kernels = Readonly<Record<string, Kernel>>;

/** One function being recorded. */
export class Trace {
  readonly builder = new GraphBuilder();
  /** Why this function cannot be recorded, when the error was raised where nobody would see it: in one that is asynchronous. */
  refused: unknown;
  private readonly refs = new WeakMap<object, string>();
  private readonly data = new WeakMap<object, Values>();

  /** @param device the kind of device that is to run the graph: `cpu`, `webgpu` or `cuda` */
  constructor(
    readonly name: string,
    readonly device: string,
  ) {}

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

  /** Values that are known while tracing: those of constants. */
  read(dataId: object): Values | undefined {
    return this.data.get(dataId);
  }

  /** The graph value of a tensor; a tensor made on another backend becomes a constant. */
  ref(info: Info): string {
    const known = this.refs.get(info.dataId);
    if (known !== undefined) return known;
    const backend = tf.engine().state.tensorInfo.get(info.dataId)?.backend; // none of a tensor that went with its program
    if (!backend || backend instanceof TraceBackend) throw stray(this.name, callerOf(new Error()));
    const dtype = info.dtype as DType;
    this.write(info.dataId, ARRAY[dtype].from(backend.readSync(info.dataId) as Values), info.shape, dtype);
    return this.refs.get(info.dataId)!;
  }

  /** Records a node with one output. */
  emit(
    op: string,
    inputs: readonly string[],
    shape: readonly number[],
    dtype: string,
    attributes: Record<string, Attribute> = {},
  ): Info {
    return this.bind(this.builder.node(op, inputs, { shape, dtype: dtype as DType }, attributes), shape, dtype);
  }

  /** The value of a tensor as another type. */
  cast(info: Info, dtype: DType): Info {
    if (info.dtype === dtype) return info;
    const ref = info.dtype === 'float32' && dtype === 'int32' ? this.inRange(info) : this.ref(info);
    return this.emit('Cast', [ref], info.shape, dtype, { to: ONNX_TYPE[dtype] });
  }

  /**
   * The float that an integer of 32 bits can hold in place of another one, as JavaScript has it: modulo 2^32, and 0 for what is
   * endless or no number. Such floats the runtime casts as its processor likes.
   */
  private inRange({ dataId, shape, dtype }: Info): string {
    const node = (op: string, inputs: string[], type: DType = 'float32', attributes = {}) => this.builder.node(op, inputs, { shape, dtype: type }, attributes);
    const [half, low, all] = [2 ** 31, -(2 ** 31), 2 ** 32].map((value) => this.builder.scalar(value, 'float32')) as [string, string, string];
    const rest = node('Mod', [this.ref({ dataId, shape, dtype }), all], 'float32', { fmod: 1 }); // exact, between -2^32 and 2^32
    const raised = node('Where', [node('Less', [rest, low], 'bool'), node('Add', [rest, all]), rest]);
    const turned = node('Where', [node('Less', [rest, half], 'bool'), raised, node('Sub', [rest, all])]);
    return node('Where', [node('IsNaN', [rest], 'bool'), this.builder.scalar(0, 'float32'), turned]);
  }
}

let current: Trace | undefined;

/** True inside a function that is being recorded. */
export const isTracing = (): boolean => current !== undefined && tf.getBackend() === TRACE_BACKEND;

class TraceBackend extends tf.KernelBackend {
  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    if (!Object.hasOwn(ARRAY, dtype)) {
      const name = current?.name ?? 'a program that is finished';
      throw new LetheError('LETHE_ENGINE_TRACE', `Program "${name}" made a tensor of type ${dtype}.`, {
        where: callerOf(new Error()) ?? name, remedy: `Use ${Object.keys(ARRAY).join(', ')}.`,
      });
    }
    const dataId = {};
    current?.write(dataId, ARRAY[dtype as DType].from(values as Values), shape, dtype as DType);
    return dataId;
  }
  override readSync(dataId: object): Values {
    const values = current?.read(dataId);
    if (values) return values;
    const name = current?.name ?? 'a program that is finished';
    throw new LetheError(
      'LETHE_ENGINE_READ',
      `Program "${name}" read the values of a tensor that are not known before it runs.`,
      {
        where: callerOf(new Error()) ?? name,
        remedy:
          'Write the choice with tf.where, or return the value as an output; to print it while you look for a fault, run op by op (device tfjs-cpu). What chooses rows by their values ' +
          '(tf.booleanMaskAsync, tf.whereAsync) has no fixed shape: multiply by the mask instead.',
      },
    );
  }
  override async read(dataId: object): Promise<Values> {
    try {
      return this.readSync(dataId);
    } catch (error) {
      if (current) current.refused ??= error;
      // what waits for the values waits forever; a rejection that nobody handles would end the process
      return new Promise(() => {});
    }
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

/** Adds kernels to the compiler. */
export function addKernels(kernels: Kernels): void {
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    tf.registerKernel({
      kernelName,
      backendName: TRACE_BACKEND,
      kernelFunc: ({ inputs, attrs }) => {
        const trace = current!;
        trace.builder.origin = kernelName;
        const given = new Set<unknown>(Object.values(inputs));
        // an output that is the very tensor given would count twice in the gradient
        const fresh = (info: Info) => (given.has(info) ? trace.bind(trace.ref(info), info.shape, info.dtype) : info);
        const outputs = kernel(trace, inputs as Record<string, Info>, attrs ?? {});
        return Array.isArray(outputs) ? outputs.map(fresh) : fresh(outputs);
      },
    });
  }
}

/**
 * Records `definition` as a graph for a kind of device. Synchronous, so two of them never mix. Throws LETHE_ENGINE_KERNEL for
 * an operation without kernel or gradient, LETHE_ENGINE_READ for a read of values and LETHE_ENGINE_TRACE for a tensor of
 * another program, each naming the line that called TensorFlow.js.
 */
export function record(definition: ProgramDefinition, device: string): { graph: Graph; outputs: Record<string, TensorSpec> } {
  tf.backend();
  const previous = tf.getBackend();
  const depth = Error.stackTraceLimit;
  const trace = new Trace(definition.name, device);
  const engine = tf.engine();
  current = trace;
  Error.stackTraceLimit = STACK_DEPTH;
  void tf.setBackend(TRACE_BACKEND);
  engine.startScope(definition.name);
  try {
    const place = (ref: string, { shape, dtype }: Value): tf.Tensor =>
      engine.makeTensorFromTensorInfo(trace.bind(ref, shape, dtype));
    const inputs = Object.fromEntries(
      Object.entries(definition.inputs).map(([k, s]) => [k, place(trace.builder.input(`in:${k}`, s), s)]),
    );
    const constants = Object.fromEntries(
      Object.entries(definition.constants ?? {}).map(([k, c]) => [k, place(trace.builder.constant(c), c)]),
    );
    const computed = definition.compute(inputs, constants);
    if (trace.refused) throw trace.refused;
    const results = tensorsOf(computed, definition.name);
    const outputs = Object.fromEntries(results.map(([k, t]) => [k, { shape: [...t.shape], dtype: t.dtype as DType }]));
    return { graph: trace.builder.finish(Object.fromEntries(results.map(([k, t]) => [k, trace.ref(t)]))), outputs };
  } catch (error) {
    throw explain(error, definition.name, 'The compiler');
  } finally {
    engine.endScope();
    current = undefined;
    Error.stackTraceLimit = depth;
    void tf.setBackend(previous);
  }
}
