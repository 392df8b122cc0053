import { dirname } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { LetheError, type Run, frameWithin } from '@lethe/core';
import { type Job, composeRun, createContainer, failedRun, runStream } from '@lethe/harness';

/** One job as it crosses into a worker thread. */
export interface Assignment {
  readonly job: Job;
  /** Takes the events of the run to the main thread. */
  readonly events: MessagePort;
  /** One integer in memory that all threads share: not 0 when runs are to stop. */
  readonly stop: Int32Array;
}

const root = createContainer();

/** Runs a job: its result, failed or completed, or null where it was stopped. Never rejects. */
export default async function work({ job, events, stop }: Assignment): Promise<Run | null> {
  let crashed = false;
  let onUncaught: (cause: unknown) => void = () => undefined;
  // an error that nobody awaits would end the thread, perhaps while native code is at work in it, and that the whole process
  const crash = new Promise<never>((_, reject) => {
    onUncaught = (cause) => {
      crashed = true;
      reject(new LetheError('LETHE_RUN_CRASHED', `An error was not caught: ${cause instanceof Error ? cause.message : String(cause)}`, {
        where: frameWithin(cause, dirname(job.codePath)) ?? job.codePath, remedy: 'Await every promise, and let no timer of the method throw.', cause,
      }));
    };
  });
  process.on('uncaughtException', onUncaught);
  try {
    const stopped = () => crashed || Atomics.load(stop, 0) !== 0;
    const run = composeRun(root, job).then((deps) => runStream(job, deps, (event) => events.postMessage(event), stopped));
    return await Promise.race([run, crash]);
  } catch (error) {
    if (error instanceof LetheError && error.code === 'LETHE_RUN_STOPPED') return null;
    // results say where a plugin threw, and no more of the stack than that
    if (process.env['LETHE_DEBUG'] === '1') console.error(error);
    return failedRun(job, error);
  } finally {
    process.off('uncaughtException', onUncaught);
    events.close();
  }
}
