import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Metrics, type Run, withMarked } from '@lethe/core';
import { percent, readEntries } from '@lethe/leaderboard';
import pc from 'picocolors';
import { PATHS } from '../src/paths.js';
import { type Cell, DRAW, type Table } from '../src/draw.js';
import { FIGURES, described, seenMeasures } from '../src/plot/figures.js';
import { type Column, columnsOf, methodsOf, rowOf, suitesTable, termsOf, titlesOf } from '../src/table/suites-table.js';
import { RANKING } from '../src/table/summary.js';
import { renderTable } from '../src/table/terminal.js';

/** Suites in the order in which their columns stand; others come behind. */
const SUITES = ['domain-mini', 'skills-mini', 'twins-mini', 'standard-cl'];
/** The method whose lead is told, and the suite whose whole table is shown. */
const [LEADER, FIRST] = ['seta', 'domain-mini'];
/** The suite whose stream is drawn. */
const DRAWN = 'skills-mini';

/** A page that holds tables, from the root of the repository, and which. */
const PAGES: Readonly<Record<string, readonly string[]>> = { 'README.md': ['all entries'], 'leaderboard/RESULTS.md': ['all entries', 'first entry', 'leads'] };

/** Published runs as columns of a table, in the order in which they stand. */
function publishedColumns(runs: readonly Run[]): Column[] {
  const place = ({ suite: { id } }: Column) => (SUITES.includes(id) ? SUITES.indexOf(id) : SUITES.length);
  return columnsOf(runs).sort((a, b) => place(a) - place(b));
}

/** By how much the first method leads every competitor in the end, and by how much when each task had just been learned. */
function leads(columns: readonly Column[]): Table {
  const lead = (column: Column, method: string, metric: keyof Metrics) => {
    const [own, other] = [LEADER, method].map((id) => rowOf(column, id)?.intervals[metric]?.mean);
    return own === undefined || other === undefined ? null : own - other;
  };
  const cell = (column: Column, method: string): Cell => {
    const [all, learned] = [lead(column, method, 'averageAccuracy'), lead(column, method, 'learningAccuracy')];
    return { text: all === null || learned === null ? '' : `${percent(all)}, ${percent(learned)}` };
  };
  const rivals = methodsOf(columns).filter(({ method, bound }) => method !== LEADER && !bound);
  return {
    head: [{ text: `lead of ${LEADER.toUpperCase()}, of it learning` }, ...titlesOf(columns)],
    rows: rivals.map(({ method }) => [{ name: method, text: '' }, ...columns.map((column) => cell(column, method))]), textColumns: [0], apart: 0,
  };
}

/** The drawing of a stream that README shows, and where it lies. */
function streamFigure(runs: readonly Run[]): readonly [path: string, text: string] {
  const [column] = columnsOf(runs, seenMeasures(runs[0]!.order.tasks.length));
  const { draw, title, about } = FIGURES.stream(column!);
  return [join(PATHS.root, 'leaderboard', `${DRAWN}.svg`), `${described(draw(), [title, termsOf(column!), about])}\n`];
}

/** What a table stands between. */
const marksOf = (name: string) => [`<!-- ${name}: made by \`npm run tables -w @lethe/cli\` -->`, `<!-- end of ${name} -->`] as const;

/** The files of the repository that tell what was published, by path: pages with tables, and a drawing, as they are and as the entries have them now. */
export async function publishedFiles(): Promise<ReadonlyMap<string, { readonly text: string; readonly now: string }>> {
  const runs = (await readEntries(PATHS.entries)).flatMap(({ entry: { results } }) => results.runs);
  const columns = publishedColumns(runs);
  const first = columns.find(({ suite }) => suite.id === FIRST)!;
  const markdown = (table: Table) => DRAW.markdown(table).join('\n');
  const tables: Readonly<Record<string, string>> = {
    'first entry': `\`\`\`text\n${renderTable(first.rows, pc.createColors(false))}\n\`\`\``, 'all entries': markdown(suitesTable(columns, RANKING)), leads: markdown(leads(columns)),
  };
  const pages = Object.entries(PAGES).map(async ([page, names]) => {
    const path = join(PATHS.root, page);
    const text = await readFile(path, 'utf8');
    return [path, { text, now: names.reduce((now, name) => withMarked(now, page, marksOf(name), tables[name]!), text) }] as const;
  });
  const [drawing, now] = streamFigure(runs.filter(({ suite }) => suite.id === DRAWN));
  return new Map([...await Promise.all(pages), [drawing, { text: await readFile(drawing, 'utf8').catch(() => ''), now }]]);
}
