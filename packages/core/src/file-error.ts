import { LetheError } from './errors.js';

const ELSEWHERE = 'choose a place that you may write to, or change who may';
const ROOM = 'make room on the disk; what was finished is kept, and lethe resume goes on with it';
/** What to do about an error of the file system, by its code. */
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: ELSEWHERE, EPERM: ELSEWHERE, EROFS: ELSEWHERE, ENOSPC: ROOM, EDQUOT: ROOM,
  ENOENT: 'check the path, and that its folder may be written to', ENOTDIR: 'check the path: a part of it is a file', EISDIR: 'give a file, not a folder',
  EEXIST: 'choose another place: there is a file of this name', ENAMETOOLONG: 'choose a shorter name',
  ELOOP: 'choose another place: a link in this path leads to itself', EFBIG: 'allow larger files (ulimit -f), or choose another disk; what was finished is kept', EMFILE: 'allow more open files (ulimit -n), or take fewer workers', ENFILE: 'close other programs: too many files are open',
};
const OTHERWISE = 'check the path and the disk that it is on';

/** LETHE_FILES for what the file system refused; undefined for any other error, such as a program that cannot be started. */
export function fileError(error: unknown): LetheError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '', syscall, path, message } = error as NodeJS.ErrnoException;
  const remedy = syscall === undefined || syscall.startsWith('spawn') ? undefined : REMEDIES[code] ?? (path ? OTHERWISE : undefined);
  return remedy === undefined ? undefined : new LetheError('LETHE_FILES', message, { ...(path ? { where: path } : {}), remedy, cause: error });
}
