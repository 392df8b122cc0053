import { LetheError, type Results, type Run, canonicalJson, createRandom } from '@lethe/core';
import { chosen } from '../chosen.js';
import { methodLabels } from '../labels.js';

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
  readonly runs: readonly NamedRun[];
  /** Methods that nothing was drawn of, with their versions: those that are installed are others. */
  readonly outdated: readonly string[];
}

/** A run with what to call it. */
export interface NamedRun {
  readonly run: Run;
  readonly name: string;
}

/** Whether the last predictions are not those of the untouched model, or there are none: that a run failed is a statement as well. */
const telling = ({ run }: NamedRun): boolean => run.status === 'failed' || Object.values(run.predictions).some((task) => {
  const steps: readonly unknown[] = 'scorer' in task ? task.written : task.chosen;
  return canonicalJson(steps[0]) !== canonicalJson(steps.at(-1));
});

/**
 * Draws runs, those that learned or failed before those that did not learn, and gives them in the order of the results. Who published them cannot
 * know which it will be, as nothing counts that they only state: a run has learned where its predictions changed. Unless a method is named,
 * none is drawn of methods that are here in another version, as long as there are others.
 *
 * @param installed the version of a method that is here; undefined where it is not
 * @throws LETHE_USAGE for a method, order or seed that the results do not have
 */
export function chooseRuns(results: Results, { method, order, seed, runs, draw }: RunsChoice, installed: (id: string) => string | undefined): Drawn {
  const labels = methodLabels(results.runs.map((run) => run.method));
  const all = results.runs.map((run, i) => ({ run, label: labels[i]!, name: `${labels[i]!}, order ${run.order.id}, seed ${run.seed}` }));
  /** Those that a flag asks for, all of them without it. */
  const narrowed = <T extends (typeof all)[number]>(flag: string, asked: string | undefined, of: (one: T) => string, among: readonly T[]): readonly T[] => {
    if (asked === undefined) return among;
    const known = [...new Set(among.map(of))];
    const wanted = known[chosen(flag, known, asked)]!;
    return among.filter((one) => of(one) === wanted);
  };
  const ofMethod = narrowed('--method', method, ({ label }) => label, all);
  const ofOrder = narrowed('--order', order, ({ run }) => run.order.id, ofMethod);
  const left = narrowed('--seed', seed, ({ run }) => String(run.seed), ofOrder);
  if (left.length === 0) throw new LetheError('LETHE_USAGE', 'There are no runs to make again.', { remedy: 'Give results with runs.' });
  const isOutdated = ({ run }: NamedRun) => method === undefined && (installed(run.method.id) ?? run.method.version) !== run.method.version;
  const current = left.filter((one) => !isOutdated(one));
  const shuffled = createRandom(draw, 'reproduce').shuffle(current.length > 0 ? current : left);
  const drawn = new Set([...new Set([...shuffled.filter(telling), ...shuffled])].slice(0, runs));
  return {
    runs: all.filter((one) => drawn.has(one)).map(({ run, name }) => ({ run, name })),
    outdated: current.length === 0 ? [] : [...new Set(left.filter(isOutdated).map(({ run }) => `${run.method.id} ${run.method.version}`))],
  };
}
