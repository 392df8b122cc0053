import type { Run, Sweep } from '@lethe/core';
import { sha256 } from '@lethe/core';

/** The hash that a results file states: over the runs without what time and place decide (of an error, where it stands), and the sweep where there is one. */
export function resultsHash(runs: readonly Run[], sweep?: Sweep): string {
  const hashed = runs.map((run) => {
    const { environment: _, ...rest } = run;
    if (rest.status === 'failed') return { ...rest, error: { code: rest.error.code, message: rest.error.message } };
    const { trainSeconds: _train, evalSeconds: _eval, peakBytes: _peak, ...cost } = rest.cost;
    return { ...rest, cost };
  });
  return sha256(sweep ? { runs: hashed, sweep } : hashed);
}
