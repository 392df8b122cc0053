import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { README, pageWithTable } from '../tools/kernel-table.js';

describe('the page of the engine', () => {
  it('lists the kernels that there are (npm run table -w @lethe/engine writes them)', async () => {
    expect(await readFile(README, 'utf8')).to.equal(await pageWithTable());
  });
});
