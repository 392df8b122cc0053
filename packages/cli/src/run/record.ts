import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LETHE_VERSION, LetheError, type SchemaFault, schemaFault } from '@lethe/core';
import type { RunRecord } from '@lethe/harness';
import { Ajv, type ValidateFunction } from 'ajv';
import type { Configuration } from './configuration.js';
import { checkRunFolder } from './run-path.js';

const read = (url: URL) => JSON.parse(readFileSync(url, 'utf8')) as object;
let compiled: ValidateFunction<Configuration> | undefined;

/** Compiled once it is asked for: most commands read no record. */
const schema = () => (compiled ??= new Ajv({ verbose: true, allowUnionTypes: true, strictTypes: false, keywords: ['patternErrorMessage'] })
  .addSchema(read(new URL('../../schemas/results.schema.json', import.meta.resolve('@lethe/core'))), 'results.schema.json')
  .compile<Configuration>(read(new URL('../../../schemas/record.schema.json', import.meta.url))));

/** The folder of the run that a path names: it, or that of its results. */
export const folderOf = (path: string): string => (basename(path) === 'results.json' ? dirname(path) : path);

/** What a configuration cannot hold; null where it is one. */
export function configurationFault(value: unknown): SchemaFault | null {
  const check = schema();
  if (!check(value)) return schemaFault(check.errors!, 'the configuration');
  const { methods, orders, seeds, picked = [] } = value;
  const jobs = methods.length * orders.length * seeds.length;
  const stray = picked.findIndex((place) => place >= jobs);
  return stray < 0 ? null : { pointer: `/picked/${stray}`, message: `there ${jobs === 1 ? 'is 1 run' : `are ${jobs} runs`}, counted from 0, and this is none of them` };
}

/** What a record cannot hold; null where it is one. */
function recordFault({ configuration, workers }: RunRecord): SchemaFault | null {
  const fault = configurationFault(configuration);
  if (fault) return { ...fault, pointer: `/configuration${fault.pointer}` };
  if (workers === undefined || (Number.isSafeInteger(workers) && workers > 0)) return null;
  return { pointer: '/workers', message: `"workers" must be a whole number from 1, not ${JSON.stringify(workers)}` };
}

/**
 * What a run folder is for, as `lethe run` wrote it. What was changed by hand or by a fault of the disk is no configuration of Lethe's, and nobody
 * knows what would come of it.
 *
 * @throws LETHE_RUN_DAMAGED with the place of what a record cannot hold, and the errors of `checkRunFolder` and `readRun`
 */
export async function readRecord(folder: string): Promise<RunRecord<Configuration>> {
  checkRunFolder(folder);
  const { readRun } = await import('@lethe/harness');
  const record = await readRun<Configuration>(folder, LETHE_VERSION);
  const fault = recordFault(record);
  if (fault === null) return record;
  const path = join(folder, 'run.json');
  throw new LetheError('LETHE_RUN_DAMAGED', `The file is not as it was written: ${fault.message}`, {
    where: `${path}#${fault.pointer}`, remedy: `Delete ${path} and run the same command again; finished steps are reused.`,
  });
}
