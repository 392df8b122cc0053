import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Small checkpoints of Transformers. */
export const FIXTURES = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../test/fixtures');

export type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

/** Rewrites the JSON header of a weights file, and its tensors where `edit` changes `body`. */
export async function editWeights(file: string, edit: (header: Header, body: Buffer) => unknown): Promise<void> {
  const bytes = await readFile(file);
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, end)) as Header;
  const body = bytes.subarray(end);
  const json = Buffer.from(JSON.stringify(edit(header, body) ?? header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  await writeFile(file, Buffer.concat([length, json, body]));
}

/** Rewrites a JSON file of a folder. */
export async function editJson(folder: string, name: string, edit: (json: Record<string, never>) => void): Promise<void> {
  const json = JSON.parse(await readFile(join(folder, name), 'utf8')) as Record<string, never>;
  edit(json);
  await writeFile(join(folder, name), JSON.stringify(json));
}
