import { sizeOf } from '@lethe/core';
import type { Graph, Value, ValueType } from './types.js';

const WIDTH: Readonly<Record<ValueType, number>> = { float32: 4, int32: 4, bool: 1, int64: 8, float16: 2, bfloat16: 2 };
/** Operations whose output is their input's memory. */
const VIEWS = new Set(['Reshape', 'Identity']);

const bytesOf = ({ shape, dtype }: Value) => WIDTH[dtype] * sizeOf(shape);

/**
 * About how many bytes a run of the graph holds at once, constants and inputs left out: at each node, the values that are made by
 * then and still to be read.
 */
export function workspaceOf({ nodes, values, outputs }: Graph): number {
  const memoryOf = new Map<string, string>();
  const memory = (ref: string) => memoryOf.get(ref) ?? ref;
  const lastUse = new Map<string, number>();
  nodes.forEach((node, at) => {
    if (VIEWS.has(node.op)) memoryOf.set(node.outputs[0]!, memory(node.inputs[0]!));
    for (const ref of [...node.inputs, ...node.outputs]) lastUse.set(memory(ref), at);
  });
  for (const ref of Object.values(outputs)) lastUse.set(memory(ref), nodes.length);
  const alive = new Map<string, number>();
  let [now, most] = [0, 0];
  nodes.forEach((node, at) => {
    for (const ref of node.outputs) {
      if (memory(ref) !== ref) continue;
      alive.set(ref, bytesOf(values.get(ref)!));
      now += alive.get(ref)!;
    }
    most = Math.max(most, now);
    for (const ref of new Set([...node.inputs, ...node.outputs].map(memory))) {
      if (lastUse.get(ref) !== at) continue;
      now -= alive.get(ref) ?? 0;
      alive.delete(ref);
    }
  });
  return most;
}
