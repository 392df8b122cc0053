import Table from 'cli-table3';

/** What a borderless table is drawn with: a line under the head, two spaces between columns. */
const LINES = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '',
};

/** The lines of a table without borders: columns of text to the left, of numbers to the right. */
export function plainTable(head: readonly string[], rows: readonly (readonly string[])[], textColumns: readonly number[]): string[] {
  const table = new Table({
    head: [...head], chars: LINES, colAligns: head.map((_, i) => (textColumns.includes(i) ? 'left' : 'right')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString().split('\n').map((line) => line.trimEnd());
}
