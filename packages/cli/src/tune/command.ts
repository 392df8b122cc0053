import type { Command } from 'commander';
import type { Output } from '../output.js';
import { EXIT_CODES, type RunFlags, addRunFlags, integer, requestOf, runRequest } from '../run/command.js';
import type { Setting } from '../run/request.js';

const TRIALS = 10;
const MOST = 1000;
/** None that runs have by default. One alone is too few to choose by: what a method learns differs more from seed to seed than from setting to setting. */
const SEEDS = [101, 102, 103];

const TERMS = `
Every method has the same number of trials. Its forms come first: its defaults, and those with another value of each list that is
searched (\`search\` in its plugin.json), at the full learning rate and at half of it. Then come values that fill its ranges and the
learning rate's evenly, under the form that did best. All are scored on validation rows, at the end of the stream; test rows and
probes are not read. Options given with --set or in a config.yaml are kept in every trial, so that variants of a method, which have
a label there, are tuned as methods of their own. One seed is too few to choose by.`;

/** Adds \`lethe tune\`. */
export function addTuneCommand(program: Command, output: Output): void {
  addRunFlags(program.command('tune <suite>')
    .description('choose options of methods by an equal number of trials on validation rows, for lethe run --tuned'), SEEDS.join(','))
    .option('--trials <n>', `settings of every method that are tried (default: ${TRIALS})`, integer('--trials', MOST))
    .addHelpText('after', `${TERMS}\n${EXIT_CODES}`)
    .action(async (suite: string, { set = [], trials = TRIALS, ...flags }: RunFlags & { set?: Setting[]; trials?: number }) => {
      await runRequest({ seeds: SEEDS, ...requestOf(suite, flags), trials }, set, flags, output);
    });
}
