import { record } from './trace.js';
import type { ProgramDefinition } from './types.js';

/**
 * The inputs that the outputs of a program depend on, by name. Nothing is compiled or run, and no constant is read.
 *
 * @throws LETHE_ENGINE_KERNEL, LETHE_ENGINE_READ, LETHE_ENGINE_TRACE as compiling for `cpu` does
 */
export function inputsRead(definition: ProgramDefinition): ReadonlySet<string> {
  const { graph } = record(definition, 'cpu');
  const read = new Set([...graph.nodes.flatMap(({ inputs }) => inputs), ...Object.values(graph.outputs)]);
  return new Set(Object.keys(definition.inputs).filter((name) => read.has(`in:${name}`)));
}
