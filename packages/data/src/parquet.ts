import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { type Line, rowFault, unreadable } from './line.js';

/** What the worker sends: the rows of a row group, that there are no more, or why there are none. */
export type ParquetMessage = { readonly rows: readonly unknown[] } | { readonly end: true } | { readonly fault: string };

/** How long a row group may take in ms, and more for each byte of its file: a hundred times what it does take. */
const PATIENCE = 5_000;
const PATIENCE_A_BYTE = 0.005;
/** Memory of the worker in MB: a row group of many times the usual 100 MB fits. */
const MEMORY = 4_096;

/**
 * The rows of a Parquet file, a row group at a time. They are decoded in a worker: a damaged file can lead the decoder into a loop without
 * end or beyond all memory, and a thread can be ended where a call cannot.
 */
export async function* readParquet(path: string): AsyncGenerator<Line[]> {
  const { size } = await stat(path).catch((cause: unknown) => { throw unreadable(path, cause); });
  const worker = new Worker(new URL('./parquet-worker.js', import.meta.url), { workerData: path, resourceLimits: { maxOldGenerationSizeMb: MEMORY } });
  let at = 0;
  const damaged = (reason: string, cause?: unknown) =>
    rowFault(`${path}:${at + 1}`, `the file is not Parquet, or is damaged: ${reason}`, 'get the file again', cause);
  // an error that comes while nobody waits for a message must not end the process
  worker.on('error', () => undefined);
  try {
    await once(worker, 'online');
    for (;;) {
      const next = once(worker, 'message', { signal: AbortSignal.timeout(Math.ceil(PATIENCE + size * PATIENCE_A_BYTE)) });
      worker.postMessage('next');
      const [message] = (await next.catch((cause: unknown) => {
        throw damaged((cause as Error).name === 'AbortError' ? 'decoding it does not end' : (cause as Error).message, cause);
      })) as [ParquetMessage];
      if ('end' in message) return;
      if ('fault' in message) throw damaged(message.fault);
      yield message.rows.map((value, i) => ({ at: at + i + 1, value }));
      at += message.rows.length;
    }
  } finally {
    await worker.terminate();
  }
}
