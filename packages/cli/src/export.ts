import { resolve } from 'node:path';
import { sumAdapters } from '@lethe/core';
import type { BaseModel } from '@lethe/model';
import type { Command } from 'commander';
import type { Output } from './output.js';
import { here } from './paths.js';
import type { Configuration } from './run/configuration.js';
import { type LearnerFlags, addLearnerOptions, openLearner } from './run/learner.js';

/** A model of the hub by its name and commit, as its id has them; another by its folder. */
function baseOf({ id, sha256, adapter, dir }: Configuration['model']): BaseModel {
  const base = adapter?.base ?? { id, sha256 };
  const [, name, revision] = /^([^/@]+\/[^/@]+)@(.+)$/.exec(base.id) ?? [];
  return { ...(name !== undefined && revision !== undefined ? { name, revision } : { name: dir }), sha256: base.sha256 };
}

/**
 * `lethe export RUN`: writes what a method added to its model as a PEFT adapter. Where the run began from an adapter, that is a part of
 * it: what is written belongs to the model without either. The folder goes to stdout.
 *
 * @throws LetheError the errors of `openLearner`, `adapterOf` and `writeAdapter`
 */
async function exportCommand(run: string, { out, ...flags }: LearnerFlags & { readonly out: string }, output: Output): Promise<void> {
  const { adapterOf } = await import('@lethe/harness');
  const { writeAdapter } = await import('@lethe/model');
  const { forward, device, method, name, model } = await openLearner(run, flags);
  try {
    const learned = adapterOf(forward, method);
    const start = forward.model.merged?.update;
    await writeAdapter(resolve(out), start ? sumAdapters(start, learned) : learned, forward.model, baseOf(model));
    output.data(here(resolve(out)));
    output.note(`${name}; in Python: PeftModel.from_pretrained(model, "${here(resolve(out))}")`);
  } finally {
    await device.dispose();
  }
}

/** Adds `lethe export`. */
export function addExportCommand(program: Command, output: Output): void {
  const command = program.command('export <run>')
    .description('write the adapter that a method trained, for PEFT in Python or for run --adapter')
    .requiredOption('--out <folder>', 'a new folder for adapter_config.json and adapter_model.safetensors');
  addLearnerOptions(command).action((run: string, flags: LearnerFlags & { readonly out: string }) => exportCommand(run, flags, output));
}
