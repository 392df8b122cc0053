import { LetheError } from './errors.js';

const ELSEWHERE = 'choose a place that you may write to, or change who may';
const ROOM = 'make room on the disk; what was finished is kept, and lethe resume goes on with it';
/** What to do about an error of the file system, by its code. */
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: ELSEWHERE, EPERM: ELSEWHERE, EROFS: ELSEWHERE, ENOSPC: ROOM, EDQUOT: ROOM,
  ENOENT: 'check the path, and that its folder may be written to', ENOTDIR: 'check the path: a part of it is a file', EISDIR: 'give a file, not a folder',
  EEXIST: 'choose another place: there is a file of this name',
};

/** LETHE_FILES for what the file system refused; undefined for any other error. */
export function fileError(error: unknown): LetheError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '', syscall, path, message } = error as NodeJS.ErrnoException;
  const remedy = syscall === undefined ? undefined : REMEDIES[code];
  return remedy === undefined ? undefined : new LetheError('LETHE_FILES', message, { ...(path ? { where: path } : {}), remedy, cause: error });
}
