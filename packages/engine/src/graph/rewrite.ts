import { GraphBuilder } from './builder.js';
import { joinSiblings } from './siblings.js';
import { reshapes } from './rules/reshapes.js';
import { splats } from './rules/splats.js';
import { transposes } from './rules/transposes.js';
import { turned } from './rules/turned.js';
import { widening } from './rules/widening.js';
import { type Graph, type Node, type Value, isHeld } from './types.js';

/**
 * Looks at one node, whose inputs are already values of the new graph, and at shape and type of its outputs, and gives back
 * the values that replace these, or undefined to leave the node as it is. A rule changes no result.
 */
export type Rule = (node: Node, builder: GraphBuilder, results: readonly Value[]) => readonly string[] | undefined;

/** The graph after one pass of a rule; equal nodes become one again and dead code goes. */
export function rewrite(graph: Graph, rule: Rule): Graph {
  const builder = new GraphBuilder();
  builder.adopt(graph);
  const renamed = new Map<string, string>();
  const now = (ref: string) => renamed.get(ref) ?? ref;
  for (const node of graph.nodes) {
    builder.origin = node.origin;
    const moved = { ...node, inputs: node.inputs.map(now) };
    const results = node.outputs.map((output) => graph.values.get(output)!);
    const outputs = rule(moved, builder, results) ?? builder.nodeOf(node.op, moved.inputs, results, node.attributes);
    node.outputs.forEach((output, i) => renamed.set(output, outputs[i]!));
  }
  return builder.finish(Object.fromEntries(Object.entries(graph.outputs).map(([name, ref]) => [name, now(ref)])));
}

/** The rules that every program goes through, in this order. */
export const RULES: readonly Rule[] = [splats, transposes, reshapes];

/** Those for constants that stay in files. On a GPU constants live in its memory, where the runtime widens and turns them once. */
const MAPPING: readonly Rule[] = [widening, turned];

/** The graph after all rules, for a kind of device. */
export function optimise(graph: Graph, device: string): Graph {
  const mapped = device === 'cpu' && [...graph.initializers.values()].some((constant) => !isHeld(constant));
  return joinSiblings([...RULES, ...(mapped ? MAPPING : [])].reduce(rewrite, graph));
}
