import { CommanderError } from 'commander';
import { LetheError } from '@lethe/core';

const ELSEWHERE = 'choose a place that you may write to, or change who may';
const ROOM = 'make room on the disk; what was finished is kept, and lethe resume goes on with it';
/** What to do about an error of the file system, by its code. */
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: ELSEWHERE, EPERM: ELSEWHERE, EROFS: ELSEWHERE, ENOSPC: ROOM, EDQUOT: ROOM,
  ENOENT: 'check the path, and that its folder may be written to', ENOTDIR: 'check the path: a part of it is a file', EISDIR: 'give a file, not a folder',
  EEXIST: 'choose another place: there is a file of this name',
};

/** What the file system refused, where that is what happened. */
function ofFiles(error: unknown): LetheError | undefined {
  const { code = '', syscall, path, message } = error as NodeJS.ErrnoException;
  const remedy = syscall === undefined ? undefined : REMEDIES[code];
  return remedy === undefined ? undefined : new LetheError('LETHE_FILES', message, { ...(path ? { where: path } : {}), remedy, cause: error });
}

/**
 * What went wrong, as an error with a code; null where help or the version was asked for.
 *
 * @param help the command that helps with what was typed
 */
export function explained(error: unknown, help = 'lethe --help'): LetheError | null {
  if (error instanceof LetheError) return error;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return null;
    const message = error.code === 'commander.help' ? 'no command was given' : error.message.replace(/^error: /, '');
    return new LetheError('LETHE_USAGE', message, { remedy: help });
  }
  return (error instanceof Error ? ofFiles(error) : undefined) ?? new LetheError('LETHE_INTERNAL', error instanceof Error ? error.message : String(error), {
    remedy: 'set LETHE_DEBUG=1 to see where it happened, and report it', cause: error,
  });
}
