import { LetheError } from '@lethe/core';
import {
  type InspectedSuite, type PulledFile, type SuiteReference, type VerifiedFile, filesToPull, inspectSuite, isForProbes, isGenerated, overlapLine,
  pullFile, verifyData,
} from '@lethe/data';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import type { Output } from './output.js';
import { here } from './paths.js';
import { pluginsOption } from './plugins-option.js';
import { INTERRUPTED, stopOnInterrupt } from './run/interrupt.js';
import { type SuiteFlags, referenceTo, suiteWords } from './suites.js';

const GENERATED = 'the rows of this suite are made by its code: there are no files';
const SOUND: readonly VerifiedFile['state'][] = ['ok', 'unpinned'];

const isSound = ({ state, faulty }: VerifiedFile): boolean => SOUND.includes(state) && faulty === 0;

/** The rows of the largest size as a run would take them, where all files can be used and the suite has a stream. */
async function inspected(reference: SuiteReference, files: readonly VerifiedFile[]): Promise<Pick<InspectedSuite, 'notes' | 'overlaps'>> {
  const nothing = { notes: [], overlaps: [] };
  if (!files.every(isSound) || await isForProbes(reference)) return nothing;
  return inspectSuite(reference);
}

/**
 * `lethe data verify SUITE`: a line for each file, and what else one should know of the rows.
 *
 * @returns the exit status: 0, or 1 where a file is missing, another one, or has rows that cannot be used
 */
async function verifyCommand(suite: string, flags: SuiteFlags, json: boolean, output: Output): Promise<number> {
  const reference = await referenceTo(suite, flags);
  const files = await verifyData(reference);
  const { notes, overlaps } = await inspected(reference, files);
  const status = files.every(isSound) ? 0 : 1;
  if (json) {
    output.data(JSON.stringify({ suite, files, notes, overlaps }, null, 2));
    return status;
  }
  if (files.length === 0) output.data(GENERATED);
  const width = Math.max(...files.map(({ task, kind }) => task.length + kind.length + 1));
  for (const { task, kind, state, rows, faulty, file, faults } of files) {
    const counts = state === 'missing' ? '' : `${String(rows).padStart(7)} rows${faulty > 0 ? `, ${faulty} that cannot be used` : ''}`;
    output.data([`${task} ${kind}`.padEnd(width), state.padEnd(10), counts.padEnd(12), state === 'missing' ? file : here(file)].join('  ').trimEnd());
    for (const [i, { where, message, remedy }] of faults.entries()) {
      output.data(`  ${here(where)}: ${message}`);
      if (remedy !== faults[i + 1]?.remedy) output.data(`    fix ${remedy}`);
    }
    if (faulty > faults.length) output.data(`  and ${faulty - faults.length} more`);
  }
  for (const line of [...notes, ...overlaps.map(overlapLine)]) output.data(line);
  if (files.length > 0) output.note(status === 0 ? `${files.length} files can be used` : 'some files cannot be used as they are');
  const missing = files.filter(({ state }) => state === 'missing').length;
  if (missing > 0) output.note(await whereToGet(missing, reference));
  return status;
}

/** What to do about files that are missing. */
async function whereToGet(count: number, reference: SuiteReference): Promise<string> {
  const { dataDir } = reference;
  const place = dataDir === undefined ? 'give the folder that holds them with --data-dir DIR' : `put them below ${here(dataDir)}, as suites/README.md says`;
  // a suite that does not say where all of them can be had is refused
  const pulled = await filesToPull(reference).catch((error: unknown) => {
    if (error instanceof LetheError && error.code === 'LETHE_DATA_MISSING') return [];
    throw error;
  });
  const download = pulled.length > 0 ? `, or download them: lethe data pull ${suiteWords(reference)}` : '';
  return `${count} of them ${count === 1 ? 'is' : 'are'} missing: ${place}${download}`;
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/** Downloads one file with a bar on a terminal, else with one line at its end. */
async function pullOne(file: PulledFile, output: Output, signal: AbortSignal): Promise<void> {
  const name = `${file.task} ${file.kind}`;
  const bar = output.terminal && new SingleBar({
    stream: output.terminal, format: ` {bar} ${name} {size}`, barsize: 16, clearOnComplete: true, hideCursor: true,
  });
  let size = 0;
  bar?.start(1, 0, { size: '' });
  try {
    await pullFile(file, {
      signal,
      onProgress: (done, total) => {
        size = total;
        bar?.setTotal(total);
        bar?.update(done, { size: `${megabytes(done)} of ${megabytes(total)}` });
      },
    });
  } finally {
    bar?.stop();
  }
  output.note(`${name}  ${megabytes(size)}`);
}

/**
 * `lethe data pull SUITE`: what is not there is downloaded; Ctrl-C keeps what has come so far.
 *
 * @returns the exit status: 0, or 130 where it was interrupted
 */
async function pullCommand(suite: string, flags: SuiteFlags, output: Output): Promise<number> {
  const reference = await referenceTo(suite, flags);
  const files = await filesToPull(reference);
  const wanted = files.filter(({ there }) => !there);
  const goOn = `go on with: lethe data pull ${suiteWords(reference)}`;
  const interrupt = stopOnInterrupt(() => output.note('stopping; what has come so far is kept'), () => output.note(`ended at once; ${goOn}`));
  try {
    for (const file of wanted) await pullOne(file, output, interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    output.note(`stopped; ${goOn}`);
    return INTERRUPTED;
  } finally {
    interrupt.close();
  }
  for (const { to } of wanted) output.data(here(to));
  output.note(await isGenerated(reference) ? GENERATED : wanted.length === 0 ? 'all files are there already'
    : `${wanted.length} files were downloaded and checked; lethe data verify ${suiteWords(reference)} looks at their rows`);
  return 0;
}

/** Adds `lethe data verify` and `lethe data pull`. */
export function addDataCommands(program: Command, output: Output): void {
  const data = program.command('data').description('the rows of suites: check them, download them');
  const command = (name: string, description: string) => data.command(`${name} <suite>`).description(description)
    .option('--data-dir <folder>', 'rows that are here already')
    .addOption(pluginsOption());
  command('verify', 'check hashes, rows and overlaps of the files of a suite')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExit status: 0 all files can be used, 1 some are missing, changed or have rows that cannot be used, 2 bad input.')
    .action(async (suite: string, { json, ...flags }: SuiteFlags & { json?: boolean }) => {
      process.exitCode = await verifyCommand(suite, flags, json === true, output);
    });
  command('pull', 'download the files that a suite names sources for, into the cache (LETHE_CACHE)')
    .action(async (suite: string, flags: SuiteFlags) => {
      process.exitCode = await pullCommand(suite, flags, output);
    });
}
