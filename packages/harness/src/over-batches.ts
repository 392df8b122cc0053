import type { Row } from '@lethe/core';
import type { Device, ProgramDefinition, Values } from '@lethe/engine';
import type { Tokenizer } from '@lethe/model';
import { type BatchShape, batchFeeds } from './batch.js';
import { type PackedBatch, packTraining } from './packing.js';

/** What a program gave for one batch. */
export interface BatchOutput {
  /** The rows of the batch; the last one may have fewer than the program takes. */
  readonly rows: readonly Row[];
  readonly packed: PackedBatch;
  readonly out: Readonly<Record<string, Values>>;
}

/** The inputs of a program that are parts of a packed batch. */
function partsOf(packed: PackedBatch, inputs: ProgramDefinition['inputs']): Record<string, Values> {
  return Object.fromEntries(Object.entries(batchFeeds(packed, true)).filter(([name]) => name in inputs));
}

/**
 * Runs a program over rows, batch by batch, and lets go of it however that ends.
 *
 * @param shape the one shape of all batches
 * @param feeds what the program takes besides the batch
 */
export async function* overBatches(
  device: Device, definition: ProgramDefinition, tokenizer: Tokenizer, rows: readonly Row[], shape: BatchShape, feeds: Readonly<Record<string, Values>> = {},
): AsyncGenerator<BatchOutput> {
  const program = await device.compile(definition);
  try {
    for (let at = 0; at < rows.length; at += shape.batch) {
      const batch = rows.slice(at, at + shape.batch);
      const packed = packTraining(tokenizer, batch, shape);
      yield { rows: batch, packed, out: await program.run({ ...partsOf(packed, definition.inputs), ...feeds }) };
    }
  } finally {
    await program.dispose();
  }
}
