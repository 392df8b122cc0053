import type { Tensor } from '@tensorflow/tfjs';

export type DType = 'float32' | 'int32' | 'bool';
/** Values of an input, a constant or an output, row-major. `bool` travels as bytes of 0 and 1. */
export type Values = Float32Array | Int32Array | Uint8Array;
/** The arrays that hold the values of each type. */
export const ARRAY = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const satisfies Record<DType, unknown>;

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** Where a float constant lies in a file that does not change while programs use it. */
export interface Stored {
  /** Absolute path. */
  readonly file: string;
  /** First byte, and number of bytes; row-major, little endian. */
  readonly offset: number;
  readonly length: number;
  readonly dtype: 'float32' | 'float16' | 'bfloat16';
  /** True for a matrix of which the file holds the transpose. */
  readonly transposed: boolean;
}

/** A value that never changes: a weight of the frozen model. Known by reference: reuse the same object for the same weight. */
export interface Constant extends TensorSpec {
  /** Where `stored` is given, a getter that reads the file. */
  readonly data: Values;
  /** Compiled programs map the constant from there instead of holding it: it is in memory once, whatever the number of sessions and threads. */
  readonly stored?: Stored;
}

export interface ProgramDefinition {
  /** For messages and profiles, e.g. `train-step`. */
  readonly name: string;
  readonly inputs: Readonly<Record<string, TensorSpec>>;
  readonly constants?: Readonly<Record<string, Constant>>;
  /** Pure: its outputs depend on nothing but its arguments; it never reads values (`dataSync`). */
  readonly compute: (
    inputs: Readonly<Record<string, Tensor>>,
    constants: Readonly<Record<string, Tensor>>,
  ) => Readonly<Record<string, Tensor>>;
}

export interface Program {
  readonly name: string;
  readonly inputs: Readonly<Record<string, TensorSpec>>;
  readonly outputs: Readonly<Record<string, TensorSpec>>;
  /**
   * Throws LETHE_ENGINE_INPUT for a missing or unknown name, a wrong length or type, LETHE_ENGINE_MEMORY where there is too little of it.
   * The arrays fed are read while it runs: they are to stay as they are until it is done. The result is owned by the caller.
   */
  run(feeds: Readonly<Record<string, Values>>): Promise<Record<string, Values>>;
  /** Releases the session when the last user of the same graph lets go of it. */
  dispose(): Promise<void>;
}

/** Where programs run. */
export interface Device {
  /** e.g. `cpu`, `webgpu`, `cuda:0`, `wasm`. */
  readonly name: string;
  /** Threads of one program on a cpu. */
  readonly threads: number;
  /** Compiles (or finds again: equal graphs over the same constants share one session) a program for this device. */
  compile(definition: ProgramDefinition): Promise<Program>;
  /** Releases all sessions. */
  dispose(): Promise<void>;
}
