import type { Command } from 'commander';
import { addNewPlugins } from './new-plugin.js';
import { addNewSuite } from './new-suite.js';
import type { Output } from './output.js';

/** Adds `lethe new`, with a subcommand for each kind of thing that it writes. */
export function addNewCommand(program: Command, output: Output): void {
  const command = program.command('new').description('write a working example of your own to begin with');
  addNewPlugins(command, output);
  addNewSuite(command, output);
}
