import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LetheError } from '@lethe/core';

const CODE = /\.[cm]?js$/;
const TEST = /\.test\.[cm]?js$/;
/** Folders of code that is no part of a plugin's own. */
const OTHERS = ['node_modules', 'test', 'tests'];

/** Names of files of code below a folder, relative to it, in an order of their own. */
async function filesIn(folder: string, path = ''): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
    const name = path === '' ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory() && !OTHERS.includes(entry.name) && !entry.name.startsWith('.')) names.push(...await filesIn(folder, name));
    else if (!entry.isDirectory() && CODE.test(entry.name) && !TEST.test(entry.name)) names.push(name);
  }
  return names.sort();
}

/**
 * sha256 of the code of a method: the modules of the folder that it is loaded from, without tests and without packages. What they import from
 * elsewhere is not in it.
 *
 * @param codePath path of its compiled module
 */
export async function codeSha256(codePath: string): Promise<string> {
  const folder = dirname(codePath);
  const hash = createHash('sha256');
  for (const name of await filesIn(folder)) {
    const bytes = await readFile(join(folder, name));
    hash.update(`${name}\n${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

/** LETHE_RUN_CHANGED for a method whose code is another one than a run began with. */
export function changedCode(method: string, where: string): LetheError {
  return new LetheError('LETHE_RUN_CHANGED', `The code of method "${method}" is no longer what it was when the run began.`, {
    where, remedy: 'Take the old code back, or make the runs of the method again with what it is now: lethe resume RUN.',
  });
}
