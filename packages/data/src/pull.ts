import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { LetheError } from '@lethe/core';
import { type DownloadOptions, type HubFile, downloadFile } from '@lethe/hub';
import type { FileKind } from './definition.js';
import { fileOf, kindsOf, pulledFolder } from './files.js';
import { checkHash } from './records.js';
import { type SuiteReference, openSuite } from './reference.js';

/** A file of a suite that the hub has. */
export interface PulledFile {
  readonly task: string;
  readonly kind: FileKind;
  readonly from: HubFile;
  /** Where it belongs in the cache. */
  readonly to: string;
  /** Whether it is there: in the data folder, in the suite's own, or in the cache. */
  readonly there: boolean;
}

/**
 * The files of a suite and of the sources its suite file names.
 *
 * @throws LetheError LETHE_DATA_MISSING where files are wanted that have no source and are not there, naming all of them
 */
export async function filesToPull(reference: SuiteReference): Promise<PulledFile[]> {
  const suite = await openSuite(reference);
  const { id, tasks, orders } = suite.definition;
  const homeless: string[] = [];
  const files = tasks.flatMap((task) => (task.rows === 'generated' ? [] : kindsOf(suite, task, orders.length === 0, reference).flatMap((kind): PulledFile[] => {
    const there = fileOf(suite, task, kind, reference) !== undefined;
    const path = task.source?.paths[kind];
    const sha256 = task.sha256?.[kind];
    if (path === undefined || sha256 === undefined) {
      if (!there) homeless.push(`${task.folder}/${kind}.jsonl`);
      return [];
    }
    const { repo, revision } = task.source!;
    return [{ task: task.id, kind, from: { repo, revision, path, sha256 }, to: join(pulledFolder(suite), task.folder, `${kind}${extname(path)}`), there }];
  })));
  if (homeless.length === 0) return files;
  throw new LetheError('LETHE_DATA_MISSING', `suite "${id}" does not say where these files can be had: ${homeless.join(', ')}`, {
    where: suite.file, remedy: `put them into ${pulledFolder(suite)}, or into a folder that you give with --data-dir DIR; suites/README.md says what is in them`,
  });
}

/**
 * Downloads one file, checks it against the suite's hash and puts it into the cache. One that is in the cache already is checked.
 *
 * @throws LetheError LETHE_HUB_UNREACHABLE, LETHE_HUB_FILE, LETHE_DATA_CHANGED for a damaged file of the cache
 */
export async function pullFile({ from, to, there }: PulledFile, options: DownloadOptions): Promise<void> {
  if (existsSync(to)) return checkHash(to, from.sha256);
  if (!there) await downloadFile(from, to, options);
}
