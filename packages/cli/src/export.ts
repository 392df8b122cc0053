import { resolve } from 'node:path';
import { LETHE_VERSION, LetheError, didYouMean } from '@lethe/core';
import type { Command } from 'commander';
import { methodLabels } from './labels.js';
import type { Output } from './output.js';
import { here } from './publish.js';
import { type Configuration, jobsOf } from './run/configuration.js';
import { parseInteger } from './run/request.js';

interface ExportFlags {
  readonly method?: string;
  readonly order?: string;
  readonly seed?: string;
  readonly step?: number;
  readonly out: string;
}

const MOST_STEPS = 1000;

/** The one of `known` that was asked for, or the only one there is. Throws LETHE_USAGE. */
function chosen(flag: string, known: readonly string[], asked: string | undefined): number {
  const at = asked === undefined && known.length === 1 ? 0 : known.indexOf(asked ?? '');
  if (at >= 0) return at;
  const message = asked === undefined ? `it is open which one is meant: ${flag} is missing` : `the run has no "${asked}" for ${flag}.${didYouMean(asked, known)}`;
  throw new LetheError('LETHE_USAGE', message, { remedy: `choose one with ${flag}: ${known.join(', ')}` });
}

/**
 * `lethe export RUN`: writes what a method added to its model as a PEFT adapter. The folder goes to stdout.
 *
 * @throws LetheError LETHE_USAGE where it is open which run is meant, and the errors of `readRun`, `composeRun`, `restoreForward`,
 * `adapterOf` and `writeAdapter`
 */
async function exportCommand(run: string, { method, order, seed, step, out }: ExportFlags, output: Output): Promise<void> {
  const { adapterOf, composeRun, createContainer, readRun, restoreForward } = await import('@lethe/harness');
  const { writeAdapter } = await import('@lethe/model');
  const folder = resolve(run);
  const { configuration } = await readRun<Configuration>(folder, LETHE_VERSION);
  const { methods, orders, seeds, model } = configuration;
  const labels = methodLabels(methods);
  const at = chosen('--method', labels, method);
  const label = labels[at]!;
  const one = {
    methods: [methods[at]!],
    orders: [orders[chosen('--order', orders.map(({ id }) => id), order)]!],
    seeds: [seeds[chosen('--seed', seeds.map(String), seed)]!],
  };
  const [job] = jobsOf({ ...configuration, ...one }, folder, { lethe: LETHE_VERSION, git: null });
  const dependencies = await composeRun(createContainer(), job!);
  try {
    const forward = await restoreForward(job!, dependencies, step);
    const adapter = adapterOf(forward, label);
    await writeAdapter(resolve(out), adapter, forward.model, model.dir);
    output.data(here(resolve(out)));
    output.note(`${label}, order ${one.orders[0]!.id}, seed ${one.seeds[0]}; in Python: PeftModel.from_pretrained(model, "${here(resolve(out))}")`);
  } finally {
    await dependencies.device.dispose();
  }
}

/** Adds `lethe export`. */
export function addExportCommand(program: Command, output: Output): void {
  program.command('export <run>')
    .description('write the adapter that a method trained, for PEFT in Python')
    .requiredOption('--out <folder>', 'a new folder for adapter_config.json and adapter_model.safetensors')
    .option('--method <name>', 'which method, as the table of the run names it (default: the only one)')
    .option('--order <id>', 'which order (default: the only one)')
    .option('--seed <number>', 'which seed (default: the only one)')
    .option('--step <n>', 'after how many tasks (default: all)', (text) => parseInteger('--step', text, 1, MOST_STEPS))
    .action((run: string, flags: ExportFlags) => exportCommand(run, flags, output));
}
