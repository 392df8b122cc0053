import { createHash } from 'node:crypto';
import type { DType, Values } from './types.js';

/** An ONNX attribute: an integer, a string, integers, or a float. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Initializer {
  readonly shape: readonly number[];
  readonly dtype: DType | 'int64';
  readonly data: Values | BigInt64Array;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Initializer>;
}

const identities = new WeakMap<object, number>();
let nextIdentity = 0;

/** Builds a graph; equal nodes and equal constants exist once, because they are found again by content. */
export class GraphBuilder {
  private readonly nodes: Node[] = [];
  private readonly known = new Map<string, string>();
  private readonly initializers = new Map<string, Initializer>();
  /** The scalar behind a value whose elements are all equal. */
  readonly splats = new Map<string, { readonly value: number; readonly scalar: string }>();

  node(op: string, inputs: readonly string[], attributes: Node['attributes'] = {}): string {
    const key = JSON.stringify([op, inputs, attributes]);
    const found = this.known.get(key);
    if (found !== undefined) return found;
    const output = `v${this.nodes.length}`;
    this.nodes.push({ op, inputs, output, attributes });
    this.known.set(key, output);
    return output;
  }

  /** A constant known by its content. The bytes are copied: the caller may change its own. */
  literal(shape: readonly number[], dtype: DType | 'int64', data: Initializer['data']): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const name = `c:${dtype}:${shape.join('x')}:${createHash('sha256').update(bytes).digest('hex')}`;
    if (!this.initializers.has(name)) this.initializers.set(name, { shape, dtype, data: data.slice() });
    return name;
  }

  /** A constant known by the identity of `owner`: its bytes are not hashed. */
  constant(owner: object, initializer: Initializer): string {
    let id = identities.get(owner);
    if (id === undefined) identities.set(owner, (id = nextIdentity++));
    const name = `k${id}`;
    this.initializers.set(name, initializer);
    return name;
  }

  ints(values: readonly number[]): string {
    return this.literal([values.length], 'int64', BigInt64Array.from(values, BigInt));
  }

  scalar(value: number, dtype: DType): string {
    const data = dtype === 'float32' ? Float32Array.of(value) : dtype === 'int32' ? Int32Array.of(value) : Uint8Array.of(value);
    return this.literal([], dtype, data);
  }

  /** A value of `shape` with all elements equal; it takes no memory in the graph. */
  splat(shape: readonly number[], dtype: DType, value: number): string {
    const scalar = this.scalar(value, dtype);
    const ref = shape.length === 0 ? scalar : this.node('Expand', [scalar, this.ints(shape)]);
    this.splats.set(ref, { value, scalar });
    return ref;
  }

  /** The nodes that `outputs` need, and a key that is equal for equal graphs over the same constants. */
  finish(outputs: Readonly<Record<string, string>>): { graph: Graph; key: string } {
    const nodes = Object.entries(outputs).map(([k, ref]) => ({ op: 'Identity', inputs: [ref], output: `out:${k}`, attributes: {} }));
    const needed = new Set(Object.values(outputs));
    const kept: Node[] = [];
    for (const node of this.nodes.toReversed()) {
      if (!needed.has(node.output)) continue;
      kept.push(node);
      for (const input of node.inputs) needed.add(input);
    }
    const graph = {
      nodes: [...kept.reverse(), ...nodes],
      initializers: new Map([...this.initializers].filter(([name]) => needed.has(name))),
    };
    return { graph, key: createHash('sha256').update(JSON.stringify(graph.nodes)).digest('hex') };
  }
}
