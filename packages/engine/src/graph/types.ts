import type { DType, Stored, Values } from '../types.js';

/** What else appears inside a graph: ONNX wants `int64` for shapes, axes and indices, and files hold floats of 16 bits. */
export type ValueType = DType | 'int64' | 'float16' | 'bfloat16';

/** What is known of a value before the program runs. */
export interface Value {
  readonly shape: readonly number[];
  readonly dtype: ValueType;
}

/** An ONNX attribute: an integer, a string, integers, or a float. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface Node {
  /** Name of the ONNX operator. */
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** The TensorFlow.js kernel that asked for it, for messages. */
  readonly origin: string;
}

/** A constant of the graph that is held in memory. */
export interface Held extends Value {
  readonly data: Values | BigInt64Array;
}

/** A constant of the graph, in memory or in a file. */
export type Initializer = Held | (Value & { readonly stored: Stored });

export const isHeld = (initializer: Initializer): initializer is Held => 'data' in initializer;

export interface Graph {
  /** Each after the nodes whose outputs it reads. */
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Initializer>;
  /** Shape and type of every input, initializer and node output. */
  readonly values: ReadonlyMap<string, Value>;
  /** The value behind each output of the program. */
  readonly outputs: Readonly<Record<string, string>>;
}
