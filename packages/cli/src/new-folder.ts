import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LetheError, makeFolder } from '@lethe/core';

const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/**
 * Throws LETHE_USAGE, with a name that is near, where a method, scorer or suite cannot have this one.
 *
 * @param words what to type for a name, with its folder
 */
export function checkName(kind: 'method' | 'scorer' | 'suite', name: string, words: (name: string) => string): void {
  if (NAME.test(name)) return;
  // letters without their accents, whether these stand alone or not
  const near = name.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '') || `my-${kind}`;
  throw new LetheError('LETHE_USAGE', `"${name}" is no name of a ${kind}: lower case words and digits, joined by hyphens.`, {
    remedy: `lethe new ${kind} ${words(near)}`,
  });
}

/**
 * Writes a folder with its files whole or not at all: it is made under another name beside its place, which it gets at the end.
 *
 * @param files texts by path inside of the folder
 * @throws LetheError LETHE_FOLDER_EXISTS where there is something of this name, LETHE_USAGE where it cannot be written
 */
export function writeFolder(folder: string, files: Readonly<Record<string, string>>): void {
  if (existsSync(folder)) {
    throw new LetheError('LETHE_FOLDER_EXISTS', 'There is something of this name already.', { where: folder, remedy: 'Choose another name, or take it away.' });
  }
  let draft: string | undefined;
  try {
    makeFolder(dirname(folder));
    draft = mkdtempSync(join(dirname(folder), `.${basename(folder)}-`));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(draft, path)), { recursive: true });
      writeFileSync(join(draft, path), text);
    }
    chmodSync(draft, 0o755); // drafts are made for their owner alone
    renameSync(draft, folder);
  } catch (cause) {
    if (draft !== undefined) rmSync(draft, { recursive: true, force: true });
    throw new LetheError('LETHE_USAGE', `The folder cannot be written: ${(cause as Error).message}`, {
      where: folder, remedy: 'Choose a place that you may write to.', cause,
    });
  }
}
