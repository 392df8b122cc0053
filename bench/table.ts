import Table from 'cli-table3';
import type { Spread } from './measure.js';

export interface Row {
  readonly model: string;
  readonly parameters: number;
  readonly work: 'roof' | 'train' | 'score';
  /** `torch` and `torch.compile` are PyTorch; all others are this engine's devices. */
  readonly device: string;
  readonly threads: number;
  readonly milliseconds: Spread;
  readonly tokensPerSecond: number | null;
  readonly gflops: number;
  /** Rate of products over that of large products with the same threads in the same run. */
  readonly ofRoof: number | null;
  /** The same by the time of the processor. */
  readonly ofRoofByProcessor: number | null;
  /** Seconds to trace, write and open the program. */
  readonly compileSeconds: number | null;
  /** Of the libraries of another engine. */
  readonly versions: Readonly<Record<string, string>> | null;
}

const HEAD = ['model', 'work', 'device', 'threads', 'ms (quartiles)', 'processor ms', 'tokens/s', 'GFLOP/s', 'of roof', 'by processor', 'compile s'];
const digits = (value: number | null, places: number) => (value === null ? '' : value.toFixed(places));
const percent = (value: number | null) => (value === null ? '' : `${(100 * value).toFixed(0)} %`);

/** A table of lines that Markdown reads too. */
export function markdownTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const table = new Table({
    head: [...head],
    style: { head: [], border: [] },
    chars: {
      top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
      mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '', left: '|', middle: '|', right: '|',
    },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** The rows as text. */
export function tableOf(rows: readonly Row[]): string {
  return markdownTable(HEAD, rows.map((row) => {
    const { median, low, high, processor } = row.milliseconds;
    return [
      `${row.model} (${digits(row.parameters / 1e6, 1)} M)`,
      row.work,
      row.device,
      row.threads,
      `${median.toFixed(1)} (${low.toFixed(1)}-${high.toFixed(1)})`,
      processor.toFixed(1),
      digits(row.tokensPerSecond, 0),
      digits(row.gflops, 1),
      percent(row.ofRoof),
      percent(row.ofRoofByProcessor),
      digits(row.compileSeconds, 2),
    ];
  }));
}
