import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { LetheError, type Run, type RunEvent } from '@lethe/core';
import { type Job, failedRun } from '@lethe/harness';
import { Piscina } from 'piscina';
import { Schedule } from './schedule.js';
import type { Assignment } from './worker.js';

export interface PoolOptions {
  /** Worker threads; each runs one job at a time. */
  readonly workers: number;
  /** The devices that threads work on in turn, the first on the first; where they are left out, every job on its own. A thread never changes its device, which holds the model. */
  readonly devices?: readonly string[];
  /** Hears what happens in every run; `index` is that of its job. */
  readonly listener?: (event: RunEvent, index: number) => void;
  /** Stops all runs: those at work end before their next optimizer step, the others do not begin. */
  readonly signal?: AbortSignal;
  /** Called as soon as a run is completed or has failed. The jobs behind it wait for what it returns. */
  readonly onResult?: (run: Run, index: number) => void | Promise<void>;
}

/**
 * Runs jobs in worker threads. One that fails, even by an uncaught error that ends its thread, is recorded as failed and
 * the others go on. Where the folder of the runs cannot be written to, which is no fault of a method, all of them stop.
 *
 * @returns the result of every job, by its index; null for those that were stopped before their end
 * @throws LETHE_FILES for a folder of a run that the file system refuses: a full disk, no permission
 */
export async function runJobs(jobs: readonly Job[], options: PoolOptions): Promise<(Run | null)[]> {
  return jobs.length === 0 ? [] : new Pool(jobs, options).run();
}

/** Throws what kept a run from being written. */
function refuseFiles(run: Run | null, { outDir }: Job): void {
  if (run?.status !== 'failed' || run.error.code !== 'LETHE_FILES') return;
  const { message, where } = run.error;
  if (where === outDir || where?.startsWith(outDir + sep)) throw new LetheError('LETHE_FILES', message, run.error);
}

class Pool {
  private readonly stop = new Int32Array(new SharedArrayBuffer(4));
  private readonly schedule: Schedule;
  private readonly results: (Run | null)[];
  private readonly lanes: number;
  /** The threads of each device, or of all jobs where no devices are named. */
  private readonly threads: readonly Piscina<Assignment, Run | null>[];
  /** Lanes that found nothing to do for now. */
  private idle: (() => void)[] = [];

  constructor(private readonly jobs: readonly Job[], private readonly options: PoolOptions) {
    this.lanes = Math.min(options.workers, jobs.length);
    this.schedule = new Schedule(jobs);
    this.results = jobs.map(() => null);
    const parts = Math.min(options.devices?.length ?? 1, this.lanes);
    this.threads = Array.from({ length: parts }, (_, part) => this.open(Math.ceil((this.lanes - part) / parts)));
  }

  private open(count: number): Piscina<Assignment, Run | null> {
    const threads = new Piscina<Assignment, Run | null>({
      filename: fileURLToPath(new URL('./worker.js', import.meta.url)),
      minThreads: count, maxThreads: count, concurrentTasksPerWorker: 1,
      // a thread that sleeps in Atomics.wait between jobs would hold back the messages and timers of its own
      atomics: 'disabled',
    });
    // an error of a thread without a job; a thread with one rejects its run
    threads.on('error', () => undefined);
    threads.on('workerCreate', () => this.hearThreads(threads));
    return threads;
  }

  /** Lets what methods print go to stderr, as all that is no result does: stdout may be read by a program. */
  private hearThreads({ threads }: Piscina): void {
    for (const { stdout } of threads) {
      stdout.unpipe(process.stdout);
      if (stdout.listenerCount('data') === 0) stdout.on('data', (text: Buffer) => void process.stderr.write(text)).resume();
    }
  }

  async run(): Promise<(Run | null)[]> {
    const halt = () => {
      Atomics.store(this.stop, 0, 1);
      this.wake();
    };
    const { signal } = this.options;
    signal?.addEventListener('abort', halt);
    if (signal?.aborted) halt();
    // where one lane fails, the others come to their next step first: a thread must not end in the middle of native code
    const lanes = await Promise.allSettled(Array.from({ length: this.lanes }, (_, at) => this.lane(at).catch((error: unknown) => {
      halt();
      throw error;
    })));
    signal?.removeEventListener('abort', halt);
    await Promise.all(this.threads.map((threads) => threads.destroy()));
    const failed = lanes.find((lane) => lane.status === 'rejected');
    if (failed) throw failed.reason;
    return this.results;
  }

  private get stopping(): boolean {
    return Atomics.load(this.stop, 0) !== 0;
  }

  private wake(): void {
    const lanes = this.idle;
    this.idle = [];
    for (const resume of lanes) resume();
  }

  /** Takes one job after another until none is left. */
  private async lane(at: number): Promise<void> {
    const part = at % this.threads.length;
    const [threads, device] = [this.threads[part]!, this.options.devices?.[part]];
    for (;;) {
      const index = this.stopping ? undefined : this.schedule.take();
      if (index === undefined) return;
      if (index === null) {
        await new Promise<void>((resolve) => this.idle.push(resolve));
        continue;
      }
      const job = this.jobs[index]!;
      const run = await this.execute(index, device === undefined ? job : { ...job, device }, threads);
      refuseFiles(run, job);
      this.results[index] = run;
      this.schedule.ended(index);
      this.wake();
      if (run) await this.options.onResult?.(run, index);
    }
  }

  private async execute(index: number, job: Job, threads: Piscina<Assignment, Run | null>): Promise<Run | null> {
    const { port1: here, port2: events } = new MessageChannel();
    const hear = (event: RunEvent) => {
      if (event.type === 'step-finished') {
        this.schedule.stepFinished(index, event.step);
        this.wake();
      }
      this.options.listener?.(event, index);
    };
    here.on('message', hear);
    try {
      return await threads.run({ job, events, stop: this.stop }, { transferList: [events] });
    } catch (cause) {
      if (this.stopping) return null;
      return failedRun(job, new LetheError('LETHE_RUN_CRASHED', `The worker thread ended: ${cause instanceof Error ? cause.message : String(cause)}`, {
        where: job.codePath, cause,
      }));
    } finally {
      here.off('message', hear);
      // the result may overtake events that were sent before it
      for (let left = receiveMessageOnPort(here); left; left = receiveMessageOnPort(here)) hear(left.message as RunEvent);
      here.close();
    }
  }
}
