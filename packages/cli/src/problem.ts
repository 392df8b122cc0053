import { CommanderError } from 'commander';
import { LetheError } from '@lethe/core';

/** What went wrong, as an error with a code; null where help or the version was asked for. */
export function explained(error: unknown): LetheError | null {
  if (error instanceof LetheError) return error;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return null;
    const message = error.code === 'commander.help' ? 'no command was given' : error.message.replace(/^error: /, '');
    return new LetheError('LETHE_USAGE', message, { remedy: 'lethe --help' });
  }
  return new LetheError('LETHE_INTERNAL', error instanceof Error ? error.message : String(error), {
    remedy: 'set LETHE_DEBUG=1 to see where it happened, and report it', cause: error,
  });
}
