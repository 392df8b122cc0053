import { type Hash, createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LetheError, didYouMean, sizeOf } from '@lethe/core';
import type { Constant } from '@lethe/engine';
import { architectureOf, layoutOf } from './architectures/index.js';
import { type WeightEntry, arrange, storedShape } from './layout.js';
import { BYTES, type SafetensorsFile, type TensorEntry, checkFloats, openSafetensors, widen } from './safetensors.js';
import { type WeightFiles, findWeights } from './shards.js';
import { storedWeight } from './stored.js';
import type { ModelConfig } from './types.js';

/** Bytes that are read and checked at once of weights that stay in the file. */
const PIECE = 8 * 2 ** 20;

const REMEDY = 'Use the config.json and the weights of one and the same model.';

function unfit(file: string, message: string, remedy = REMEDY): LetheError {
  return new LetheError('LETHE_MODEL_WEIGHTS', message, { where: file, remedy });
}

/** A file with its tensors. */
interface Shard {
  readonly file: string;
  readonly opened: SafetensorsFile;
}

type Places = ReadonlyMap<string, readonly WeightEntry[]>;
type Weights = Record<string, Constant>;

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
  const layout = layoutOf(config);
  for (const entry of layout) {
    const names = [entry.stored, ...(entry.name === 'head' ? HEADS : [])];
    const spare = entry.name === 'head' && config.spareHead ? layout.find(({ name }) => name === 'embed')!.stored : entry.stored;
    const stored = names.find((name) => there.has(name)) ?? spare;
    const name = bare && stored.startsWith(prefix) ? stored.slice(prefix.length) : stored;
    places.set(name, [...(places.get(name) ?? []), entry]);
  }
  return places;
}

/** Names that Transformers has given the weight of the head over time. */
const HEADS = ['lm_head.weight', 'embed_out.weight'];

/** Whether a tensor is the head of a model whose head is its embedding. */
const isTiedHead = (config: ModelConfig, name: string) => config.tiedHead && HEADS.includes(name);

/** Tensors that are to hold what the embedding holds, compared by digests of their numbers while the files are read. */
class Copies {
  private readonly hashes = new Map<string, Hash>();

  /** @param names of the embedding and of its copies, where there are any */
  constructor(names: readonly string[]) {
    if (names.length > 1) for (const name of names) this.hashes.set(name, createHash('sha256'));
  }

  has(name: string): boolean {
    return this.hashes.has(name);
  }

  /** Takes in the next numbers of a tensor. */
  add(name: string, { buffer, byteOffset, byteLength }: Float32Array): void {
    this.hashes.get(name)?.update(new Uint8Array(buffer, byteOffset, byteLength));
  }

  /** The first copy that is none, once all is read. */
  different(): string | undefined {
    const [own, ...others] = [...this.hashes].map(([name, hash]) => ({ name, digest: hash.digest('hex') }));
    return others.find(({ digest }) => digest !== own!.digest)?.name;
  }
}

/** Throws where what is to be the embedding once more is another table: passed over, it would make this another model. */
function checkCopies(copies: Copies, directory: string, config: ModelConfig, there: ReturnType<typeof gather>): void {
  const name = copies.different();
  if (name === undefined) return;
  const { file } = there.get(name)!;
  if (!isTiedHead(config, name)) {
    const remedy = 'Use a model with one embedding for all its tokens.';
    throw unfit(file, `Tensor "${name}" must be the embedding once more, and holds other numbers.`, remedy);
  }
  const field = 'tie_word_embeddings';
  throw new LetheError('LETHE_MODEL_CONFIG', `The embedding is to be the head, and ${basename(file)} holds another table as tensor "${name}".`, {
    where: `${join(directory, 'config.json')}: ${field}`,
    remedy: `Set "${field}" to false in config.json, so that this tensor is the head; of T5 "scale_decoder_outputs" too, where it is there, which `
      + 'ends the scaling of the states. Or leave the tensor out of the file.',
  });
}

/** Checks that the files hold the tensors of a model, each in its shape, and no other; returns what is to be compared while they are read. */
function checkEntries(files: WeightFiles, config: ModelConfig, there: ReturnType<typeof gather>, places: Places): Copies {
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
  const { spare, copies } = architectureOf(config);
  const [embedding] = [...places].find(([, entries]) => entries.some(({ name }) => name === 'embed'))!;
  const alike = [embedding];
  for (const [name, { file, entry }] of there) {
    if (places.has(name)) continue;
    if (copies?.test(name) || isTiedHead(config, name)) {
      checkFloats(file, entry);
      alike.push(name);
    } else if (!spare.test(name)) {
      throw unfit(file, `Tensor "${name}" has no place in the model of the configuration.`);
    }
  }
  return new Copies(alike);
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

/** Whether a weight is the tensor of the file, number by number. */
const isWhole = ({ transposed, part }: WeightEntry) => !transposed && part === undefined;

/** Puts the weights of a tensor where they belong. Those that are all of it are one constant, which is known by reference. */
function put(weights: Weights, own: readonly WeightEntry[], make: (place: WeightEntry) => Constant): void {
  for (const place of own) {
    const same = isWhole(place) ? own.find((other) => isWhole(other) && weights[other.name]) : undefined;
    weights[place.name] ??= same ? weights[same.name]! : make(place);
  }
}

/** Holds the weights in memory, in compute layout. */
async function hold({ file, opened }: Shard, places: Places, copies: Copies, hash: Hash, weights: Weights): Promise<void> {
  const rearranged = (name: string) => places.get(name)?.every((place) => !isWhole(place)) ?? false;
  // What is to be rearranged is widened into the same memory each time: fresh pages cost as much as the conversion.
  const scratch = new Float32Array(opened.entries.reduce((most, { name, shape }) => (rearranged(name) ? Math.max(most, sizeOf(shape)) : most), 0));
  for await (const { entry, bytes } of opened.pieces()) {
    hash.update(bytes);
    const own = places.get(entry.name) ?? [];
    if (own.length === 0 && !copies.has(entry.name)) continue;
    const size = sizeOf(entry.shape);
    const stored = rearranged(entry.name) ? scratch.subarray(0, size) : new Float32Array(size);
    widen(bytes, entry.dtype, stored);
    checkFinite(file, entry, stored, 0);
    copies.add(entry.name, stored);
    put(weights, own, (place) => ({ shape: place.shape, dtype: 'float32', data: arrange(stored, place) }));
  }
}

/** Checks the weights and leaves them in the file. */
async function map({ file, opened }: Shard, places: Places, copies: Copies, hash: Hash, weights: Weights): Promise<void> {
  const path = await realpath(file); // the runtime refuses to follow links
  const scratch = new Float32Array(PIECE / 2);
  for await (const { entry, first, bytes } of opened.pieces(PIECE)) {
    hash.update(bytes);
    const own = places.get(entry.name) ?? [];
    if (own.length === 0 && !copies.has(entry.name)) continue;
    const floats = scratch.subarray(0, bytes.length / BYTES[entry.dtype]);
    widen(bytes, entry.dtype, floats);
    checkFinite(file, entry, floats, first);
    copies.add(entry.name, floats);
    put(weights, own, (place) => storedWeight(path, entry, place));
  }
}

/**
 * Reads the weights of a model, in one file or in shards, each front to back and one piece at a time. Models of up to `held`
 * bytes (as floats of 32 bits) are held in memory, where the runtime packs them, which makes small products faster; the weights
 * of larger ones are only checked, and stay in the file, from where programs map them.
 *
 * @returns the weights in compute layout by name, and the sha256 of the file's bytes; of shards, that of the digests of the
 * index and of every shard
 * @throws LETHE_MODEL_WEIGHTS, naming file and tensor, for a damaged file, a tensor that is missing, left over, in two files or of
 * another shape, a weight that is not finite, and a copy of the embedding that is none; LETHE_MODEL_CONFIG for a head besides the
 * embedding that is to be the head; LETHE_MODEL_MISSING for a missing shard; what the file system throws
 */
export async function readWeights(
  directory: string, config: ModelConfig, held: number,
): Promise<{ weights: Record<string, Constant>; sha256: Buffer }> {
  const files = await findWeights(directory);
  const shards: Shard[] = [];
  try {
    for (const file of files.files) shards.push({ file, opened: await openSafetensors(file) });
    const there = gather(shards, files);
    const places = placesOf(config, there);
    const copies = checkEntries(files, config, there, places);
    const bytes = layoutOf(config).reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
    const weights: Weights = {};
    const digests: Buffer[] = [];
    for (const shard of shards) {
      const hash = createHash('sha256').update(shard.opened.head);
      await (bytes <= held ? hold : map)(shard, places, copies, hash, weights);
      digests.push(hash.digest());
    }
    checkCopies(copies, directory, config, there);
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
