import { closeSync, openSync, readSync } from 'node:fs';
import { LetheError, sizeOf } from '@lethe/core';
import type { Constant } from '@lethe/engine';
import { type WeightEntry, arrange } from './layout.js';
import { type Floats, type TensorEntry, widen } from './safetensors.js';

const DTYPE: Readonly<Record<Floats, 'float32' | 'float16' | 'bfloat16'>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/** The bytes of a tensor. Throws LETHE_MODEL_WEIGHTS where the file has become shorter. */
function read(file: string, { name, start, end }: TensorEntry): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(end - start);
  const descriptor = openSync(file, 'r');
  try {
    for (let at = 0; at < bytes.length;) {
      const count = readSync(descriptor, bytes, at, bytes.length - at, start + at);
      if (count === 0) {
        throw new LetheError('LETHE_MODEL_WEIGHTS', `The file now ends inside tensor "${name}".`, {
          where: file, remedy: 'Leave the file alone while a program uses it.',
        });
      }
      at += count;
    }
  } finally {
    closeSync(descriptor);
  }
  return bytes;
}

/**
 * A weight that stays in its file: compiled programs map it, and `data` reads it anew each time. One that shares its tensor with
 * others is held in memory, because its numbers do not stand side by side.
 */
export function storedWeight(file: string, entry: TensorEntry, place: WeightEntry): Constant {
  const { shape, transposed, part } = place;
  const load = () => {
    const values = new Float32Array(sizeOf(entry.shape));
    widen(read(file, entry), entry.dtype, values);
    return arrange(values, place);
  };
  if (part) return { shape, dtype: 'float32', data: load() };
  return {
    shape,
    dtype: 'float32',
    stored: { file, offset: entry.start, length: entry.end - entry.start, dtype: DTYPE[entry.dtype as Floats], transposed },
    get data() {
      return load();
    },
  };
}
