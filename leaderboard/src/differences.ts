import { MISSING } from '@lethe/core';
import { ALPHA, type Comparison, POWER, type PairedComparison, type Range, differenceRange, fewestPairs, holdsElsewhere, withinRange } from '@lethe/metrics';
import { counted, points, probability } from './format.js';
import type { Group, Row } from './groups.js';
import { type Content, type Html, html } from './html.js';
import { wide } from './layout.js';
import { boundsOf, shortNames } from './parts.js';

/** The most pairs that any two methods have. */
const mostPairs = (pairs: readonly PairedComparison[]): number => Math.max(...pairs.map(({ test }) => test.pairs));

/** What the runs show of average accuracy in a sentence or two; nothing where there are no two methods to compare. */
export function shown({ comparison: { tests, metrics: [accuracy] } }: Group): Html | null {
  const { pairs } = accuracy!;
  if (tests === 0) return null;
  const [most, fewest] = [mostPairs(pairs), fewestPairs(tests, ALPHA)];
  if (most < fewest) {
    return html`<p class="note"><strong>These runs cannot show that any method is better than another, however large the difference.</strong>
${counted(tests, 'paired test')} over ${counted(most, 'pair')} (runs of the same order and seed) give no corrected p of ${ALPHA} or less; that takes
${fewest} pairs, ${counted(fewest - most, 'more run')} of every method with seeds or orders of their own. So all share ranks. Not shown does not mean equal.</p>`;
  }
  const found = pairs.filter(({ better }) => better !== null).length;
  const elsewhere = pairs.filter(holdsElsewhere).length;
  return html`<p class="note">${found === 0 ? 'No difference' : html`<strong>${found} of ${counted(tests, 'difference')}</strong>`} in average accuracy
${found > 1 ? 'are' : 'is'} shown at level ${ALPHA}, corrected for ${counted(tests, 'paired test')} over up to ${counted(most, 'pair')}
(runs of the same order and seed). The tests, and the ranks by them, are of these orders and seeds${found === 0 ? '' : html`; for other ones, of which few orders say little,
${elsewhere === 0 ? 'none' : elsewhere} of the ${counted(found, 'difference')} ${elsewhere === 1 ? 'is' : 'are'} shown by a t test with the same correction`}. Not shown does not mean equal.</p>`;
}

/**
 * A pair from the side of the method of the row.
 *
 * @param range what a difference can be
 */
function cell(pair: PairedComparison, own: number, range: Range): Html {
  const { a, better, difference, adjusted, pairsNeeded, test } = pair;
  const { mean, low, high } = difference;
  const turned = a === own ? difference : { ...difference, mean: -mean, low: high === null ? null : -high, high: low === null ? null : -low };
  const bounds = boundsOf(withinRange(turned, range), points);
  const lines = [
    ...(bounds === null ? [] : [bounds]), `p ${probability(adjusted)}`, ...(holdsElsewhere(pair) ? [`elsewhere ${probability(pair.elsewhere)}`] : []),
    ...(test.pairs < 2 ? [] : [`${pairsNeeded === null ? 'over 10 000' : pairsNeeded} pairs`]),
  ];
  return html`<td class="${better === null ? null : better === own ? 'more' : 'less'}">${points(turned.mean)}${lines.map((line) => html` <span class="pm">${line}</span>`)}</td>`;
}

function cells({ comparison: { metrics: [accuracy] } }: Group, row: Row, others: readonly Row[]): Content {
  const range = differenceRange(accuracy!.metric.range);
  return others.map((other) => {
    const pair = accuracy!.pairs.find(({ a, b }) => (a === row.place && b === other.place) || (a === other.place && b === row.place));
    return pair === undefined ? html`<td class="muted">${MISSING}</td>` : cell(pair, row.place, range);
  });
}

/** The differences between all pairs of methods over the runs that they share; nothing where there are none to compare. */
export function differences(group: Group): Html | null {
  const { tests, metrics: [accuracy] }: Comparison = group.comparison;
  if (tests === 0) return null;
  const rows = group.rows.filter(({ place }) => accuracy!.pairs.some(({ a, b }) => a === place || b === place));
  const shortOf = shortNames(rows);
  const heads = rows.map((row) => html`<th scope="col">${shortOf(row)}</th>`);
  const body = rows.map((row) => html`<tr><th scope="row" class="name">${shortOf(row)}</th>${cells(group, row, rows)}</tr>\n`);
  return html`<details><summary>Paired differences in average accuracy</summary>
<p class="small">The method of the row minus that of the column over the runs (order and seed) that both completed: mean, 95 % interval over seeds and
orders, p of a paired permutation test after Holm's correction for all ${tests} of them, and how many pairs it would take to show a difference as large
and as steady as this with probability ${POWER}. Bold where it is shown at level ${ALPHA} for these orders and seeds; <q>elsewhere</q>, with the p of a t test over other seeds in other orders after the same correction, where it is shown for those too. <code>lethe compare</code> gives the same for any metric.</p>
${wide('Paired differences', html`<table class="board pairs"><thead><tr><th scope="col" class="name">Row minus column</th>${heads}</tr></thead>
<tbody>${body}</tbody></table>`)}</details>`;
}
