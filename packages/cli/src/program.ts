import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { LETHE_VERSION } from '@lethe/core';
import { addCompareCommand } from './compare/command.js';
import { addDataCommands } from './data.js';
import { doctorCommand } from './doctor.js';
import { addExportCommand } from './export.js';
import { addGenerateCommand } from './generate.js';
import { addLeaderboardCommands } from './leaderboard.js';
import { noteLeftOut } from './installed.js';
import { kindNamed, listCommand } from './list.js';
import { addNewCommand } from './new.js';
import type { Output } from './output.js';
import { explained } from './problem.js';
import { addPlotCommand } from './plot/command.js';
import { withScorers } from './plugins-option.js';
import { addPublishCommand } from './publish.js';
import { addReproduceCommand } from './reproduce/command.js';
import { addRunCommands } from './run/command.js';
import { type MethodRequest, withOption } from './run/request.js';
import { addTableCommand } from './table/command.js';
import { addTuneCommand } from './tune/command.js';
import type { ValidateFlags } from './validate.js';

interface ShowFlags {
  readonly json?: boolean;
  readonly plugins?: string[];
  readonly method?: string;
  readonly order?: string;
  readonly seed?: string;
}

/** Where a command is that was typed without the one that it belongs to, in words; nothing where there is none of that name. */
function elsewhere(command: Command, name: string, message: string): string {
  const [, typed] = /^error: unknown command '(.+)'$/.exec(message) ?? [];
  const home = command.commands.find(({ commands }) => commands.some((inner) => inner.name() === typed));
  return home ? `\n(Did you mean ${name} ${home.name()} ${typed}?)` : '';
}

/** Lets errors of use name the help of the very command that was typed, all the way down. */
function pointToHelp(command: Command, name = command.name()): void {
  command.exitOverride((error) => {
    error.message += elsewhere(command, name, error.message);
    throw explained(error, `${name} --help`) ?? error;
  });
  for (const inner of command.commands) pointToHelp(inner, `${name} ${inner.name()}`);
}

/** The commands of `lethe`. Errors of use are thrown, never answered by ending the process. */
export function createProgram(output: Output): Command {
  noteLeftOut(output.note);
  const program = new Command('lethe')
    .description('Benchmark continual learning of language models')
    .version(LETHE_VERSION)
    .configureOutput({ writeErr: () => undefined })
    .showSuggestionAfterError();
  addRunCommands(program, output);
  addTuneCommand(program, output);
  addExportCommand(program, output);
  addGenerateCommand(program, output);
  addPublishCommand(program, output);
  addReproduceCommand(program, output);
  addLeaderboardCommands(program, output);
  addDataCommands(program, output);
  addNewCommand(program, output);
  withScorers(program.command('list <kind>'))
    .description('what is installed: methods, suites, scorers or models')
    .option('--json', 'as JSON')
    .action((kind: string, { json = false, plugins = [] }: { json?: boolean; plugins?: string[] }) => listCommand(kind, { json, plugins }, output));
  withScorers(program.command('show <what> [name]'))
    .description('the table of a run folder or of an entry of the leaderboard: show RUN; what a method learned in it: show RUN --method NAME; or what is installed: show method NAME, '
      + 'with its options; show suite NAME, scorer or model; a path in place of the name shows what lies there')
    .option('--method <name>', 'what this method of the run, named as in its table, says it learned')
    .option('--order <id>', 'in which order (default: its first)')
    .option('--seed <number>', 'with which seed (default: its first)')
    .option('--json', 'results.json, the tables, the manifest or the suite as JSON')
    .action(async (what: string, name: string | undefined, { json = false, plugins = [], ...run }: ShowFlags) => {
      const kind = name === undefined && !existsSync(join(what, 'results.json')) ? kindNamed(what) : undefined;
      if (kind !== undefined) listCommand(`${kind}s`, { json, plugins }, output);
      else if (name === undefined) {
        const { showCommand } = await import('./show.js');
        process.exitCode = await showCommand(what, run, json, output);
      } else {
        const { showPlugin } = await import('./show-plugin.js');
        showPlugin(what, name, { json, plugins }, output);
      }
    });
  addCompareCommand(program, output);
  addTableCommand(program, output);
  addPlotCommand(program, output);
  withScorers(program.command('validate <path>'))
    .description('check a plugin with its code, a results.json, a suite.yaml with its rows, a checkpoint, an adapter of PEFT, or those in a folder; or an entry of the leaderboard')
    .option('--data-dir <folder>', 'rows of a suite that does not bring its own')
    .option('--model <id or folder>', 'the model of an adapter (default: what it says that it was trained on)')
    .option('--set <setting>', 'an option of a method that is not to be checked with its default, OPTION=VALUE; may be repeated',
      (text, before: MethodRequest['options'] | undefined) => withOption(text, before))
    .action(async (path: string, flags: ValidateFlags) => {
      const { validateCommand } = await import('./validate.js');
      await validateCommand(path, flags, output);
    });
  program.command('doctor')
    .description('what this machine and installation offer')
    .action(() => doctorCommand(output));
  pointToHelp(program);
  return program;
}
