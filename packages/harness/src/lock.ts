import { link, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

/**
 * Keeps a run folder to this process until the function given back is called. The lock of a process that is gone, killed
 * for one, does not count.
 *
 * @param folder is there already
 * @throws LETHE_RUN_BUSY where another living process has it, or this one
 */
export async function lockRun(folder: string): Promise<() => Promise<void>> {
  const path = join(await realpath(folder), LOCK);
  // written beside and linked: a lock never stands without its process in it
  const own = `${path}.${process.pid}`;
  await writeFile(own, String(process.pid));
  try {
    for (;;) {
      try {
        await link(own, path);
        held.add(path);
        return async () => {
          await rm(path, { force: true });
          held.delete(path);
        };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const pid = Number(await readFile(path, 'utf8').catch(() => ''));
      if (pid > 0 && holds(pid, path)) {
        throw new LetheError('LETHE_RUN_BUSY', `Process ${pid} is at work on this run.`, {
          where: path, remedy: `Wait for it, or stop it; if process ${pid} is no \`lethe\`, delete the file.`,
        });
      }
      await rm(path, { force: true });
    }
  } finally {
    await rm(own, { force: true });
  }
}
