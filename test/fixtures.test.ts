import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { FIXTURES } from './model/fixtures.js';

describe('the fixtures', () => {
  const files = readdirSync(FIXTURES, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name)).filter((file) => !file.includes('__pycache__'));

  it('are small: less than 3 MB together', () => {
    expect(files.reduce((sum, file) => sum + statSync(file).size, 0)).to.be.within(1, 3e6);
  });
});
