import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { LetheError } from '@lethe/core';
import { type Line, rowFault, unreadable } from './line.js';

/** The rows of a Parquet file, a row group at a time. */
export async function* readParquet(path: string): AsyncGenerator<Line[]> {
  let at = 0;
  try {
    const file = await asyncBufferFromFile(path).catch((cause: unknown) => { throw unreadable(path, cause); });
    const metadata = await parquetMetadataAsync(file);
    for (const { num_rows: count } of metadata.row_groups) {
      const first = at;
      const rows = await parquetReadObjects({ file, metadata, compressors, rowStart: first, rowEnd: first + Number(count) });
      at += Number(count);
      yield rows.map((row, i) => ({ at: first + i + 1, value: plain(row) }));
    }
  } catch (cause) {
    if (cause instanceof LetheError) throw cause;
    throw rowFault(`${path}:${at + 1}`, `the file is not Parquet, or is damaged: ${cause instanceof Error ? cause.message : String(cause)}`, 'get the file again', cause);
  }
}

/** Whole numbers of 64 bits as numbers, in what a row holds: ids, labels and places of answers are small. */
function plain(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]));
}
