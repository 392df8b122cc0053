import { createHash } from 'node:crypto';
import { ARRAY, type Constant, type DType } from '../types.js';
import { ONNX_TYPE } from './onnx-types.js';
import { type Attribute, type Graph, type Held, type Initializer, type Node, type Value, type ValueType, isHeld } from './types.js';

const identities = new WeakMap<object, number>();
let nextIdentity = 0;

/** Attributes as a text that tells them apart: JSON has one word for all that is not finite, and one for both zeros. */
const textOf = (attributes: Node['attributes']): string =>
  JSON.stringify(attributes, (_, value: unknown) => (typeof value !== 'number' ? value : Object.is(value, -0) ? '-0' : String(value)));

/** Builds a graph; equal nodes and equal constants exist once, because they are found again by content. */
export class GraphBuilder {
  /** The TensorFlow.js kernel being recorded. */
  origin = '';
  private readonly nodes: Node[] = [];
  private readonly known = new Map<string, readonly string[]>();
  private readonly producers = new Map<string, Node>();
  private readonly initializers = new Map<string, Initializer>();
  private readonly values = new Map<string, Value>();
  /** The names of lists of integers: every reshape has one, and most of them the same. */
  private readonly lists = new Map<string, string>();

  /** Declares a value that comes from outside: an input of the program. */
  input(name: string, value: Value): string {
    this.values.set(name, value);
    return name;
  }

  /** Adds a node with several outputs, or finds the equal one. */
  nodeOf(
    op: string,
    inputs: readonly string[],
    results: readonly Value[],
    attributes: Record<string, Attribute> = {},
  ): readonly string[] {
    const named = Object.keys(attributes).length > 0 ? textOf(attributes) : '';
    // quoted, because an input may have any name
    const key = `${op}${JSON.stringify(inputs)}${named}${results.length}`;
    const found = this.known.get(key);
    if (found !== undefined) return found;
    const outputs = results.map((_, i) => (i === 0 ? `v${this.nodes.length}` : `v${this.nodes.length}:${i}`));
    const node = { op, inputs, outputs, attributes, origin: this.origin };
    this.nodes.push(node);
    outputs.forEach((output, i) => {
      this.producers.set(output, node);
      this.values.set(output, { shape: results[i]!.shape, dtype: results[i]!.dtype });
    });
    this.known.set(key, outputs);
    return outputs;
  }

  /** Adds a node with one output, or finds the equal one. */
  node(op: string, inputs: readonly string[], result: Value, attributes: Record<string, Attribute> = {}): string {
    return this.nodeOf(op, inputs, [result], attributes)[0]!;
  }

  /** Shape and type of a value. */
  valueOf(ref: string): Value {
    return this.values.get(ref)!;
  }

  /** The node that makes a value; undefined for inputs and constants. */
  producerOf(ref: string): Node | undefined {
    return this.producers.get(ref);
  }

  /** A constant that is held in memory. */
  heldOf(ref: string): Held | undefined {
    const known = this.initializers.get(ref);
    return known && isHeld(known) ? known : undefined;
  }

  /** True for a constant that a file holds. */
  isStored(ref: string): boolean {
    const known = this.initializers.get(ref);
    return known !== undefined && !isHeld(known);
  }

  private initializer(name: string, initializer: Initializer): string {
    const { shape, dtype } = initializer;
    this.initializers.set(name, initializer);
    this.values.set(name, { shape, dtype });
    return name;
  }

  /** A constant known by its content. The bytes are copied: the caller may change its own. */
  literal(shape: readonly number[], dtype: ValueType, data: Held['data']): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const name = `c:${dtype}:${shape.join('x')}:${createHash('sha256').update(bytes).digest('hex')}`;
    return this.initializers.has(name) ? name : this.initializer(name, { shape, dtype, data: data.slice() });
  }

  /**
   * A constant known by its identity: its bytes are neither hashed nor copied. One that is stored otherwise than it is computed
   * with is an initializer as the file has it, which nodes widen and turn.
   */
  constant(owner: Constant): string {
    let id = identities.get(owner);
    if (id === undefined) identities.set(owner, (id = nextIdentity++));
    const { shape, dtype, stored } = owner;
    if (!stored) return this.initializer(`k${id}`, { shape, dtype, data: owner.data });
    const kept = stored.transposed ? shape.toReversed() : shape;
    let ref = this.initializer(`k${id}`, { shape: kept, dtype: stored.dtype, stored });
    if (stored.dtype !== dtype) ref = this.node('Cast', [ref], { shape: kept, dtype }, { to: ONNX_TYPE[dtype] });
    return stored.transposed ? this.node('Transpose', [ref], { shape, dtype }, { perm: [1, 0] }) : ref;
  }

  /** Rows of a matrix that a file holds, from `from` up to `to`: a constant of their own at their place in that file. */
  storedRows(ref: string, from: number, to: number): string {
    const whole = this.initializers.get(ref);
    if (!whole || isHeld(whole)) throw new Error(`${ref} is not in a file`);
    const { shape, dtype, stored } = whole;
    const row = stored.length / shape[0]!;
    const part = { ...stored, offset: stored.offset + from * row, length: (to - from) * row };
    return this.initializer(`${ref}:${from}-${to}`, { shape: [to - from, ...shape.slice(1)], dtype, stored: part });
  }

  ints(values: readonly number[]): string {
    const key = values.join();
    let name = this.lists.get(key);
    if (name === undefined) this.lists.set(key, (name = this.literal([values.length], 'int64', BigInt64Array.from(values, BigInt))));
    return name;
  }

  scalar(value: number, dtype: DType): string {
    return this.literal([], dtype, ARRAY[dtype].of(value));
  }

  /** A value of `shape` with all elements equal; it takes no memory in the graph. */
  splat(shape: readonly number[], dtype: DType, value: number): string {
    const scalar = this.scalar(value, dtype);
    return shape.length === 0 ? scalar : this.node('Expand', [scalar, this.ints(shape)], { shape, dtype });
  }

  /** The number behind a value whose elements are all equal and known, and the scalar constant that holds it. */
  splatOf(ref: string): { readonly value: number; readonly scalar: string } | undefined {
    const producer = this.producers.get(ref);
    const scalar = producer?.op === 'Expand' ? producer.inputs[0]! : ref;
    const known = this.heldOf(scalar);
    return known?.shape.length === 0 ? { value: Number(known.data[0]), scalar } : undefined;
  }

  /** Takes over the initializers and inputs of a graph that is to be rewritten. */
  adopt(graph: Graph): void {
    for (const [name, initializer] of graph.initializers) this.initializer(name, initializer);
    const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
    for (const [name, value] of graph.values) if (!made.has(name) && !this.values.has(name)) this.input(name, value);
  }

  /** The part of the graph that `outputs` need: dead code is left out. */
  finish(outputs: Readonly<Record<string, string>>): Graph {
    const needed = new Set(Object.values(outputs));
    const kept: Node[] = [];
    for (const node of this.nodes.toReversed()) {
      if (!node.outputs.some((output) => needed.has(output))) continue;
      kept.push(node);
      for (const input of node.inputs) needed.add(input);
    }
    const made = new Set(this.nodes.flatMap((node) => node.outputs));
    const alive = new Set(kept.flatMap((node) => node.outputs));
    return {
      nodes: kept.reverse(),
      initializers: new Map([...this.initializers].filter(([name]) => needed.has(name))),
      values: new Map(
        [...this.values].filter(
          ([name]) => alive.has(name) || (!made.has(name) && !this.initializers.has(name)) || needed.has(name),
        ),
      ),
      outputs,
    };
  }
}

/** A key that is equal for equal graphs over the same constants. */
export function keyOf({ nodes, outputs }: Graph): string {
  const content = nodes.map(({ op, inputs, outputs: made, attributes }) => [op, inputs, made, textOf(attributes)]);
  return createHash('sha256')
    .update(JSON.stringify([content, outputs]))
    .digest('hex');
}
