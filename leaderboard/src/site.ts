import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { LetheError, makeFolder } from '@lethe/core';
import { type Describer, unknown } from './declared.js';
import { readEntries } from './entry.js';
import { groupsOf } from './groups.js';
import { GENERATOR } from './layout.js';
import { comparisonPage } from './pages/comparison-page.js';
import { indexPage } from './pages/index-page.js';
import { methodPage } from './pages/method-page.js';
import { runFile, runPage } from './pages/run-page.js';
import { readReported } from './reported.js';

/** What was built. */
export interface Site {
  /** Path of the first page. */
  readonly index: string;
  readonly entries: number;
  readonly pages: number;
}

/** Throws LETHE_USAGE where a folder holds anything but an earlier site: it is replaced as a whole. */
async function checkReplaceable(outDir: string): Promise<void> {
  const names = await readdir(outDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (names.length === 0) return;
  const first = await readFile(join(outDir, 'index.html'), 'utf8').catch(() => '');
  if (first.includes(`<meta name="generator" content="${GENERATOR}">`)) return;
  throw new LetheError('LETHE_USAGE', 'The folder for the site holds something else, and would be replaced.', {
    where: outDir, remedy: 'Give an empty or new folder with --out.',
  });
}

/** Throws LETHE_USAGE where a site with entries would be replaced by one without: the folder of entries is hardly the one that was meant. */
async function checkKept(entriesDir: string, outDir: string): Promise<void> {
  const shown = await readdir(join(outDir, 'entries')).catch(() => []);
  if (shown.length === 0) return;
  throw new LetheError('LETHE_USAGE', `There are no entries in this folder, and the site that would be replaced shows ${shown.length}.`, {
    where: entriesDir, remedy: `Give the folder that holds the entries with --entries, or delete ${outDir} first.`,
  });
}

/** Writes all pages into an empty folder; their number. */
async function writePages(entriesDir: string, folder: string, describer: Describer): Promise<Omit<Site, 'index'>> {
  const entries = await readEntries(entriesDir, describer);
  const files = entries.map(({ file }) => file);
  const groups = groupsOf(entries);
  makeFolder(join(folder, 'entries'));
  for (const file of files) await copyFile(join(entriesDir, file), join(folder, 'entries', file));
  const reported = readReported();
  await writeFile(join(folder, 'index.html'), indexPage(groups, files, reported));
  let pages = 1;
  const write = async (path: string, page: string) => {
    await writeFile(join(folder, path), page);
    pages += 1;
  };
  for (const group of groups) {
    await mkdir(join(folder, group.slug));
    await write(join(group.slug, 'index.html'), comparisonPage(group, reported));
    for (const row of group.rows) {
      await write(join(group.slug, `${row.slug}.html`), methodPage(group, row));
      for (const { outcomes } of row.cells) {
        for (const outcome of outcomes) await write(join(group.slug, runFile(row, outcome)), runPage(group, row, outcome));
      }
    }
  }
  return { entries: entries.length, pages };
}

/**
 * Builds the site of all entries: a first page with all comparisons at a glance, a page for each comparison, method and run, and the
 * entries themselves. It needs no network and no server, and no script but for sorting. Written whole or not at all: an
 * earlier site in the folder is replaced once the new one is there.
 *
 * @param describer what is known of methods and suites, to hold the entries to it
 * @throws LETHE_RUN_MISSING where there is no folder of entries, LETHE_RESULTS_INVALID with file and JSON pointer where an entry does not
 *   hold, LETHE_RUN_STOPPED where one is not whole, LETHE_USAGE where the folder holds anything but a site, or one with entries that would
 *   be replaced by one without
 */
export async function buildSite(entriesDir: string, outDir: string, describer = unknown): Promise<Site> {
  const target = resolve(outDir);
  await checkReplaceable(target);
  // numbers of processes come again, as in containers, and what a killed one has left is in no other's way
  const own = `${target}.${randomUUID()}`;
  const [made, old] = [`${own}.part`, `${own}.old`];
  try {
    makeFolder(dirname(target));
    const counts = await writePages(entriesDir, made, describer);
    if (counts.entries === 0) await checkKept(entriesDir, target);
    makeFolder(target);
    await rename(target, old);
    try {
      await rename(made, target);
    } catch (error) {
      await rename(old, target);
      throw error;
    }
    await rm(old, { recursive: true });
    return { index: join(target, 'index.html'), ...counts };
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}
