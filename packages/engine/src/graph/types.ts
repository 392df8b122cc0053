import type { DType, Values } from '../types.js';

/** `int64` appears only inside a graph: ONNX wants it for shapes, axes and indices. */
export type ValueType = DType | 'int64';

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

export interface Initializer extends Value {
  readonly data: Values | BigInt64Array;
}

export interface Graph {
  /** Each after the nodes whose outputs it reads. */
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Initializer>;
  /** Shape and type of every input, initializer and node output. */
  readonly values: ReadonlyMap<string, Value>;
  /** The value behind each output of the program. */
  readonly outputs: Readonly<Record<string, string>>;
}
