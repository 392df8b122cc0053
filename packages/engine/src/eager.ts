import * as tf from '@tensorflow/tfjs';
import { checkFeeds } from './feeds.js';
import type { Device, DType, Program, ProgramDefinition, TensorSpec, Values } from './types.js';

function evaluate({ inputs, constants = {}, compute }: ProgramDefinition, feeds: Readonly<Record<string, Values>>) {
  tf.backend();
  const previous = tf.getBackend();
  void tf.setBackend('cpu');
  tf.engine().startScope('eager');
  try {
    // a copy, because the cpu backend keeps the array it is given
    const place = (data: Values, s: TensorSpec) => tf.tensor(data.slice(), [...s.shape], s.dtype);
    const given = Object.fromEntries(Object.entries(inputs).map(([k, s]) => [k, place(feeds[k]!, s)]));
    const fixed = Object.fromEntries(Object.entries(constants).map(([k, c]) => [k, place(c.data, c)]));
    return Object.entries(compute(given, fixed)).map(([k, t]) => ({
      name: k,
      spec: { shape: [...t.shape], dtype: t.dtype as DType },
      values: t.dataSync().slice() as Values,
    }));
  } finally {
    tf.engine().endScope();
    void tf.setBackend(previous);
  }
}

/** A device that runs each operation at once with the plain TensorFlow.js cpu backend: the reference for the compiler. */
export function openEager(name: string): Device {
  const zeros = ({ shape, dtype }: TensorSpec): Values => {
    const size = shape.reduce((a, b) => a * b, 1);
    return dtype === 'float32' ? new Float32Array(size) : dtype === 'int32' ? new Int32Array(size) : new Uint8Array(size);
  };
  return {
    name,
    threads: 1,
    compile: async (definition): Promise<Program> => {
      const sample = Object.fromEntries(Object.entries(definition.inputs).map(([k, s]) => [k, zeros(s)]));
      const outputs = Object.fromEntries(evaluate(definition, sample).map((o) => [o.name, o.spec]));
      return {
        name: definition.name,
        inputs: definition.inputs,
        outputs,
        run: async (feeds) => {
          checkFeeds(definition.name, definition.inputs, feeds);
          return Object.fromEntries(evaluate(definition, feeds).map((o) => [o.name, o.values]));
        },
        dispose: async () => {},
      };
    },
    dispose: async () => {},
  };
}
