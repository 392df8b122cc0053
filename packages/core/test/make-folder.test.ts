import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeFolder } from '../src/index.js';

describe('makeFolder', () => {
  let folder: string;
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-make-')); });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('makes those above it, and leaves one that is there', () => {
    for (let i = 0; i < 2; i++) makeFolder(join(folder, 'a', 'b', 'c'));
    expect(statSync(join(folder, 'a', 'b', 'c')).isDirectory()).to.equal(true);
  });

  it('says where a file is in the way', () => {
    writeFileSync(join(folder, 'a'), '');
    for (const [path, code] of [[join(folder, 'a'), 'EEXIST'], [join(folder, 'a', 'b'), 'ENOTDIR']] as const) {
      expect(() => makeFolder(path)).to.throw().that.includes({ code, path });
    }
  });

  it('comes to an end where a file system takes no folders', function () {
    if (!existsSync('/proc/self')) this.skip();
    expect(() => makeFolder('/proc/no/folder')).to.throw().with.property('path', '/proc/no');
  });
});
