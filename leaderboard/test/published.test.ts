import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { readEntries } from '../src/index.js';

/** Seen from `leaderboard/dist/test`. */
const ENTRIES = fileURLToPath(new URL('../../entries', import.meta.url));

describe('the published entries', () => {
  it('hold: every score, metric and command is recomputed', async () => {
    const files = readdirSync(ENTRIES).filter((name) => name.endsWith('.json'));
    expect((await readEntries(ENTRIES)).map(({ file }) => file)).to.deep.equal(files.sort());
    expect(files).not.to.deep.equal([]);
  });
});
