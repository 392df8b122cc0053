import * as tf from '@tensorflow/tfjs';

interface Entry {
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
}
type AddTapeNode = (...call: unknown[]) => void;

/**
 * TensorFlow.js 4.22 notes the copies that an operation saves of its results before the operation itself. Walked from the end, the tape
 * meets the operation first, and a gradient of a gradient lacks what comes through the copies: that of tanh, sigmoid, exp, softmax and
 * whatever else has a slope made of its value. Here each is put where it belongs, before the copies of its results.
 */
export function mendTape(): void {
  const engine = tf.engine() as unknown as { addTapeNode: AddTapeNode };
  const add = engine.addTapeNode;
  engine.addTapeNode = (...call) => {
    add.apply(engine, call);
    const entries = tf.engine().state.activeTape as unknown as Entry[];
    const [, , outputs, , saved = []] = call as [string, object, tf.Tensor[], unknown, tf.Tensor[]?];
    const made = new Set(outputs.map(({ id }) => id));
    const reads = (entry: Entry) => Object.values(entry.inputs).some(({ id }) => made.has(id));
    const copies = Math.max(0, entries.length - 1 - saved.length); // where they begin
    const own = entries.slice(copies).findIndex(reads);
    if (own >= 0) entries.splice(copies + own, 0, entries.pop()!);
  };
}

/** Gradients taken while others are: TensorFlow.js has one tape, which the inner ones would end. */
export function besides<T>(work: () => T): T {
  const { state } = tf.engine();
  const { activeTape } = state;
  try {
    return work();
  } finally {
    state.activeTape = activeTape;
  }
}
