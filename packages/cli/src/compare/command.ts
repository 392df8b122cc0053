import { METRICS } from '@lethe/metrics';
import type { Command } from 'commander';
import type { Output } from '../output.js';
import { withScorers } from '../plugins-option.js';
import type { CompareFlags } from './compare.js';

/** Adds `lethe compare`. */
export function addCompareCommand(program: Command, output: Output): void {
  withScorers(program.command('compare <runs...>'))
    .description('what runs (folders, or entries of the leaderboard) show of their methods: intervals, paired tests, ranks, and how many runs it would take')
    .option('--against <method>', 'compare all others with this method alone: fewer tests, of which more can be shown')
    .option('--metric <list>', `of ${METRICS.map(({ id }) => id).join(', ')}`, 'averageAccuracy')
    .option('--reported', 'add what papers report of the suite, in tables of their own')
    .option('--json', 'as JSON')
    .option('--markdown', 'as Markdown tables')
    .option('--latex', 'as LaTeX tables')
    .action(async (runs: string[], flags: CompareFlags) => {
      const { compareCommand } = await import('./compare.js');
      await compareCommand(runs, flags, output);
    });
}
