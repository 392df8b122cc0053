import { type RunIdentity, methodName } from '@lethe/core';
import type { SuiteReference } from '@lethe/data';

/** One run, as names and paths only: it crosses into a worker, which rebuilds everything from it. */
export interface Job {
  readonly identity: RunIdentity;
  /** Path of the compiled module whose default export is the Method. */
  readonly codePath: string;
  /** Its {@link codeSha256}, where a run is held to it. */
  readonly code?: string;
  /** `joint` trains on all tasks as one stage (an upper bound); `continual` on one after the other. */
  readonly stream: 'continual' | 'joint';
  readonly suite: SuiteReference;
  readonly modelDir: string;
  /** The folder of an adapter that is merged into the weights of the model. */
  readonly adapterDir?: string;
  readonly device: string;
  readonly threads: number;
  /** {@link Forward.microBatch}. */
  readonly microBatch?: number;
  /** The run folder; step artefacts go to its `steps/`. */
  readonly outDir: string;
  /** What the results say of their origin. */
  readonly origin: { readonly lethe: string; readonly git: string | null };
}

/** A short readable name, unique within a benchmark: what events call a run. */
export function runName(identity: RunIdentity): string {
  const { suite, method, order, seed } = identity;
  return `${suite.id}/${methodName(method)}/order-${order.id}/seed-${seed}`;
}
