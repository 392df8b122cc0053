import { randomInt } from 'node:crypto';
import type { Command } from 'commander';
import type { Output } from '../output.js';
import { withScorers } from '../plugins-option.js';
import { integer } from '../run/command.js';
import { parseInteger } from '../run/request.js';
import type { ReproduceRequest } from './reproduce.js';

const RUNS = 3;
const MOST = 1024;

const HELP = `
Which runs they are is drawn by --draw, so that who published them could not know. What the results only name must be here: the suite, its rows
(--data-dir), the model (--model), the plugins; a run folder says itself where they lie. Versions and hashes are checked before anything runs.
Exit status: 0 every run came out as published, 1 one did not, 2 bad input or other rows, model or versions (nothing was written), 130 stopped by Ctrl-C.`;

interface ReproduceFlags extends Omit<ReproduceRequest, 'draw'> {
  readonly draw?: number;
  readonly workers?: number;
  readonly json?: boolean;
}

/** Adds `lethe reproduce`. */
export function addReproduceCommand(program: Command, output: Output): void {
  withScorers(program.command('reproduce <results>'))
    .description('make some runs of an entry of the leaderboard, or of a run folder, again, and compare every answer with what was published')
    .option('--method <name>', 'only runs of this method, named as in the table')
    .option('--order <id>', 'only runs in this order')
    .option('--seed <number>', 'only runs with this seed')
    .option('--trials', 'draw among the trials by which options were chosen, scored on validation rows, in the place of runs')
    .option('--runs <n>', 'how many are drawn', integer('--runs', MOST), RUNS)
    .option('--draw <number>', 'what they are drawn by (default: another number every time, which is printed)', (text) => parseInteger('--draw', text, 0, 2 ** 31 - 1))
    .option('--suite <name or path>', 'the suite, where it is not installed')
    .option('--data-dir <folder>', 'rows of suites that do not bring their own')
    .option('--model <id or folder>', 'the model, where it is not installed')
    .option('--adapter <folder>', 'the adapter that the model started from, where there was one')
    .option('--device <name>', 'another device than the runs were made on')
    .option('--workers <n>', 'runs at a time (default: one a core)', integer('--workers', MOST))
    .option('--out <folder>', 'the folder of the new runs (default: runs/SUITE-again-HASH)')
    .option('--json', 'as JSON')
    .addHelpText('after', HELP)
    .action(async (results: string, { workers, json = false, draw = randomInt(2 ** 31), ...flags }: ReproduceFlags) => {
      const request = { ...flags, draw };
      const { reproduce } = await import('./reproduce.js');
      process.exitCode = await reproduce(results, request, workers, json, output);
    });
}
