import type { Run, Sweep } from '@lethe/core';
import { sha256 } from '@lethe/core';

/**
 * The hash that a results file states: over the runs, with the hashes of the rows that they trained on and answered, without what time and
 * place decide (of an error, where it stands), and the sweep where there is one.
 */
export function resultsHash(runs: readonly Run[], sweep?: Sweep): string {
  const hashed = runs.map((run) => {
    const { environment: { dataSha256, skippedRows }, ...rest } = run;
    const rows = { dataSha256, ...(skippedRows && { skippedRows }) };
    if (rest.status === 'failed') return { ...rest, rows, error: { code: rest.error.code, message: rest.error.message } };
    const { trainSeconds: _train, evalSeconds: _eval, peakBytes: _peak, ...cost } = rest.cost;
    return { ...rest, rows, cost };
  });
  return sha256(sweep ? { runs: hashed, sweep } : hashed);
}
