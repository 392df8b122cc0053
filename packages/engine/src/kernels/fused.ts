import type { Info, Kernel, Kernels } from '../trace.js';
import type { DType } from '../types.js';
import { choose, concat, each, full, pairs, scalar, wide } from './common.js';

/** Inputs x (…, size) and gain (size); outputs x / rms(x) * gain and 1 / rms(x), the latter (…, 1). */
const rmsNorm: Kernel = (t, { x, gain }, { epsilon }: { epsilon: number }) => {
  const rows = [...x!.shape.slice(0, -1), 1];
  const results = [x!.shape, rows].map((shape) => ({ shape, dtype: 'float32' as DType }));
  const inputs = [t.ref(x!), t.ref(gain!)];
  const attributes = { axis: -1, epsilon: { float: epsilon } };
  // only the cpu is known to fill the second output: on webgpu it stays unwritten
  if (t.device === 'cpu') {
    const [value, inverse] = t.builder.nodeOf('SimplifiedLayerNormalization', inputs, results, attributes);
    return [t.bind(value!, x!.shape, 'float32'), t.bind(inverse!, rows, 'float32')];
  }
  const value = t.builder.node('SimplifiedLayerNormalization', inputs, results[0]!, attributes);
  const square = pairs(t, 'Mul', x!, x!, 'float32');
  const mean = t.emit('ReduceMean', [t.ref(square), t.builder.ints([x!.shape.length - 1])], rows, 'float32', { keepdims: 1 });
  const root = each(t, 'Sqrt', pairs(t, 'Add', mean, scalar(t, epsilon), 'float32'));
  return [t.bind(value, x!.shape, 'float32'), each(t, 'Reciprocal', root)];
};

/** Inputs x (batch, heads, tokens, size), int32 positions (batch, tokens), and tables cos and sin (positions, size / 2). */
const rotary: Kernel = (t, { x, positions, cos, sin }) => {
  const tokens = x!.shape[2]!;
  /** The runtime wants a row for every token, read or not: those of one prompt's answers share their positions. */
  const rows = (table: Info): Info => {
    const [count, size] = table.shape as [number, number];
    return count < tokens ? concat(t, [table, full(t, [tokens - count, size], 'float32', 0)], 0) : table;
  };
  // past the rows that are there is past those that were added: the runtime refuses it
  const count = cos!.shape[0]!;
  const there = () => pairs(t, 'Less', positions!, scalar(t, count, 'int32'), 'int32', 'bool');
  const places = count < tokens ? choose(t, there(), positions!, scalar(t, tokens, 'int32')) : positions!;
  const inputs = [t.ref(x!), wide(t, places), t.ref(rows(cos!)), t.ref(rows(sin!))];
  return t.emit('RotaryEmbedding', inputs, x!.shape, 'float32', { interleaved: 0 });
};

/** Kernels that only the operations of `../fused.ts` call: no kernel of TensorFlow.js has these names. */
export const fusedKernels: Kernels = { LetheRmsNorm: rmsNorm, LetheRotary: rotary };
