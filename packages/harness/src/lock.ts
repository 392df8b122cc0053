import { link, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { LetheError } from '@lethe/core';

export const LOCK = 'run.lock';

/** The locks that this process has. */
const held = new Set<string>();

/** Whether the process that a lock names has it. */
function holds(pid: number, path: string): boolean {
  // an earlier process had the same number, as the first one of every container has
  if (pid === process.pid) return held.has(path);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, but belongs to somebody else
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The process that a lock names; 0 for none. */
const ownerOf = async (path: string): Promise<number> => Number(await readFile(path, 'utf8').catch(() => ''));

/** Puts `own` there as a lock; false where there is one. */
async function take(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path); // written beside and linked: a lock never stands without its process in it
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Keeps a run folder to this process until the function given back is called. The lock of a process that is gone, killed
 * for one, does not count.
 *
 * @param folder is there already
 * @throws LETHE_RUN_BUSY where another living process has it, or this one
 */
export async function lockRun(folder: string): Promise<() => Promise<void>> {
  const path = join(await realpath(folder), LOCK);
  const own = `${path}.${process.pid}`;
  await writeFile(own, String(process.pid));
  try {
    while (!await take(own, path)) {
      const pid = await ownerOf(path);
      if (pid > 0 && holds(pid, path)) {
        throw new LetheError('LETHE_RUN_BUSY', `Process ${pid} is at work on this run.`, {
          where: path, remedy: `Wait for it, or stop it; if process ${pid} is no \`lethe\`, delete the file.`,
        });
      }
      await clear(own, path, pid);
    }
    held.add(path);
  } finally {
    await rm(own, { force: true });
  }
  return async () => {
    held.delete(path);
    if (await ownerOf(path) === process.pid) await rm(path, { force: true });
  };
}

/**
 * Removes the lock of a process that is gone. One process at a time does: else the second to find it would remove what the first has
 * put in its place.
 */
async function clear(own: string, path: string, gone: number): Promise<void> {
  const turn = `${path}.clearing`;
  if (await take(own, turn)) {
    held.add(turn);
    try {
      if (await ownerOf(path) === gone) await rm(path, { force: true });
    } finally {
      await rm(turn, { force: true });
      held.delete(turn);
    }
  } else {
    const other = await ownerOf(turn);
    if (other > 0 && !holds(other, turn)) await rm(turn, { force: true }); // killed in the middle of it
    await setTimeout(5);
  }
}
