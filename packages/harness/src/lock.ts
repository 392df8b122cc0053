import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LetheError } from '@lethe/core';

const LOCK = 'run.lock';

function alive(pid: number): boolean {
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
 * @throws LETHE_RUN_BUSY where another living process has it
 */
export async function lockRun(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK);
  // written beside and linked: a lock never stands without its process in it
  const own = `${path}.${process.pid}`;
  await writeFile(own, String(process.pid));
  try {
    for (;;) {
      try {
        await link(own, path);
        return () => rm(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const pid = Number(await readFile(path, 'utf8').catch(() => ''));
      if (pid > 0 && alive(pid)) {
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
