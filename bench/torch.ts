import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Taken } from './measure.js';
import { BUDGET, OPTIONS, type Shape } from './shapes.js';

/** Seen from `bench/dist`. */
const WORKER = fileURLToPath(new URL('../torch_worker.py', import.meta.url));

/** PyTorch in a process of its own, which sleeps while nothing is asked of it. */
export interface Torch {
  /** Versions of the libraries. */
  readonly versions: Readonly<Record<string, string>>;
  /** One step of `train` (eager), `compiled` (the same through torch.compile) or `score`, timed there. */
  run(work: 'train' | 'compiled' | 'score'): Promise<Taken>;
  close(): void;
}

/** Loads a checkpoint into PyTorch on a device that it knows. Throws an Error with what Python printed when it ends before it answers. */
export async function openTorch(
  python: string, model: string, shape: Shape, { device, threads }: { readonly device: string; readonly threads: number },
): Promise<Torch> {
  const { batch, tokens, targets } = shape;
  const numbers = { threads, batch, tokens, targets, options: OPTIONS, rank: BUDGET.rank, alpha: BUDGET.alpha };
  const options = Object.entries({ model, device, sites: BUDGET.sites.map((kind) => `${kind}_proj`).join(','), ...numbers });
  const child = spawn(python, [WORKER, ...options.flatMap(([name, value]) => [`--${name}`, String(value)])], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, OMP_NUM_THREADS: String(threads), HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' },
  });
  let printed = '';
  child.stderr.on('data', (chunk: Buffer) => (printed = (printed + chunk.toString()).slice(-4000)));
  const failed = new Promise<never>((_, reject) => {
    child.on('error', reject);
    child.on('exit', (status) => reject(new Error(`PyTorch ended with status ${status}: ${printed}`)));
  });
  failed.catch(() => undefined);
  // of a worker that has ended; `failed` says why
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => {
    const { value, done } = (await Promise.race([lines.next(), failed])) as { value: string; done?: boolean };
    return done ? failed : (JSON.parse(value) as T);
  };
  const versions = await answer<Record<string, string>>();
  return {
    versions,
    run: (work) => {
      child.stdin.write(`${work}\n`);
      return answer<Taken>();
    },
    close: () => child.kill(),
  };
}
