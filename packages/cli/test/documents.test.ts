import { expect } from 'chai';
import { publishedFiles } from '../tools/published-files.js';

describe('the pages that tell what was published', () => {
  it('have the numbers of the entries (npm run tables -w @lethe/cli writes them)', async () => {
    for (const [path, { text, now }] of await publishedFiles()) expect(text, path).to.equal(now);
  });
});
