import { CommanderError } from 'commander';
import { LetheError, fileError } from '@lethe/core';

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
  return fileError(error) ?? new LetheError('LETHE_INTERNAL', error instanceof Error ? error.message : String(error), {
    remedy: 'set LETHE_DEBUG=1 to see where it happened, and report it', cause: error,
  });
}
