import type { Command } from 'commander';
import { newMethod } from './new-method.js';
import { newSuite } from './new-suite.js';
import type { Output } from './output.js';
import { PATHS, here } from './paths.js';

/** Adds `lethe new`, with a subcommand for each kind of thing that it writes. */
export function addNewCommands(program: Command, output: Output): void {
  const command = program.command('new').description('write a working example of your own to begin with');
  command.command('method <name>')
    .description('a plugin folder whose method runs and whose tests pass')
    .option('--dir <folder>', 'where its folder goes (default: plugins, where it is built and found)', PATHS.plugins)
    .action((name: string, { dir }: { dir: string }) => newMethod(name, dir, output));
  command.command('suite <name>')
    .description('a folder with a suite.yaml and rows of two tasks, which validates and runs; NAME may be a path')
    .action(async (name: string) => {
      const folder = here(await newSuite(name));
      output.data(folder);
      output.note(`next: put your rows into it, then lethe validate ${folder}, and lethe run ${folder}/suite.yaml`);
    });
}
