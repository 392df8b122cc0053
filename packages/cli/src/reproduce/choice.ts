import { LetheError, createRandom } from '@lethe/core';
import { chosen } from '../chosen.js';
import type { Claim } from './claims.js';

/** Which runs of results are to be made again. */
export interface RunsChoice {
  /** As it is called in the table. */
  readonly method?: string;
  readonly order?: string;
  readonly seed?: string;
  /** How many are drawn of those that are left; fewer where there are no more. */
  readonly runs: number;
  /** What they are drawn by: the same number draws the same runs. */
  readonly draw: number;
}

/** What was drawn. */
export interface Drawn {
  readonly claims: readonly Claim[];
  /** Methods that nothing was drawn of, with their versions: those that are installed are others. */
  readonly outdated: readonly string[];
}

/**
 * Draws runs, those that learned or failed before those that did not learn, and gives them in the order of the results. Who published them cannot
 * know which it will be, as nothing counts that they only state: a run has learned where its predictions changed. Unless a method is named,
 * none is drawn of methods that are here in another version, as long as there are others.
 *
 * @param installed the version of a method that is here; undefined where it is not
 * @throws LETHE_USAGE for a method, order or seed that the results do not have
 */
export function chooseRuns(all: readonly Claim[], { method, order, seed, runs, draw }: RunsChoice, installed: (id: string) => string | undefined): Drawn {
  /** Those that a flag asks for, all of them without it. */
  const narrowed = (flag: string, asked: string | undefined, of: (one: Claim) => string, among: readonly Claim[]): readonly Claim[] => {
    if (asked === undefined) return among;
    const known = [...new Set(among.map(of))];
    const wanted = known[chosen(flag, known, asked)]!;
    return among.filter((one) => of(one) === wanted);
  };
  const ofMethod = narrowed('--method', method, ({ label }) => label, all);
  const ofOrder = narrowed('--order', order, (one) => one.order.id, ofMethod);
  const left = narrowed('--seed', seed, (one) => String(one.seed), ofOrder);
  if (left.length === 0) throw new LetheError('LETHE_USAGE', 'There are no runs to make again.', { remedy: 'Give results with runs.' });
  const isOutdated = ({ method: { id, version } }: Claim) => method === undefined && (installed(id) ?? version) !== version;
  const current = left.filter((one) => !isOutdated(one));
  const shuffled = createRandom(draw, 'reproduce').shuffle(current.length > 0 ? current : left);
  const drawn = new Set([...new Set([...shuffled.filter(({ telling }) => telling), ...shuffled])].slice(0, runs));
  return {
    claims: all.filter((one) => drawn.has(one)),
    outdated: current.length === 0 ? [] : [...new Set(left.filter(isOutdated).map(({ method: { id, version } }) => `${id} ${version}`))],
  };
}
