import { resolve } from 'node:path';
import { type BudgetChange, LetheError, isFolder } from '@lethe/core';
import type { Command } from 'commander';
import type { Output } from '../output.js';
import { pluginsOption } from '../plugins-option.js';
import { readConfigurationFile } from './configuration-file.js';
import { type MethodRequest, type RunRequest, type Setting, parseInteger, parseList, parseSeeds, parseSetting, parseTraining } from './request.js';

/** The flags that say what runs, on what and where. */
export interface RunFlags {
  readonly suite?: string;
  readonly methods?: string[];
  readonly plugins?: string[];
  readonly orders?: string[];
  readonly seeds?: number[];
  readonly model?: string;
  readonly adapter?: string;
  readonly chat?: boolean;
  readonly device?: string;
  readonly workers?: number;
  readonly threads?: number;
  readonly microBatch?: number;
  readonly dataDir?: string;
  readonly skipBadRows?: boolean;
  readonly probes?: boolean;
  readonly size?: string;
  readonly prompts?: string;
  readonly training?: BudgetChange;
  readonly out?: string;
  readonly extend?: boolean;
  readonly tuned?: string[];
  readonly json?: boolean;
}

/** What the command line asks for: the file, where there is one, and the flags, which win. Throws LETHE_USAGE for two suites, and for a file that cannot be used. */
export function requestOf(suite: string, { methods, json: _json, extend: _extend, ...flags }: RunFlags): RunRequest {
  const file: RunRequest = /\.(ya?ml|json)$/.test(suite) && !isFolder(suite) ? readConfigurationFile(resolve(suite)) : { suite };
  if (flags.suite !== undefined && (file.suite === suite || file.suite === resolve(suite))) {
    throw new LetheError('LETHE_USAGE', `Two suites are named: ${suite} and --suite ${flags.suite}.`, { remedy: 'Name one; --suite goes with a config.yaml, in the place of its suite.' });
  }
  const training = { ...file.training, ...flags.training };
  const asked: RunRequest = { ...file, ...flags, ...(Object.keys(training).length > 0 && { training }) };
  if (methods === undefined) return asked;
  const chosen = methods.flatMap((name): readonly MethodRequest[] => {
    const described = (is: (method: MethodRequest) => boolean) => file.methods?.filter(is) ?? [];
    const labelled = described((method) => (method.label ?? method.name) === name);
    if (labelled.length) return labelled;
    const named = described((method) => method.name === name);
    return named.length ? named : [{ name, options: {} }];
  });
  return { ...asked, methods: chosen, labels: file.methods?.flatMap(({ label }) => label ?? []) ?? [] };
}

export const EXIT_CODES = `
Exit status: 0 done, 1 a run failed, 2 bad input (nothing was written), 130 stopped by Ctrl-C.
Ctrl-C (or SIGTERM) stops before the next optimizer step and keeps every finished step; a second one ends at once.`;

export const integer = (flag: string, high: number) => (text: string) => parseInteger(flag, text, 1, high);
const MOST = 1024;

/** What runs need is loaded when one is asked for: TensorFlow.js takes longer to load than most commands take. */
const load = async () => ({ ...(await import('./execute.js')), ...(await import('./resolve.js')), ...(await import('./record.js')) });

/** Several `--training` as one. Throws LETHE_USAGE for a field that is given twice. */
function withTraining(before: BudgetChange | undefined, change: BudgetChange): BudgetChange {
  const twice = Object.keys(change).find((field) => before !== undefined && Object.hasOwn(before, field));
  if (twice === undefined) return { ...before, ...change };
  throw new LetheError('LETHE_USAGE', `--training gives ${twice} twice.`, { remedy: 'Give each field once.' });
}

/** Adds the flags that say what runs, on what and where. */
export function addRunFlags(command: Command, seeds: string): Command {
  return command
    .option('--suite <name>', 'with a config.yaml: another suite than its own')
    .option('--methods <names>', 'methods, or paths of plugin folders: a,b (default: all)', (text) => parseList('--methods', text))
    .addOption(pluginsOption())
    .option('--orders <ids>', 'orders of the suite: 1,2 (default: its first)', (text) => parseList('--orders', text))
    .option('--seeds <numbers>', `seeds: 1,2,3 (default: ${seeds})`, parseSeeds)
    .option('--model <id or folder>', 'the language model: an installed one, a folder, or owner/name[@revision] of the hub (default: lethe-nano)')
    .option('--adapter <folder>', 'start from this LoRA adapter of PEFT, merged into the weights (its model: --model, or what it was trained on)')
    .option('--chat', 'ask as the chat template of the model has it, for models that were tuned to converse (default: the prompt as it is)')
    .option('--device <name>', 'auto, cpu, webgpu, cuda:N, several GPUs as cuda:0,cuda:1, or a backend of TensorFlow.js: tfjs-cpu, wasm, … (default: auto)')
    .option('--workers <n>', 'runs at a time (default: one a core, or one a GPU)', integer('--workers', MOST))
    .option('--threads <n>', 'threads of a run on a cpu (default: 1)', integer('--threads', MOST))
    .option('--micro-batch <n>', 'rows that are in memory at once: a training step of more is taken in parts whose gradients are summed, and scoring takes no more (default: all of a step)', integer('--micro-batch', MOST))
    .option('--data-dir <folder>', 'rows of suites that do not bring their own')
    .option('--skip-bad-rows', 'leave out rows that cannot be used, and count them in the results (default: stop at the first)')
    .option('--probes', 'do not run without the probes of the suite (default: go on where their rows are not there)')
    .option('--size <name>', 'a size of the suite (default: all rows)')
    .option('--prompts <name>', 'other prompts of the suite, such as leaky ones that name the task; the results say so (default: its own)')
    .option('--training <setting>', 'the training budget of all methods where it is not to be the suite\'s own, FIELD=VALUE (learningRate=1e-4, schedule=constant, rank=16, …); may be repeated; the results say so',
      (text, before: BudgetChange | undefined) => withTraining(before, parseTraining(text)))
    .option('--out <folder>', 'the run folder (default: runs/SUITE-HASH)')
    .option('--extend', 'go on in the folder of a run of another configuration, such as one of a task, seed or method less: what was trained and scored so already is kept, its results are replaced')
    .option('--set <setting>', 'an option of a method, METHOD.OPTION=VALUE; may be repeated',
      (text, before: readonly Setting[] | undefined) => [...(before ?? []), parseSetting(text)]);
}

/** Resolves a request, runs it and sets the exit status. Throws LETHE_USAGE for a run to extend that is not named, and the errors of both. */
export async function runRequest(
  request: RunRequest, settings: readonly Setting[], { json = false, extend = false }: Pick<RunFlags, 'json' | 'extend'>, output: Output,
): Promise<void> {
  if (extend && request.out === undefined) throw new LetheError('LETHE_USAGE', '--extend goes on in the folder of a run, and none is named.', { remedy: 'Name it with --out.' });
  const { execute, resolveRequest } = await load();
  const { configuration, folder, suite, notes } = await resolveRequest(request, settings, output.note);
  for (const note of notes) output.note(note);
  process.exitCode = await execute(configuration, folder, suite, { workers: request.workers, json, extend }, output);
}

/** Adds `lethe run` and `lethe resume`. */
export function addRunCommands(program: Command, output: Output): void {
  addRunFlags(program.command('run <suite>')
    .description('train and score methods on a suite, or on what a config.yaml (or .json) says'), '1,2')
    .option('--tuned <runs>', 'run folders of `lethe tune`, or entries that keep what was tuned: methods take the options that were chosen, on this suite or another, which the results say', (text) => parseList('--tuned', text))
    .option('--json', 'results.json on stdout instead of the table')
    .addHelpText('after', EXIT_CODES)
    .action(async (suite: string, { set = [], ...flags }: RunFlags & { set?: Setting[] }) => {
      await runRequest(requestOf(suite, flags), set, flags, output);
    });
  program.command('resume <run>')
    .description('go on with a run that was stopped or killed; finished steps are kept')
    .option('--workers <n>', 'runs at a time (default: as many as were asked for when it ran last, else one a core, or one a GPU)', integer('--workers', MOST))
    .option('--json', 'results.json on stdout instead of the table')
    .addHelpText('after', EXIT_CODES)
    .action(async (run: string, { workers, json }: Pick<RunFlags, 'workers' | 'json'>) => {
      const { execute, readRecord, recheck } = await load();
      const folder = resolve(run);
      const { configuration, workers: before } = await readRecord(folder);
      const suite = await recheck(configuration, folder);
      process.exitCode = await execute(configuration, folder, suite, { workers: workers ?? before, json: json === true }, output);
    });
}
