import { parentPort, workerData } from 'node:worker_threads';
import { type ParquetParsers, asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { ParquetMessage } from './parquet.js';

/** A 64-bit whole number as a number: labels and places of answers are small. As a text where it would be rounded, as ids that are hashes would. */
const plain = (value: bigint): number | string => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value));

const decoder = new TextDecoder('utf-8', { fatal: true });
/** Text that is no UTF-8 stays bytes, which no field of a row may be: the library would read it as another text. */
const stringFromBytes = (bytes: Uint8Array | undefined): string | Uint8Array | undefined => {
  try {
    return bytes && decoder.decode(bytes);
  } catch {
    return bytes!.slice();
  }
};
const parsers = { stringFromBytes } as ParquetParsers; // those that are left out are the library's own

/** Rows of each row group of a file. */
async function* rowGroups(path: string): AsyncGenerator<unknown[]> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  let rowStart = 0;
  for (const { num_rows: count } of metadata.row_groups) {
    const rowEnd = rowStart + Number(count);
    const rows = await parquetReadObjects({ file, metadata, compressors, parsers, rowStart, rowEnd });
    yield rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? plain(value) : value])));
    rowStart = rowEnd;
  }
}

const port = parentPort!;
const send = (message: ParquetMessage) => port.postMessage(message);
const groups = rowGroups(workerData as string);
port.on('message', () => {
  groups.next().then(({ done, value }) => send(done ? { end: true } : { rows: value }))
    .catch((error: unknown) => send({ fault: error instanceof Error ? error.message : String(error) }));
});
