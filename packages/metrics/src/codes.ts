import { type Run, grouped } from '@lethe/core';

/** A version of a method whose runs were made by code that differs. */
export interface SeveralCodes {
  readonly id: string;
  readonly version: string;
  /** The beginnings of the hashes, sorted. */
  readonly codes: readonly string[];
}

/** The methods whose code was changed between runs of one version, as far as runs say by which they were made. */
export function severalCodes(runs: readonly Run[]): SeveralCodes[] {
  return grouped(runs, ({ method: { id, version } }) => [id, version]).flatMap((same) => {
    const codes = [...new Set(same.flatMap(({ environment: { code } }) => (code === undefined ? [] : [code.slice(0, 8)])))].sort();
    const { id, version } = same[0]!.method;
    return codes.length > 1 ? [{ id, version, codes }] : [];
  });
}

/** One sentence on such a method, and what to do. */
export const codesWords = ({ id, version, codes }: SeveralCodes): string =>
  `the code of ${id} was changed between its runs, all of version ${version} (${codes.join(', ')}): where that changes what it computes, raise its version and run them again`;
