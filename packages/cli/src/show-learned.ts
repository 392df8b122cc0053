import { type CompletedRun, LetheError, type ReportTable, type Results, cellText } from '@lethe/core';
import { chosen } from './chosen.js';
import { methodLabels } from './labels.js';
import type { Output } from './output.js';
import { plainTable } from './plain-table.js';

/** Which run of a folder is meant: the first of the method where order or seed is left out. */
export interface RunChoice {
  readonly method?: string;
  readonly order?: string;
  readonly seed?: string;
}

function linesOf({ title, unit, rows, columns, cells }: ReportTable): string[] {
  const head = [`${rows.title} \\ ${columns.title}`, ...columns.names];
  return [unit === undefined ? title : `${title}: ${unit}`, ...plainTable(head, cells.map((row, i) => [rows.names[i]!, ...row.map(cellText)]), [0])];
}

function runOf({ runs }: Results, { method, order, seed }: RunChoice): { run: CompletedRun; label: string } {
  const completed = runs.filter((run) => run.status === 'completed');
  const labels = methodLabels(completed.map((run) => run.method));
  const names = [...new Set(labels)];
  const label = names[chosen('--method', names, method)]!;
  const own = completed.filter((_, i) => labels[i] === label);
  const orders = [...new Set(own.map((run) => run.order.id))];
  const inOrder = own.filter((run) => run.order.id === orders[chosen('--order', orders, order ?? orders[0])]);
  const seeds = inOrder.map((run) => String(run.seed));
  return { run: inOrder[chosen('--seed', seeds, seed ?? seeds[0])]!, label };
}

/**
 * Writes the tables that a method reports of what it learned in one run: experts, overlap, gates.
 *
 * @throws LetheError LETHE_USAGE where there is no such run, or it says nothing
 */
export function showLearned(results: Results, choice: RunChoice, json: boolean, output: Output): void {
  const { run, label } = runOf(results, choice);
  const { report } = run;
  const where = `${label}, order ${run.order.id}, seed ${run.seed}`;
  if (report === undefined) {
    throw new LetheError('LETHE_USAGE', `${where}: the method says nothing of what it learned.`, { remedy: 'Ask for another method, such as seta.' });
  }
  output.note(`${where}: ${run.order.tasks.join(', ')}`);
  output.data(json ? JSON.stringify(report, null, 2) : report.map((table) => linesOf(table).join('\n')).join('\n\n'));
}
