import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Arrays, NdArray } from '@lethe/core';
import { LetheError, sizeOf, writeWhole } from '@lethe/core';

/**
 * One step of a run in one file, so that it is there whole or not at all: 4 bytes length of the header (little endian),
 * the header (JSON: the step's own values, and shape and place of every array), the arrays (float32, little endian),
 * 32 bytes sha256 of all that.
 */
export interface Artefact<T> {
  readonly json: T;
  readonly groups: Readonly<Record<string, Arrays>>;
}

interface Header {
  readonly json: unknown;
  readonly groups: Record<string, [name: string, shape: readonly number[]][]>;
}

const DIGEST = 32;
const digestOf = (parts: readonly Uint8Array[]) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

/** Writes an artefact atomically. Its json is plain, and its arrays are as long as their shapes say. */
export async function writeArtefact(path: string, artefact: Artefact<unknown>): Promise<void> {
  const groups = Object.fromEntries(Object.entries(artefact.groups).map(([group, arrays]) =>
    [group, Object.entries(arrays).map(([name, { shape }]): [string, readonly number[]] => [name, shape])]));
  const header = Buffer.from(JSON.stringify({ json: artefact.json, groups } satisfies Header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const arrays = Object.values(artefact.groups).flatMap((group) => Object.values(group))
    .map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  const body = [length, header, ...arrays];
  await writeWhole(path, ...body, digestOf(body));
}

/** Reads an artefact; undefined where there is none. Throws LETHE_RUN_DAMAGED where the file is not what was written. */
export async function readArtefact<T>(path: string): Promise<Artefact<T> | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const end = bytes.length - DIGEST;
  if (end < 4 || !digestOf([bytes.subarray(0, end)]).equals(bytes.subarray(end))) {
    throw new LetheError('LETHE_RUN_DAMAGED', 'The artefact of a step is not what was written.', {
      where: path,
      remedy: `Delete ${path} and resume the run: the step is computed again.`,
    });
  }
  const start = 4 + bytes.readUInt32LE(0);
  const header = JSON.parse(bytes.toString('utf8', 4, start)) as Header;
  let offset = start;
  const groups = Object.fromEntries(Object.entries(header.groups).map(([group, entries]) =>
    [group, Object.fromEntries(entries.map(([name, shape]): [string, NdArray] => {
      const data = new Float32Array(sizeOf(shape));
      new Uint8Array(data.buffer).set(bytes.subarray(offset, offset + data.byteLength));
      offset += data.byteLength;
      return [name, { shape, data }];
    }))]));
  return { json: header.json as T, groups };
}
