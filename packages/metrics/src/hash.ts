import type { Run } from '@lethe/core';
import { sha256 } from '@lethe/core';

/** The hash that a results file states: over the runs without what time and place decide. */
export function resultsHash(runs: readonly Run[]): string {
  return sha256(runs.map((run) => {
    const { environment: _, ...rest } = run;
    if (rest.status === 'failed') return rest;
    const { trainSeconds: _train, evalSeconds: _eval, peakBytes: _peak, ...cost } = rest.cost;
    return { ...rest, cost };
  }));
}
