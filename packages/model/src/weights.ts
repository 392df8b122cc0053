import { type Hash, createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { LetheError, didYouMean, sizeOf } from '@lethe/core';
import type { Constant } from '@lethe/engine';
import { layoutOf } from './architectures/index.js';
import { type WeightEntry, transpose } from './layout.js';
import { BYTES, type SafetensorsFile, type TensorEntry, openSafetensors, widen } from './safetensors.js';
import { storedWeight } from './stored.js';
import type { ModelConfig } from './types.js';

/** Bytes that are read and checked at once of weights that stay in the file. */
const PIECE = 8 * 2 ** 20;

const REMEDY = 'Use the config.json and the weights of one and the same model.';

function unfit(file: string, message: string, remedy = REMEDY): LetheError {
  return new LetheError('LETHE_MODEL_WEIGHTS', message, { where: file, remedy });
}

/** Tensors that a file may hold although the model computes without them: angles of the rotary embedding, and the head where it is tied. */
const isSpare = (name: string, config: ModelConfig) => name.endsWith('.rotary_emb.inv_freq') || (config.tiedHead && name === 'lm_head.weight');

/** Checks that a file holds the tensors of a model, each in its shape, and no other. */
function checkEntries(file: string, config: ModelConfig, entries: readonly TensorEntry[], wanted: ReadonlyMap<string, WeightEntry>): void {
  const there = new Map(entries.map((entry) => [entry.name, entry.shape]));
  for (const { stored, shape, transposed } of wanted.values()) {
    const found = there.get(stored);
    if (!found) {
      const rest = [...there.keys()].filter((name) => !wanted.has(name));
      throw unfit(file, `Tensor "${stored}" is missing.${didYouMean(stored, rest)}`);
    }
    const expected = transposed ? shape.toReversed() : shape;
    if (found.join() !== expected.join()) {
      throw unfit(file, `Tensor "${stored}" has shape [${found.join(', ')}]; the configuration asks for [${expected.join(', ')}].`);
    }
  }
  for (const name of there.keys()) {
    if (!wanted.has(name) && !isSpare(name, config)) throw unfit(file, `Tensor "${name}" has no place in the model of the configuration.`);
  }
}

/** The index of the first number that is not finite, or -1. The difference of a number and itself is 0 only where it is finite. */
function firstNotFinite(data: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! - data[i]!;
  return sum === 0 ? -1 : data.findIndex((value) => !Number.isFinite(value));
}

/** Throws where a part of a tensor, from its element `first` on, holds a number that is not finite. */
function checkFinite(file: string, { name }: TensorEntry, data: Float32Array, first: number): void {
  const bad = firstNotFinite(data);
  if (bad < 0) return;
  throw unfit(file, `Tensor "${name}" holds ${data[bad]} at place ${first + bad}: every weight must be a finite number.`,
    'Use a checkpoint whose training did not diverge, or copy the file again.');
}

type Wanted = ReadonlyMap<string, WeightEntry>;

/** Holds the weights in memory, in compute layout. */
async function hold(file: string, opened: SafetensorsFile, wanted: Wanted, hash: Hash): Promise<Record<string, Constant>> {
  const weights: Record<string, Constant> = {};
  // What is to be transposed is widened into the same memory each time: fresh pages cost as much as the conversion.
  const scratch = new Float32Array(opened.entries.reduce((most, { name, shape }) => (wanted.get(name)?.transposed ? Math.max(most, sizeOf(shape)) : most), 0));
  for await (const { entry, bytes } of opened.pieces()) {
    hash.update(bytes);
    const place = wanted.get(entry.name);
    if (!place) continue;
    const [rows, columns] = entry.shape as [number, number];
    const size = sizeOf(entry.shape);
    const stored = place.transposed ? scratch.subarray(0, size) : new Float32Array(size);
    widen(bytes, entry.dtype, stored);
    checkFinite(file, entry, stored, 0);
    weights[place.name] = { shape: place.shape, dtype: 'float32', data: place.transposed ? transpose(stored, rows, columns) : stored };
  }
  return weights;
}

/** Checks the weights and leaves them in the file. */
async function map(file: string, opened: SafetensorsFile, wanted: Wanted, hash: Hash): Promise<Record<string, Constant>> {
  const weights: Record<string, Constant> = {};
  const path = await realpath(file); // the runtime refuses to follow links
  const scratch = new Float32Array(PIECE / 2);
  for await (const { entry, first, bytes } of opened.pieces(PIECE)) {
    hash.update(bytes);
    const place = wanted.get(entry.name);
    if (!place) continue;
    const floats = scratch.subarray(0, bytes.length / BYTES[entry.dtype]);
    widen(bytes, entry.dtype, floats);
    checkFinite(file, entry, floats, first);
    weights[place.name] ??= storedWeight(path, entry, place);
  }
  return weights;
}

/**
 * Reads the weights of a model, front to back and one piece at a time. Models of up to `held` bytes (as floats of 32 bits) are
 * held in memory, where the runtime packs them, which makes small products faster; the weights of larger ones are only checked,
 * and stay in the file, from where programs map them.
 *
 * @returns the weights in compute layout by name, and the sha256 of the file's bytes
 * @throws LETHE_MODEL_WEIGHTS, naming `file` and tensor, for a damaged file, a tensor that is missing, left over or of another
 * shape, and a weight that is not finite; what the file system throws
 */
export async function readWeights(
  file: string, config: ModelConfig, held: number,
): Promise<{ weights: Record<string, Constant>; sha256: Buffer }> {
  const opened = await openSafetensors(file);
  try {
    const wanted = new Map(layoutOf(config).map((entry) => [entry.stored, entry]));
    checkEntries(file, config, opened.entries, wanted);
    const bytes = [...wanted.values()].reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
    const hash = createHash('sha256').update(opened.head);
    const weights = await (bytes <= held ? hold : map)(file, opened, wanted, hash);
    return { weights, sha256: hash.digest() };
  } finally {
    await opened.close();
  }
}
