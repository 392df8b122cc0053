import { type Hash, createHash } from 'node:crypto';
import { basename } from 'node:path';
import { LetheError, didYouMean, sizeOf } from '@lethe/core';
import type { Constant } from '@lethe/engine';
import { architectureOf, layoutOf } from './architectures/index.js';
import { type WeightEntry, arrange, storedShape } from './layout.js';
import { type SafetensorsFile, type TensorEntry, checkFloats, openSafetensors, widen } from './safetensors.js';
import { type WeightFiles, findWeights } from './shards.js';
import type { ModelConfig } from './types.js';

const REMEDY = 'Use the config.json and the weights of one and the same model.';

function unfit(file: string, message: string, remedy = REMEDY): LetheError {
  return new LetheError('LETHE_MODEL_WEIGHTS', message, { where: file, remedy });
}

/** A file with its tensors. */
interface Shard {
  readonly file: string;
  readonly opened: SafetensorsFile;
}

/** Where each tensor is; a tensor in two files, or not where the index says, is refused. */
function gather(shards: readonly Shard[], { index }: WeightFiles): Map<string, { readonly file: string; readonly entry: TensorEntry }> {
  const found = new Map<string, { readonly file: string; readonly entry: TensorEntry }>();
  for (const { file, opened } of shards) {
    for (const entry of opened.entries) {
      const other = found.get(entry.name);
      if (other) throw unfit(file, `Tensor "${entry.name}" is in ${basename(other.file)} too.`, 'Copy or download the shards again.');
      found.set(entry.name, { file, entry });
    }
  }
  for (const [name, file] of index?.places ?? []) {
    if (found.get(name)?.file !== file) {
      throw unfit(index!.file, `The index places tensor "${name}" in ${basename(file)}, which does not hold it.`, 'Copy or download the index and the shards again.');
    }
  }
  return found;
}

/** The weights that each stored tensor holds, by its name. Files of a model without its head leave out what the names begin with. */
function placesOf(config: ModelConfig, there: ReadonlyMap<string, unknown>): Map<string, WeightEntry[]> {
  const { prefix } = architectureOf(config);
  const bare = ![...there.keys()].some((name) => name.startsWith(prefix));
  const places = new Map<string, WeightEntry[]>();
  for (const entry of layoutOf(config)) {
    const names = [entry.stored, ...(entry.name === 'head' ? HEADS : [])];
    const stored = names.find((name) => there.has(name)) ?? entry.stored;
    const name = bare && stored.startsWith(prefix) ? stored.slice(prefix.length) : stored;
    places.set(name, [...(places.get(name) ?? []), entry]);
  }
  return places;
}

/** Names that Transformers has given the weight of the head over time. */
const HEADS = ['lm_head.weight', 'embed_out.weight'];

/** Checks that the files hold the tensors of a model, each in its shape, and no other. */
function checkEntries(
  files: WeightFiles, config: ModelConfig, there: ReturnType<typeof gather>, places: ReadonlyMap<string, readonly WeightEntry[]>,
): void {
  for (const [name, entries] of places) {
    const found = there.get(name);
    if (!found) {
      const rest = [...there.keys()].filter((other) => !places.has(other));
      throw unfit(files.index?.file ?? files.files[0]!, `Tensor "${name}" is missing.${didYouMean(name, rest)}`);
    }
    checkFloats(found.file, found.entry);
    const expected = storedShape(entries[0]!);
    if (found.entry.shape.join() !== expected.join()) {
      throw unfit(found.file, `Tensor "${name}" has shape [${found.entry.shape.join(', ')}]; the configuration asks for [${expected.join(', ')}].`);
    }
  }
  const { spare } = architectureOf(config);
  for (const [name, { file }] of there) {
    const isSpare = spare.test(name) || (config.tiedHead && HEADS.includes(name));
    if (!places.has(name) && !isSpare) throw unfit(file, `Tensor "${name}" has no place in the model of the configuration.`);
  }
}

/** The index of the first number that is not finite, or -1. The difference of a number and itself is 0 only where it is finite. */
function firstNotFinite(data: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! - data[i]!;
  return sum === 0 ? -1 : data.findIndex((value) => !Number.isFinite(value));
}

/** Whether a weight is the tensor of the file, number by number. */
const isWhole = ({ transposed, part }: WeightEntry) => !transposed && part === undefined;

async function readInto(
  weights: Record<string, Constant>, { file, opened }: Shard, places: ReadonlyMap<string, readonly WeightEntry[]>, hash: Hash,
): Promise<void> {
  const rearranged = (name: string) => places.get(name)?.every((entry) => !isWhole(entry)) ?? false;
  // What is to be rearranged is widened into the same memory each time: fresh pages cost as much as the conversion.
  const scratch = new Float32Array(opened.entries.reduce((most, { name, shape }) => (rearranged(name) ? Math.max(most, sizeOf(shape)) : most), 0));
  hash.update(opened.head);
  for await (const { entry, bytes } of opened.bodies()) {
    hash.update(bytes);
    const own = places.get(entry.name);
    if (!own) continue;
    const size = sizeOf(entry.shape);
    const stored = rearranged(entry.name) ? scratch.subarray(0, size) : new Float32Array(size);
    widen(bytes, entry.dtype, stored);
    const bad = firstNotFinite(stored);
    if (bad >= 0) {
      throw unfit(file, `Tensor "${entry.name}" holds ${stored[bad]} at place ${bad}: every weight must be a finite number.`,
        'Use a checkpoint whose training did not diverge, or copy the file again.');
    }
    for (const place of own) weights[place.name] = { shape: place.shape, dtype: 'float32', data: arrange(stored, place) };
  }
}

/**
 * Reads the weights of a model, in one file or in shards, each front to back and one tensor at a time, so that beside the
 * weights no more than one tensor is ever in memory.
 *
 * @returns the weights in compute layout by name, and the sha256 of the file's bytes; of shards, that of the digests of the
 * index and of every shard
 * @throws LETHE_MODEL_WEIGHTS, naming file and tensor, for a damaged file, a tensor that is missing, left over, in two files or of
 * another shape, and a weight that is not finite; LETHE_MODEL_MISSING for a missing shard; what the file system throws
 */
export async function readWeights(directory: string, config: ModelConfig): Promise<{ weights: Record<string, Constant>; sha256: Buffer }> {
  const files = await findWeights(directory);
  const shards: Shard[] = [];
  try {
    for (const file of files.files) shards.push({ file, opened: await openSafetensors(file) });
    const there = gather(shards, files);
    const places = placesOf(config, there);
    checkEntries(files, config, there, places);
    const weights: Record<string, Constant> = {};
    const digests: Buffer[] = [];
    for (const shard of shards) {
      const hash = createHash('sha256');
      await readInto(weights, shard, places, hash);
      digests.push(hash.digest());
    }
    const { index } = files;
    return { weights, sha256: index ? digestOf([digestOf([index.bytes]), ...digests]) : digests[0]! };
  } finally {
    for (const { opened } of shards) await opened.close();
  }
}

function digestOf(parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
