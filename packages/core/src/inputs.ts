import type { NdArray } from './arrays.js';
import type { MethodHost } from './method-host.js';
import type { Site, TaskView } from './method.js';

/** What one or several sites read: queries, keys and values of a layer read the same. */
export interface SiteInput {
  /** That of the first of its sites. */
  readonly name: string;
  readonly readers: readonly Site[];
  /** Second moment of the input over a task's rows: the mean over tokens of x^T x, (in, in). */
  readonly moment: NdArray;
}

/** Bytes of moments that are held at once: those of a model of half a billion parameters are gigabytes together. */
const AT_ONCE = 512 * 2 ** 20;

/**
 * {@link MethodHost.moments} by input in place of by site: whatever is made of a moment is made once for all that read it. The rows are read
 * once for a small model, and once for every few layers of a large one, so that no more than {@link AT_ONCE} bytes are held. The learner's
 * arrays are to stay as they are meanwhile.
 *
 * @param rows how many training rows of the task, as for {@link MethodHost.moments}
 */
export async function* siteInputs(host: MethodHost, task: TaskView, rows: number): AsyncGenerator<SiteInput> {
  for (const sites of inParts(host.sites, AT_ONCE)) {
    const moments = await host.moments(task, rows, sites);
    for (const moment of new Set(sites.map(({ name }) => moments[name]!))) {
      const readers = sites.filter(({ name }) => moments[name] === moment);
      yield { name: readers[0]!.name, readers, moment };
    }
  }
}

/** Sites in parts of whole layers, whose sites may read the same, each of at most so many bytes of moments or one layer. */
export function inParts(sites: readonly Site[], bytes: number): Site[][] {
  const layers: Site[][] = [];
  for (const site of sites) {
    if (layers.at(-1)?.[0]!.layer === site.layer) layers.at(-1)!.push(site);
    else layers.push([site]);
  }
  const sizeOf = (part: readonly Site[]) => part.reduce((sum, site) => sum + 4 * site.in ** 2, 0);
  const parts: Site[][] = [];
  for (const layer of layers) {
    const last = parts.at(-1);
    if (last && sizeOf(last) + sizeOf(layer) <= bytes) last.push(...layer);
    else parts.push([...layer]);
  }
  return parts;
}
