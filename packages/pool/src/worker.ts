import type { MessagePort } from 'node:worker_threads';
import { LetheError, type Run } from '@lethe/core';
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
  try {
    return await runStream(
      job, await composeRun(root, job), (event) => events.postMessage(event), () => Atomics.load(stop, 0) !== 0);
  } catch (error) {
    if (error instanceof LetheError && error.code === 'LETHE_RUN_STOPPED') return null;
    return failedRun(job, error);
  } finally {
    events.close();
  }
}
