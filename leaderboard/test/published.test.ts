import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Entry } from '../src/index.js';

describe('the entries that the README names', () => {
  it('are there, with the methods that are installed where a command makes them again', async () => {
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
