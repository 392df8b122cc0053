import { type ReportedTable, SEEN } from '@lethe/leaderboard';
import type { Comparison } from '@lethe/metrics';
import { DRAW, type Format, PREAMBLE } from '../draw.js';
import { pairsTable, reportedTable, standingsTable } from './tables.js';
import { explain, termsOf } from './words.js';

/** What stands around tables: a comment in LaTeX, so that the output can be included as it is. */
const prose = (format: Format, lines: readonly string[]): string[] => (format === 'latex' ? lines.filter((line) => line !== '').map((line) => `% ${line}`) : [...lines]);

/** What papers report of the suite, each table with where it comes from. */
function renderReported(suite: string, tables: readonly ReportedTable[], format: Format): string[] {
  if (tables.length === 0) return prose(format, ['', `No numbers that papers report of ${suite} are known here.`]);
  return [
    ...prose(format, ['', 'Reported by papers, not measured here: models, budgets, prompts and scoring differ, so nothing above is compared with it.']),
    ...tables.flatMap((table) => ['',
      ...prose(format, [`reported: ${table.title} (${table.model}; ${table.protocol}). ${table.source}; ${SEEN[table.seen]}.${table.note === undefined ? '' : ` Note: ${table.note}.`}`]),
      ...(format === 'markdown' ? [''] : []), ...DRAW[format](reportedTable(table))]),
  ];
}

/**
 * A comparison as text: its terms, two tables for each metric, what was shown and what was not.
 *
 * @param against the method that all others are compared with, where there is one
 * @param reported tables of papers to set beside it, where they are asked for
 * @param several whether it is one of several comparisons
 */
export function renderComparison(
  comparison: Comparison, format: Format,
  { against, reported, several }: { readonly against: string | undefined; readonly reported: readonly ReportedTable[] | undefined; readonly several: boolean },
): string {
  const tables = comparison.metrics.flatMap((metric) =>
    [standingsTable(comparison, metric), ...(metric.pairs.length ? [pairsTable(comparison, metric)] : [])]);
  return [
    ...prose(format, [termsOf(comparison), ...(format === 'latex' ? [PREAMBLE] : [])]), '',
    ...tables.flatMap((table) => [...DRAW[format](table), '']),
    ...prose(format, explain(comparison, against, several)),
    ...(reported ? renderReported(comparison.suite.id, reported, format) : []),
  ].join('\n');
}
