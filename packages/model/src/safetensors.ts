import { type FileHandle, open } from 'node:fs/promises';
import { LetheError, didYouMean, sizeOf, writeWhole } from '@lethe/core';
import { fromHalves, toHalves } from './half.js';
import { POINTER_FAULT, isPointer } from './missing.js';

/** A tensor of a weights file, widened to 32-bit floats, row-major. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Bytes of a number of each type that the format has. */
export const BYTES = {
  F64: 8, F32: 4, F16: 2, BF16: 2, F8_E5M2: 1, F8_E4M3: 1, I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1,
} as const;
type DType = keyof typeof BYTES;
/** Types that are read as floats. */
const READ = ['F32', 'F16', 'BF16'] as const;
export type Floats = (typeof READ)[number];

/** A tensor as the header of a file describes it. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** First byte in the file, and the byte after the last. */
  readonly start: number;
  readonly end: number;
}

/** A part of a tensor, from its element `first` on. */
export interface Piece {
  readonly entry: TensorEntry;
  readonly first: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** An open file whose header has been read and fits the length of the file. */
export interface SafetensorsFile {
  /** All bytes before the first tensor. */
  readonly head: Buffer;
  /** In the order of the file, which they fill from the head to the end without a gap. */
  readonly entries: readonly TensorEntry[];
  /**
   * Reads the tensors in the order of the file, each in pieces of at most `most` bytes (a multiple of 4; whole when it is not
   * given). The bytes of a piece are valid until the next is asked for.
   */
  pieces(most?: number): AsyncGenerator<Piece>;
  close(): Promise<void>;
}

function damaged(file: string, message: string, remedy = 'Copy or download the file again.'): LetheError {
  return new LetheError('LETHE_MODEL_WEIGHTS', message, { where: file, remedy });
}

const naturals = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);

/** Fills `bytes` from a place in the file; false where the file ends before. */
async function fill(handle: FileHandle, bytes: Uint8Array, position: number): Promise<boolean> {
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at, position + at);
    if (bytesRead === 0) return false;
    at += bytesRead;
  }
  return true;
}

/** The entry of one tensor; `offset` is where the tensors begin in a file of `size` bytes. */
function parseEntry(file: string, name: string, value: unknown, offset: number, size: number): TensorEntry {
  const { dtype, shape, data_offsets: range } = (value ?? {}) as Record<string, unknown>;
  if (typeof dtype !== 'string' || !naturals(shape) || !naturals(range) || range.length !== 2) {
    throw damaged(file, `Tensor "${name}" has no proper dtype, shape and data_offsets.`);
  }
  if (!Object.hasOwn(BYTES, dtype)) {
    const known = Object.keys(BYTES);
    throw damaged(file, `Tensor "${name}" has data type ${dtype}, which is not one of ${known.join(', ')}.${didYouMean(dtype, known)}`);
  }
  const [start, end] = range.map((n) => offset + n) as [number, number];
  if (end > size) throw damaged(file, `The file ends inside tensor "${name}": it has ${size} bytes, and the tensor ends at ${end}.`);
  if (end - start !== BYTES[dtype as DType] * sizeOf(shape)) {
    throw damaged(file, `Tensor "${name}" has ${end - start} bytes, which do not fit its shape [${shape.join(', ')}] and type ${dtype}.`);
  }
  return { name, dtype: dtype as DType, shape, start, end };
}

/** The entries of a header in the order of the file. Tensors must fill the file, as the format asks: then no byte goes unread. */
function parseHeader(file: string, json: Buffer, size: number): TensorEntry[] {
  let header: unknown;
  try {
    header = JSON.parse(json.toString('utf8'));
  } catch {
    throw damaged(file, 'The header is not JSON.');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw damaged(file, 'The header is not a JSON object.');
  const offset = 8 + json.length;
  const entries = Object.entries(header).filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => parseEntry(file, name, value, offset, size))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  let end = offset;
  entries.forEach((entry, i) => {
    if (entry.start < end) throw damaged(file, `Tensors "${entries[i - 1]!.name}" and "${entry.name}" overlap.`);
    if (entry.start > end) throw damaged(file, `${entry.start - end} bytes before tensor "${entry.name}" belong to no tensor.`);
    end = entry.end;
  });
  if (end < size) throw damaged(file, `${size - end} bytes at the end belong to no tensor.`);
  return entries;
}

/**
 * Opens a safetensors file (format: huggingface.co/docs/safetensors) and reads its header.
 * Nothing larger than the file is ever allocated, whatever the header says.
 *
 * @throws LETHE_MODEL_WEIGHTS, naming `file` and tensor, for a damaged file; what the file system throws
 */
export async function openSafetensors(file: string): Promise<SafetensorsFile> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const start = Buffer.alloc(8);
    if (!(await fill(handle, start, 0))) throw damaged(file, `The file ends inside its header: it has ${size} bytes.`);
    if (isPointer(start.toString('latin1'))) throw damaged(file, POINTER_FAULT.message, POINTER_FAULT.remedy);
    const length = start.readBigUInt64LE(0);
    if (length > size - 8) throw damaged(file, `The file ends inside its header: it has ${size} bytes, and the header ${length}.`);
    const json = Buffer.alloc(Number(length));
    if (!(await fill(handle, json, 8))) throw damaged(file, 'The file ends inside its header.');
    const entries = parseHeader(file, json, size);
    return {
      head: Buffer.concat([start, json]),
      entries,
      close: () => handle.close(),
      async *pieces(most = Infinity) {
        const largest = entries.reduce((size, entry) => Math.max(size, entry.end - entry.start), 0);
        const buffer = new ArrayBuffer(Math.min(largest, most));
        for (const entry of entries) {
          for (let at = entry.start; at < entry.end || at === entry.start; at += most) {
            const bytes = new Uint8Array(buffer, 0, Math.min(entry.end - at, most));
            if (!(await fill(handle, bytes, at))) throw damaged(file, `The file ends inside tensor "${entry.name}".`);
            yield { entry, first: (at - entry.start) / BYTES[entry.dtype], bytes };
          }
        }
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Writes the values of a tensor's bytes (aligned, from {@link SafetensorsFile.pieces}, of a type that {@link checkFloats} lets pass)
 * into `into`, of the same number of values.
 * Both the format and every processor that the engine runs on are little endian, so that typed arrays read the bytes as they are.
 */
export function widen(bytes: Uint8Array<ArrayBuffer>, dtype: DType, into: Float32Array): void {
  if (dtype === 'F32') return into.set(new Float32Array(bytes.buffer, bytes.byteOffset, into.length));
  const bits = new Uint16Array(bytes.buffer, bytes.byteOffset, into.length);
  if (dtype === 'F16') return fromHalves(bits, into);
  // The 16 bits of a bfloat16 are the upper half of the float with the same value.
  const words = new Uint32Array(into.buffer, into.byteOffset, into.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
}

/** Refuses a tensor that {@link widen} cannot read: LETHE_MODEL_WEIGHTS. */
export function checkFloats(file: string, { name, dtype }: TensorEntry): void {
  if ((READ as readonly string[]).includes(dtype)) return;
  throw damaged(file, `Tensor "${name}" has data type ${dtype}; ${READ.join(', ')} can be read.`, 'Store the weights as floats of 16 or 32 bits.');
}

/** All tensors of a file by name, as {@link openSafetensors} and {@link widen} read them. */
export async function readSafetensors(file: string): Promise<Map<string, StoredTensor>> {
  const opened = await openSafetensors(file);
  try {
    const tensors = new Map<string, StoredTensor>();
    for (const entry of opened.entries) checkFloats(file, entry);
    for await (const { entry, bytes } of opened.pieces()) {
      const data = new Float32Array(sizeOf(entry.shape));
      widen(bytes, entry.dtype, data);
      tensors.set(entry.name, { shape: entry.shape, data });
    }
    return tensors;
  } finally {
    await opened.close();
  }
}

/** The texts that a file says of itself besides its tensors. */
export async function readMetadata(file: string): Promise<Readonly<Record<string, unknown>>> {
  const opened = await openSafetensors(file);
  await opened.close();
  const { __metadata__: metadata } = JSON.parse(opened.head.toString('utf8', 8)) as { __metadata__?: unknown };
  return typeof metadata === 'object' && metadata !== null ? metadata as Record<string, unknown> : {};
}

/** Writes tensors as a safetensors file, whole or not at all. The same tensors and metadata give the same bytes. */
export async function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  dtype: 'F32' | 'F16' = 'F32',
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  const bodies: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    const stored = dtype === 'F16' ? toHalves(data) : data;
    bodies.push(new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength));
    header[name] = { dtype, shape, data_offsets: [offset, offset + stored.byteLength] };
    offset += stored.byteLength;
  }
  const json = JSON.stringify(header);
  // Spaces after the header align the tensors, as the format recommends.
  const head = Buffer.from(json + ' '.repeat((8 - (Buffer.byteLength(json) % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  await writeWhole(file, length, head, ...bodies);
}
