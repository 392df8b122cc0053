import type { Run } from '@lethe/core';

/**
 * The methods whose code is another one here than the one that runs were made with, as far as these say.
 *
 * @param here path of the compiled module of a method, undefined for one that is not here
 */
export async function otherCode(runs: readonly Run[], here: (id: string) => string | undefined): Promise<string[]> {
  const { codeSha256 } = await import('@lethe/harness'); // which loads what trains models
  const made = new Map<string, Set<string>>();
  for (const { method: { id }, environment: { code } } of runs) if (code !== undefined) made.set(id, (made.get(id) ?? new Set()).add(code));
  const found: string[] = [];
  for (const [id, codes] of made) {
    const path = here(id);
    if (path !== undefined && !codes.has(await codeSha256(path))) found.push(id);
  }
  return found;
}
