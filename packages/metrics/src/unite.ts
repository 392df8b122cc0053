import { LetheError, type Results, type Run, type Sweep, canonicalJson, methodName, outdatedAmong } from '@lethe/core';
import { resultsHash } from './hash.js';
import { ambiguous, byIdentity, outcomesOf } from './outcomes.js';
import { chosenOptions, joinSweeps, sweepFault, tunedIn } from './sweep.js';

/** Results, with what to call them in messages. */
export interface Part {
  readonly where: string;
  readonly results: Results;
}

const REMEDY = 'Publish the parts apart: what was measured under the same terms is compared anyway.';

const REMAKE = 'Run them with the options that were chosen (lethe run SUITE --tuned SWEEP --methods NAMES), and publish these runs beside the others.';

/** Whether a run has the options that a sweep chose for its method, or is of none that it tuned. */
function isChosen({ method }: Run, sweep: Sweep): boolean {
  const tuned = tunedIn(sweep, method);
  return tuned === undefined || canonicalJson(chosenOptions(tuned)) === canonicalJson(method.options);
}

/**
 * Throws LETHE_RESULTS_INVALID for a sweep in the place of those of the parts that leaves a method of theirs without runs, or did not tune one that they
 * did: results would lose it without a word, or keep options that nothing there chose.
 */
function checkReplaced(parts: readonly Part[], sweep: Sweep, where: string): void {
  const runs = parts.flatMap(({ results }) => results.runs);
  const [all, kept] = [runs, runs.filter((run) => isChosen(run, sweep))].map((some) => new Set(some.map(({ method }) => methodName(method)))) as [Set<string>, Set<string>];
  const gone = [...all].filter((name) => !kept.has(name));
  if (gone.length > 0) throw new LetheError('LETHE_RESULTS_INVALID', `No part has runs of ${gone.join(', ')} with the options that were chosen.`, { where, remedy: REMAKE });
  const lacking = [...new Set(parts.flatMap(({ results }) => results.sweep?.methods ?? []).map(methodName))]
    .filter((name) => all.has(name) && !sweep.methods.some((method) => methodName(method) === name));
  if (lacking.length === 0) return;
  throw new LetheError('LETHE_RESULTS_INVALID', `The sweep did not tune ${lacking.join(', ')}, which a part tuned.`, { where, remedy: 'Tune them under the same terms, and name that sweep too.' });
}

function sweepOfAll(parts: readonly Part[], runs: readonly Run[], tuned: Sweep | undefined, where: string): Sweep | undefined {
  const sweeps = tuned ? [tuned] : parts.flatMap(({ results: { sweep } }) => (sweep ? [sweep] : []));
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
 * @param tuned a sweep in the place of those of the parts, of methods that were tuned anew: runs with other options than it chose are left out
 * @throws LETHE_RUN_AMBIGUOUS where a run is there with two outcomes, LETHE_RESULTS_INVALID where methods were not tuned under equal terms, or a sweep in
 *   the place of another leaves one of them without runs
 */
export function unite(parts: readonly Part[], tuned?: Sweep): Results {
  const [first] = parts as readonly [Part, ...Part[]];
  if (parts.length === 1 && !tuned) return first.results;
  const where = parts.map((part) => part.where).join(', ');
  if (tuned) checkReplaced(parts, tuned, where);
  const all = parts.flatMap(({ results }) => results.runs).filter((run) => !tuned || isChosen(run, tuned));
  const isOutdated = outdatedAmong(all.map(({ method }) => method));
  const runs = byIdentity(all.filter(({ method }) => !isOutdated(method))).map((same) => {
    const [outcome, ...others] = outcomesOf(same);
    if (others.length === 0) return outcome!;
    throw ambiguous(same, { where, remedy: 'Leave out the part that is not to count.' });
  });
  const sweep = sweepOfAll(parts, runs, tuned, where);
  return { schema: 'lethe.results/1', sha256: resultsHash(runs, sweep), runs, ...(sweep && { sweep }) };
}
