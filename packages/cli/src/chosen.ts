import { LetheError, didYouMean } from '@lethe/core';

/** The place of the one of `known` that was asked for, or the only one there is. Throws LETHE_USAGE. */
export function chosen(flag: string, known: readonly string[], asked: string | undefined): number {
  const at = asked === undefined && known.length === 1 ? 0 : known.indexOf(asked ?? '');
  if (at >= 0) return at;
  const message = asked === undefined ? `it is open which one is meant: ${flag} is missing` : `the run has no "${asked}" for ${flag}.${didYouMean(asked, known)}`;
  throw new LetheError('LETHE_USAGE', message, { remedy: `choose one with ${flag}: ${known.join(', ')}` });
}
