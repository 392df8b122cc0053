import { resolve } from 'node:path';
import { LetheError, type Run, didYouMean, methodName, quoted } from '@lethe/core';
import { type ReportedTable, readReported } from '@lethe/leaderboard';
import { type Comparison, compareRuns } from '@lethe/metrics';
import { madeBy } from '../made-by.js';
import { noteCodes } from '../method-runs.js';
import { metricNamed } from '../metric-named.js';
import type { Output } from '../output.js';
import { typed } from '../paths.js';
import { checkFinished, noteUnfinished, resultsSoFar } from '../run/finished.js';
import { parseList } from '../run/request.js';
import { type Format, latexComment } from '../draw.js';
import { renderComparison } from './render.js';

/** The flags of `lethe compare`. */
export interface CompareFlags {
  readonly against?: string;
  readonly metric: string;
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly latex?: boolean;
  readonly reported?: boolean;
  readonly plugins?: readonly string[];
}

function formatOf({ json, markdown, latex }: CompareFlags): Format | 'json' {
  const asked = [...(json ? ['json' as const] : []), ...(markdown ? ['markdown' as const] : []), ...(latex ? ['latex' as const] : [])];
  if (asked.length < 2) return asked[0] ?? 'text';
  throw new LetheError('LETHE_USAGE', `${asked.map((name) => `--${name}`).join(' and ')} cannot be had at once`, { remedy: 'choose one' });
}

/** In LaTeX the command that makes it and the versions of what was run, as comments. */
function originOf(paths: readonly string[], { against, metric, reported, plugins = [] }: CompareFlags, runs: readonly Run[]): string {
  const command = [
    'lethe compare', ...paths.map(typed), ...(against === undefined ? [] : [`--against ${quoted(against)}`]), `--metric ${quoted(metric)}`,
    ...(reported ? ['--reported'] : []), '--latex', ...plugins.map((folder) => `--plugins ${typed(folder)}`),
  ].join(' ');
  return [command, madeBy(runs)].map((line) => `${latexComment(line)}\n`).join('');
}

/** The metrics of a comparison without their functions, which JSON has no place for. */
const plain = (comparison: Comparison, reported: readonly ReportedTable[] | undefined) => ({
  ...comparison,
  metrics: comparison.metrics.map(({ metric: { of: _, ...metric }, ...rest }) => ({ metric, ...rest })),
  ...(reported === undefined ? {} : { reported: reported.map(({ metrics, ...table }) => ({ ...table, metrics: metrics.map(({ id }) => id) })) }),
});

/**
 * `lethe compare RUN [RUN…]`: what the runs show of their methods, and what they do not.
 *
 * @param paths run folders or entries of the leaderboard
 * @throws LETHE_USAGE for an unknown metric or method, and where no two methods ran under the same terms; LETHE_RUN_STOPPED where
 *   that may come of a run that is not finished; LETHE_RUN_AMBIGUOUS, LETHE_STATISTICS_MISSING, and the errors of `resultsSoFar`
 */
export async function compareCommand(paths: readonly string[], flags: CompareFlags, output: Output): Promise<void> {
  const metrics = parseList('--metric', flags.metric).map(metricNamed);
  const format = formatOf(flags);
  const parts = await Promise.all(paths.map((path) => resultsSoFar(resolve(path))));
  const ofEach = async (check: (path: string, done: number) => Promise<void>) => {
    for (const [i, path] of paths.entries()) await check(resolve(path), parts[i]!.runs.length);
  };
  const runs = parts.flatMap((results) => results.runs);
  const methods = [...new Set(runs.map((run) => methodName(run.method)))];
  const { against } = flags;
  if (against !== undefined && !methods.includes(against)) {
    await ofEach(checkFinished);
    throw new LetheError('LETHE_USAGE', `--against: no run is of the method "${against}".${didYouMean(against, methods)}`, { remedy: `choose from: ${methods.join(', ')}` });
  }
  const comparisons = compareRuns(runs, { metrics, ...(against === undefined ? {} : { against }) });
  if (comparisons.every((comparison) => comparison.methods.length < 2)) {
    await ofEach(checkFinished);
    if (methods.length === 1) {
      throw new LetheError('LETHE_USAGE', `there is one method here, ${methods[0]!}, and a comparison takes two`, {
        where: paths.join(', '), remedy: 'give the run of another method under the same terms beside it; lethe table shows the numbers of one',
      });
    }
    throw new LetheError('LETHE_USAGE', 'no two methods ran on the same suite, version, size, tasks and model with the same training budget', {
      where: paths.join(', '), remedy: 'give the folders of runs that share these, or one run of several methods',
    });
  }
  await ofEach((path, done) => noteUnfinished(path, done, output));
  noteCodes(runs, output);
  const tables = flags.reported ? readReported() : undefined;
  const reportedOf = ({ suite }: Comparison) => tables?.filter((table) => table.suite === suite.id);
  output.data(format === 'json' ? JSON.stringify(comparisons.map((comparison) => plain(comparison, reportedOf(comparison))), null, 2)
    : (format === 'latex' ? originOf(paths, flags, runs) : '') + comparisons.map((comparison) => renderComparison(comparison, format, { against, reported: reportedOf(comparison), several: comparisons.length > 1 })).join('\n\n'));
}
