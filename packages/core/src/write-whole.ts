import { randomUUID } from 'node:crypto';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';

/** Writes at work in this thread, by file: of several at once the last one stands. */
const atWork = new Map<string, Promise<void>>();

const UNFINISHED = /^(.+)\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.part$/;

/** The name that a file of this name would have got from {@link writeWhole}, had it been finished; undefined for any other file. */
export const unfinished = (name: string): string | undefined => UNFINISHED.exec(name)?.[1];

/**
 * Writes a file of these parts, whole or not at all: beside it first, and under its name once all of it is on the disk. A file that is
 * replaced keeps its mode and owner, a link stays one.
 *
 * @throws what the file system throws (ENOSPC, EACCES, …), with `path`; what was there before is left as it was
 */
export async function writeWhole(path: string, ...parts: readonly (string | Uint8Array)[]): Promise<void> {
  const file = resolve(path);
  const before = atWork.get(file);
  const own = before ? before.catch(() => undefined).then(() => replace(file, parts)) : replace(file, parts);
  atWork.set(file, own);
  try {
    await own;
  } finally {
    if (atWork.get(file) === own) atWork.delete(file);
  }
}

async function replace(file: string, parts: readonly (string | Uint8Array)[]): Promise<void> {
  const target = await realpath(file).catch(() => file);
  const old = await stat(target).catch(() => undefined);
  const part = `${target}.${randomUUID()}.part`;
  try {
    const handle = await open(part, 'wx');
    try {
      if (old) await likeOld(handle, old);
      // unlike `write`, it goes on where a disk that is nearly full took some bytes, and so meets the error that comes next
      for (const bytes of parts) await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, target);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    // errors of an open file do not name it
    throw Object.assign(error as Error, { path: file });
  }
}

async function likeOld(handle: FileHandle, { mode, uid, gid }: { readonly mode: number; readonly uid: number; readonly gid: number }): Promise<void> {
  const own = await handle.stat();
  // to give a file away is a privilege, and no file system needs to know owners
  if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid).catch(() => undefined);
  await handle.chmod(mode);
}
