import type { Command } from 'commander';
import { newSuite } from './new-suite.js';
import type { Output } from './output.js';
import { here } from './publish.js';

/** Adds `lethe new`, with a subcommand for each kind of thing that it writes. */
export function addNewCommands(program: Command, output: Output): void {
  const command = program.command('new').description('write a working example of your own to begin with');
  command.command('suite <name>')
    .description('a folder with a suite.yaml and rows of two tasks, which validates and runs; NAME may be a path')
    .action(async (name: string) => {
      const folder = here(await newSuite(name));
      output.data(folder);
      output.note(`next: put your rows into it, then lethe validate ${folder}, and lethe run ${folder}/suite.yaml`);
    });
}
