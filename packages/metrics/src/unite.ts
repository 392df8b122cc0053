import { LetheError, type Results, type Run, type Sweep, outdatedAmong } from '@lethe/core';
import { resultsHash } from './hash.js';
import { ambiguous, byIdentity, outcomesOf } from './outcomes.js';
import { joinSweeps, sweepFault } from './sweep.js';

/** Results, with what to call them in messages. */
export interface Part {
  readonly where: string;
  readonly results: Results;
}

const REMEDY = 'Publish the parts apart: what was measured under the same terms is compared anyway.';

function sweepOfAll(parts: readonly Part[], runs: readonly Run[], where: string): Sweep | undefined {
  const sweeps = parts.flatMap(({ results: { sweep } }) => (sweep ? [sweep] : []));
  if (sweeps.length === 0) return undefined;
  const sweep = joinSweeps(sweeps);
  if (!sweep) throw new LetheError('LETHE_RESULTS_INVALID', 'The methods of the parts were not tuned under equal terms.', { where, remedy: REMEDY });
  const fault = sweepFault(sweep, runs);
  if (fault) throw new LetheError('LETHE_RESULTS_INVALID', `Not all parts ran with what was tuned. ${fault.message}`, { where, remedy: REMEDY });
  return sweep;
}

/**
 * Results that were made in parts (other seeds on another machine, methods that came later) as one. A run that several parts hold counts once; runs of
 * a method of which parts hold a newer version are left out.
 *
 * @param parts whose numbers hold, at least one; one alone stays as it is
 * @throws LETHE_RUN_AMBIGUOUS where a run is there with two outcomes, LETHE_RESULTS_INVALID where methods were not tuned under equal terms
 */
export function unite(parts: readonly Part[]): Results {
  const [first] = parts as readonly [Part, ...Part[]];
  if (parts.length === 1) return first.results;
  const where = parts.map((part) => part.where).join(', ');
  const all = parts.flatMap(({ results }) => results.runs);
  const isOutdated = outdatedAmong(all.map(({ method }) => method));
  const runs = byIdentity(all.filter(({ method }) => !isOutdated(method))).map((same) => {
    const [outcome, ...others] = outcomesOf(same);
    if (others.length === 0) return outcome!;
    throw ambiguous(same, { where, remedy: 'Leave out the part that is not to count.' });
  });
  const sweep = sweepOfAll(parts, runs, where);
  return { schema: 'lethe.results/1', sha256: resultsHash(runs, sweep), runs, ...(sweep && { sweep }) };
}
