import { execFileSync } from 'node:child_process';
import { PATHS } from './paths.js';

/** The commit of this installation, with `-dirty` where its files differ from it; null outside of a git checkout. */
export function installedCommit(): string | null {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', PATHS.plugins, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return `${git('rev-parse', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '-dirty'}`;
  } catch {
    return null;
  }
}
