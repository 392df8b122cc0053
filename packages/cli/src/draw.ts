import { plainTable } from './plain-table.js';

/** What stands in a cell. */
export interface Cell {
  /** A name that was typed, as of a method: what Markdown sets as code. The text stands behind it. */
  readonly name?: string;
  readonly text: string;
  /** The best of its column: LaTeX has it in bold. */
  readonly best?: boolean;
}

/** A table before it is drawn. */
export interface Table {
  readonly head: readonly Cell[];
  readonly rows: readonly (readonly Cell[])[];
  /** Columns that hold text and not numbers, which stand to the right. */
  readonly textColumns: readonly number[];
  /** How many rows at the end stand apart from the others. */
  readonly apart: number;
}

/** How a table is drawn. */
export type Format = 'text' | 'markdown' | 'latex';

/** What a cell says, without any markup. */
export const wordsOf = ({ name = '', text }: Cell): string => name + text;

/** What means something to LaTeX, or that its fonts of old have no sign for. */
const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}', '~': '\\textasciitilde{}', '^': '\\textasciicircum{}', '|': '\\textbar{}',
  '−': '$-$', '±': '$\\pm$', '–': '--', '<': '$<$', '>': '$>$',
};

const escaped = (text: string): string => text.replace(/[\\~^|−±–<>&%$#_{}]/g, (sign) => SPECIAL[sign] ?? `\\${sign}`);

/** Rows of lines, those that stand apart below a rule. */
const ruled = ({ rows, apart }: Table, lines: readonly string[], rule: string): string[] =>
  (apart > 0 && apart < rows.length ? lines.toSpliced(rows.length - apart, 0, rule) : [...lines]);

function text(table: Table): string[] {
  const [head, ...lines] = plainTable(table.head.map(wordsOf), table.rows.map((row) => row.map(wordsOf)), table.textColumns);
  return [head!, ...ruled(table, lines, '─'.repeat(Math.max(...lines.map(({ length }) => length))))];
}

/** For each column, how it is set: as text or as numbers. */
const set = ({ head, textColumns }: Table, text: string, number: string): string[] => head.map((_, i) => (textColumns.includes(i) ? text : number));

/** Code of Markdown, between more backticks than stand in it. */
const code = (name: string): string => (name.includes('`') ? `${'`'.repeat(name.length)} ${name} ${'`'.repeat(name.length)}` : `\`${name}\``);

function markdown(table: Table): string[] {
  const cell = ({ name, text: rest }: Cell) => `${name === undefined ? '' : code(name)}${rest.replaceAll('<', '&lt;')}`.replaceAll('|', '\\|');
  return [table.head.map(cell), set(table, '---', '---:'), ...table.rows.map((row) => row.map(cell))].map((cells) => `| ${cells.join(' | ')} |`);
}

/** What a document needs that {@link latex} is put into. */
export const PREAMBLE = 'needs \\usepackage{booktabs}';

/** A line that LaTeX does not set, whatever is in it. */
export const latexComment = (text: string): string => `% ${text.replaceAll(/[\r\n]+/g, ' ')}`;

/** A tabular of booktabs. */
function latex(table: Table): string[] {
  const cell = (one: Cell) => (one.best ? `\\textbf{${escaped(wordsOf(one))}}` : escaped(wordsOf(one)));
  const line = (cells: readonly Cell[]) => `${cells.map(cell).join(' & ')} \\\\`;
  return [
    `\\begin{tabular}{${set(table, 'l', 'r').join('')}}`, '\\toprule', line(table.head), '\\midrule', ...ruled(table, table.rows.map(line), '\\midrule'),
    '\\bottomrule', '\\end{tabular}',
  ];
}

/** The lines of a table in each format. Rows that stand apart are below a rule, which Markdown does not have. */
export const DRAW: Readonly<Record<Format, (table: Table) => string[]>> = { text, markdown, latex };
