import * as ort from 'onnxruntime-node';
import type { Graph } from '../src/graph/types.js';
import { serialise } from '../src/onnx.js';
import { openSession, runSession } from '../src/session.js';
import type { TensorSpec, Values } from '../src/types.js';

/** The outputs of a graph as it is, without the rules. */
export async function evaluate(
  graph: Graph,
  inputs: Readonly<Record<string, TensorSpec>>,
  feeds: Readonly<Record<string, Values>>,
): Promise<Record<string, Values>> {
  const session = await openSession(serialise(graph, inputs), { device: 'cpu', threads: 1, program: 'plain' });
  const tensors = Object.entries(inputs).map(
    ([k, { dtype, shape }]) => [`in:${k}`, new ort.Tensor(dtype, feeds[k]!, shape)] as const,
  );
  const results = await runSession(session, Object.fromEntries(tensors), 'plain');
  await session.release();
  return Object.fromEntries(Object.keys(graph.outputs).map((k) => [k, results[`out:${k}`]!.data as Values]));
}
