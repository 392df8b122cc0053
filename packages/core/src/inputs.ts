import type { NdArray } from './arrays.js';
import type { MethodHost, Site, TaskView } from './method.js';

/** What one or several sites read: queries, keys and values of a layer read the same. */
export interface SiteInput {
  /** That of the first of its sites. */
  readonly name: string;
  readonly readers: readonly Site[];
  /** Second moment of the input over a task's rows: the mean over tokens of x^T x, (in, in). */
  readonly moment: NdArray;
}

/**
 * {@link MethodHost.moments} by input in place of by site: whatever is made of a moment is made once for all that read it.
 *
 * @param rows training rows of the task, the first ones
 */
export async function siteInputs(host: MethodHost, task: TaskView, rows: number): Promise<readonly SiteInput[]> {
  const { sites } = host;
  const moments = await host.moments(task, rows);
  return [...new Set(sites.map(({ name }) => moments[name]!))].map((moment) => {
    const readers = sites.filter(({ name }) => moments[name] === moment);
    return { name: readers[0]!.name, readers, moment };
  });
}
