import { METRICS } from '@lethe/metrics';
import { type Command, Option } from 'commander';
import type { Output } from '../output.js';
import { withScorers } from '../plugins-option.js';
import type { TableFlags } from './table.js';

/** Adds `lethe table`. */
export function addTableCommand(program: Command, output: Output): void {
  withScorers(program.command('table <runs...>'))
    .description('the table of a paper, of runs (folders, or entries of the leaderboard): methods by metrics where all runs may be compared, else methods by suites; '
      + 'mean ± half the 95 % interval')
    .option('--methods <list>', 'rows of these alone, by label or name')
    .option('--metric <id>', `methods by suites in this one (default: averageAccuracy); of ${METRICS.map(({ id }) => id).join(', ')}`)
    .addOption(new Option('--costs', 'with parameters trained and added, bytes stored, and how many runs').conflicts('metric'))
    .option('--markdown', 'as a Markdown table')
    .addOption(new Option('--latex', 'as a LaTeX tabular of booktabs, the best of a column in bold').conflicts('markdown'))
    .addOption(new Option('--csv', 'as CSV, a line a run, with every metric and cost').conflicts(['markdown', 'latex', 'metric', 'costs']))
    .action(async (runs: string[], flags: TableFlags) => {
      const { tableCommand } = await import('./table.js');
      await tableCommand(runs, flags, output);
    });
}
