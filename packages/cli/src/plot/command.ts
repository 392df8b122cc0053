import { type Command, Option } from 'commander';
import type { Output } from '../output.js';
import { withScorers } from '../plugins-option.js';
import { KINDS, type PlotFlags } from './kinds.js';

/** Adds `lethe plot`. */
export function addPlotCommand(program: Command, output: Output): void {
  withScorers(program.command('plot <runs...>'))
    .description('the figure of a paper, of runs that may be compared (folders, or entries of the leaderboard), a line or a point a method')
    .requiredOption('--out <file>', 'FILE.svg, which rsvg-convert -f pdf or Inkscape make a PDF of, or FILE.csv, the values of the figure for one of your own')
    .addOption(new Option('--kind <kind>', 'stream: mean score of the tasks learned so far, after each task; tradeoff: average accuracy against forgetting').choices(KINDS).default(KINDS[0]))
    .option('--methods <list>', 'these alone, by label or name')
    .action(async (runs: string[], flags: PlotFlags) => {
      const { plotCommand } = await import('./plot.js');
      await plotCommand(runs, flags, output);
    });
}
