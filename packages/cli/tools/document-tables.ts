import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { departuresOf, withMarked } from '@lethe/core';
import { type PublishedEntry, percent, readEntries } from '@lethe/leaderboard';
import pc from 'picocolors';
import { PATHS } from '../src/paths.js';
import { type ColumnMetric, type MethodSummary, summarise } from '../src/summary.js';
import { intervalText, renderTable } from '../src/table.js';

/** Suites in the order in which their columns stand; others come behind. */
const SUITES = ['domain-mini', 'skills-mini', 'twins-mini', 'standard-cl'];
/** The method whose lead is told, and the suite whose table opens the README. */
const [LEADER, FIRST] = ['seta', 'domain-mini'];

/** A page that holds tables, from the root of the repository, and which. */
const PAGES: Readonly<Record<string, readonly string[]>> = { 'README.md': ['first entry', 'all entries'], 'leaderboard/RESULTS.md': ['all entries', 'leads'] };

interface Column {
  readonly suite: PublishedEntry['entry']['results']['runs'][number]['suite'];
  readonly rows: readonly MethodSummary[];
}

const markdown = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** What the column of an entry is called: its suite, with the size and whatever else is not as it is by default. */
function titleOf({ suite }: Column): string {
  const others = [...(suite.size === 'full' ? [] : [suite.size]), ...departuresOf(suite)];
  return `\`${suite.id}\`${others.length > 0 ? ` (${others.join(', ')})` : ''}`;
}

/** How many runs every method has in an entry, which is whole: as many as every other. */
const runsOf = ({ rows: [row] }: Column): number => row!.completed + row!.failed.length;

function columnsOf(entries: readonly PublishedEntry[]): Column[] {
  const place = ({ suite: { id } }: Column) => (SUITES.includes(id) ? SUITES.indexOf(id) : SUITES.length);
  return entries.map(({ entry: { results } }): Column => ({ suite: results.runs[0]!.suite, rows: summarise(results) })).sort((a, b) => place(a) - place(b));
}

/** The methods of all columns in the order of the first that has them, bounds last. */
function methodsOf(columns: readonly Column[]): string[] {
  const all = columns.flatMap(({ rows }) => rows);
  const named = (bound: boolean) => all.filter((row) => row.bound === bound).map(({ method }) => method);
  return [...new Set([...named(false), ...named(true)])];
}

const rowOf = ({ rows }: Column, method: string): MethodSummary | undefined => rows.find((row) => row.method === method);

/** Average accuracy of every method in every entry, with half its interval. */
function allEntries(columns: readonly Column[]): string {
  const cell = (row: MethodSummary | undefined) => {
    const interval = row?.intervals.averageAccuracy;
    return interval ? intervalText(interval) : '';
  };
  const isBound = (method: string) => columns.some((column) => rowOf(column, method)?.bound);
  return markdown(['method', ...columns.map((column) => `${titleOf(column)}, ${runsOf(column)} runs each`)],
    methodsOf(columns).map((method) => [`\`${method}\`${isBound(method) ? ' (bound)' : ''}`, ...columns.map((column) => cell(rowOf(column, method)))]));
}

/** By how much the first method leads every competitor in the end, and by how much when each task had just been learned. */
function leads(columns: readonly Column[]): string {
  const lead = (column: Column, method: string, metric: ColumnMetric) => {
    const [own, other] = [LEADER, method].map((id) => rowOf(column, id)?.intervals[metric]?.mean);
    return own === undefined || other === undefined ? null : own - other;
  };
  const cell = (column: Column, method: string) => {
    const [all, learned] = [lead(column, method, 'averageAccuracy'), lead(column, method, 'learningAccuracy')];
    return all === null || learned === null ? '' : `${percent(all)}, ${percent(learned)}`;
  };
  const rivals = methodsOf(columns).filter((method) => method !== LEADER && !columns.some((column) => rowOf(column, method)?.bound));
  return markdown([`lead of ${LEADER.toUpperCase()}, of it learning`, ...columns.map(titleOf)],
    rivals.map((method) => [`\`${method}\``, ...columns.map((column) => cell(column, method))]));
}

/** What a table stands between. */
const marksOf = (name: string) => [`<!-- ${name}: made by \`npm run tables -w @lethe/cli\` -->`, `<!-- end of ${name} -->`] as const;

/** The pages of the repository that tell what was published, by path, with the tables of the published entries as they are now. */
export async function pagesWithTables(): Promise<ReadonlyMap<string, { readonly text: string; readonly now: string }>> {
  const columns = columnsOf(await readEntries(PATHS.entries));
  const first = columns.find(({ suite }) => suite.id === FIRST)!;
  const tables: Readonly<Record<string, string>> = {
    'first entry': `\`\`\`text\n${renderTable(first.rows, pc.createColors(false))}\n\`\`\``, 'all entries': allEntries(columns), leads: leads(columns),
  };
  return new Map(await Promise.all(Object.entries(PAGES).map(async ([page, names]) => {
    const path = join(PATHS.root, page);
    const text = await readFile(path, 'utf8');
    return [path, { text, now: names.reduce((now, name) => withMarked(now, page, marksOf(name), tables[name]!), text) }] as const;
  })));
}
