import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Entry, readEntries } from '../src/index.js';

/** Seen from `leaderboard/dist/test`. */
const ENTRIES = fileURLToPath(new URL('../../entries', import.meta.url));

describe('the published entries', () => {
  it('hold: every score, metric and command is recomputed', async () => {
    const files = readdirSync(ENTRIES).filter((name) => name.endsWith('.json'));
    expect((await readEntries(ENTRIES)).map(({ file }) => file)).to.deep.equal(files.sort());
    expect(files).not.to.deep.equal([]);
  });

  it('are there where the README has a command about them, with the methods that are installed', async () => {
    const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');
    const named = [...read('README.md').matchAll(/^.*leaderboard\/entries\/(\S+\.json).*$/gm)].map(([line, file]) => ({ line, file: file! }));
    expect(named).not.to.deep.equal([]);
    for (const { line, file } of named) {
      const { results } = JSON.parse(read(`leaderboard/entries/${file}`)) as Entry;
      if (/compare/.test(line)) continue;
      // what is made again or tuned with has to be of the same version
      for (const { method } of results.runs) {
        expect((JSON.parse(read(`plugins/${method.id}/plugin.json`)) as { version: string }).version, `${method.id}, in ${line}`).to.equal(method.version);
      }
    }
  });
});
