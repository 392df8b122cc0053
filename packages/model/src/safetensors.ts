import { readFile, rename, writeFile } from 'node:fs/promises';
import { LetheError } from '@lethe/core';

/** A tensor of a weights file, widened to 32-bit floats, row-major. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const BYTES: Readonly<Record<string, number>> = { F32: 4, F16: 2, BF16: 2 };
const view = new DataView(new ArrayBuffer(4));

/** The value of an IEEE 754 half-precision number. */
function fromHalf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24
    : exponent === 31 ? (fraction ? NaN : Infinity)
    : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}

/** The nearest half-precision number, ties to even. */
function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  view.setFloat32(0, size);
  const exponent = Math.max(-14, (view.getUint32(0) >>> 23) - 127);
  const scaled = size * 2 ** (10 - exponent);
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  // A carry out of the fraction raises the exponent by itself, because the two fields adjoin.
  return sign | (rounded + (exponent + 14) * 1024);
}

function widen(bytes: Buffer, dtype: string): Float32Array {
  const count = bytes.length / BYTES[dtype]!;
  const data = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    if (dtype === 'F32') data[i] = bytes.readFloatLE(4 * i);
    else if (dtype === 'F16') data[i] = fromHalf(bytes.readUInt16LE(2 * i));
    else {
      view.setUint32(0, bytes.readUInt16LE(2 * i) * 65536);
      data[i] = view.getFloat32(0);
    }
  }
  return data;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const naturals = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);

/**
 * Tensors by name from the bytes of a safetensors file (F32, F16 or BF16; format: huggingface.co/docs/safetensors).
 * Throws LETHE_MODEL_WEIGHTS, naming `file` and tensor, for a truncated file, overlapping ranges or another data type.
 */
export function parseSafetensors(bytes: Buffer, file: string): Map<string, StoredTensor> {
  const fail = (message: string): never => {
    throw new LetheError('LETHE_MODEL_WEIGHTS', message, { where: file, remedy: 'Copy or download the file again.' });
  };
  const length = bytes.length < 8 ? -1 : Number(bytes.readBigUInt64LE(0));
  if (length < 0 || 8 + length > bytes.length) fail('The file ends inside its header.');
  let header: Record<string, Entry> = {};
  try {
    header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, Entry>;
  } catch {
    fail('The header is not JSON.');
  }
  const body = bytes.subarray(8 + length);
  const tensors = new Map<string, StoredTensor>();
  const ranges: { name: string; start: number; end: number }[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const size = BYTES[entry.dtype];
    if (size === undefined) return fail(`Tensor "${name}" has data type ${entry.dtype}; F32, F16 and BF16 can be read.`);
    if (!naturals(entry.shape) || !naturals(entry.data_offsets)) fail(`Tensor "${name}" has no proper shape and offsets.`);
    const [start, end] = entry.data_offsets;
    if (end > body.length) fail(`The file ends inside tensor "${name}".`);
    if (end - start !== size * entry.shape.reduce((product, n) => product * n, 1)) {
      fail(`Tensor "${name}" has ${end - start} bytes, which do not fit its shape [${entry.shape.join(', ')}].`);
    }
    ranges.push({ name, start, end });
    tensors.set(name, { shape: entry.shape, data: widen(body.subarray(start, end), entry.dtype) });
  }
  ranges.sort((a, b) => a.start - b.start || a.end - b.end);
  ranges.forEach((range, i) => {
    if (i > 0 && range.start < ranges[i - 1]!.end) fail(`Tensors "${ranges[i - 1]!.name}" and "${range.name}" overlap.`);
  });
  return tensors;
}

/** {@link parseSafetensors} of a file. */
export async function readSafetensors(file: string): Promise<Map<string, StoredTensor>> {
  return parseSafetensors(await readFile(file), file);
}

/** Writes tensors as a safetensors file, whole or not at all. The same tensors give the same bytes. */
export async function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  dtype: 'F32' | 'F16' = 'F32',
): Promise<void> {
  const size = BYTES[dtype]!;
  const header: Record<string, Entry> = {};
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + size * data.length] };
    offset += size * data.length;
  }
  const json = JSON.stringify(header);
  const head = Buffer.from(json.padEnd(json.length + ((8 - (Buffer.byteLength(json) % 8)) % 8)));
  const bytes = Buffer.alloc(8 + head.length + offset);
  bytes.writeBigUInt64LE(BigInt(head.length), 0);
  head.copy(bytes, 8);
  let at = 8 + head.length;
  for (const { data } of tensors.values()) {
    for (const value of data) {
      if (dtype === 'F32') bytes.writeFloatLE(value, at);
      else bytes.writeUInt16LE(toHalf(value), at);
      at += size;
    }
  }
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, bytes);
  await rename(temporary, file);
}
