import { Command } from 'commander';
import { LETHE_VERSION } from '@lethe/core';
import { addDataCommands } from './data.js';
import { doctorCommand } from './doctor.js';
import { addLeaderboardCommands } from './leaderboard.js';
import { listCommand } from './list.js';
import { addNewCommand } from './new.js';
import type { Output } from './output.js';
import { addPublishCommand } from './publish.js';
import { addRunCommands } from './run/command.js';

/** The commands of `lethe`. Errors of use are thrown, never answered by ending the process. */
export function createProgram(output: Output): Command {
  const program = new Command('lethe')
    .description('Benchmark continual learning of language models')
    .version(LETHE_VERSION)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .showSuggestionAfterError();
  addRunCommands(program, output);
  addPublishCommand(program, output);
  addLeaderboardCommands(program, output);
  addDataCommands(program, output);
  addNewCommand(program, output);
  program.command('list <kind>')
    .description('what is installed: methods, suites or models')
    .option('--json', 'as JSON')
    .action((kind: string, { json }: { json?: boolean }) => listCommand(kind, json === true, output));
  program.command('show <run>')
    .description('the table of a run folder')
    .option('--json', 'results.json instead of the table')
    .action(async (run: string, { json }: { json?: boolean }) => {
      const { showCommand } = await import('./show.js');
      process.exitCode = await showCommand(run, json === true, output);
    });
  program.command('validate <path>')
    .description('check a plugin.json, a results.json or a suite.yaml with its rows, or those in a folder')
    .option('--data-dir <folder>', 'rows of a suite that does not bring its own')
    .action(async (path: string, { dataDir }: { dataDir?: string }) => {
      const { validateCommand } = await import('./validate.js');
      await validateCommand(path, dataDir, output);
    });
  program.command('doctor')
    .description('what this machine and installation offer')
    .action(() => doctorCommand(output));
  return program;
}
