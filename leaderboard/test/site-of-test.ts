import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Run } from '@lethe/core';
import { expect } from 'chai';
import { buildSite, publishRuns } from '../src/index.js';
import { describer, writeRun } from './fixture.js';

/** A folder with entries and their site, anew for every test of the suite in which this is called. */
export function siteOfTest() {
  let folder: string;
  const path = (...parts: string[]) => join(folder, ...parts);
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'lethe-site-')); });
  afterEach(() => rm(folder, { recursive: true }));

  const read = (file: string) => readFile(path('site', file), 'utf8');
  /** The pages below the first one, by a part of their names. */
  const pages = async (part: string) => (await readdir(path('site'), { recursive: true })).filter((name) => /.+\/.+\.html$/.test(name) && name.includes(part));
  /** The pages of comparisons. */
  const comparisons = async () => Promise.all((await pages('/index.html')).sort().map(read));
  return {
    path, read, pages, comparisons,
    publish: async (name: string, runs: readonly Run[]) => publishRuns([await writeRun(path(name), runs)], path('entries'), describer),
    build: () => buildSite(path('entries'), path('site')),
    /** The page of the only comparison. */
    comparison: async () => {
      const [page, ...others] = await comparisons();
      expect(others).to.have.length(0);
      return page!;
    },
  };
}
