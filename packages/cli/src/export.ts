import { resolve } from 'node:path';
import { LETHE_VERSION } from '@lethe/core';
import type { BaseModel } from '@lethe/model';
import type { Command } from 'commander';
import { chosen } from './chosen.js';
import { methodLabels } from './labels.js';
import type { Output } from './output.js';
import { here } from './paths.js';
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

/** A model of the hub by its name and commit, as its id has them; another by its folder. */
function baseOf({ id, dir }: Configuration['model']): BaseModel {
  const [, name, revision] = /^([^/@]+\/[^/@]+)@(.+)$/.exec(id) ?? [];
  return name !== undefined && revision !== undefined ? { name, revision } : { name: dir };
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
    await writeAdapter(resolve(out), adapter, forward.model, baseOf(model));
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
