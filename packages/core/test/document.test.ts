import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LetheError, readDocument } from '../src/index.js';

describe('a YAML file with aliases', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-document-')); });
  after(() => rmSync(folder, { recursive: true }));
  const read = (text: string) => {
    const file = join(folder, 'some.yaml');
    writeFileSync(file, text);
    return readDocument(file, 'YAML', 'LETHE_SUITE_INVALID');
  };
  const errorOf = (text: string) => {
    try {
      read(text);
    } catch (error) {
      expect(error).to.be.instanceOf(LetheError);
      return error as LetheError;
    }
    throw new Error('nothing was thrown');
  };

  it('has what they stand for', () => {
    expect(read('a: &one [1, 2]\nb: *one\n').value).to.deep.equal({ a: [1, 2], b: [1, 2] });
  });

  it('is refused where one stands for nothing, or comes before what it stands for', () => {
    for (const text of ['a: 1\nb: *one\n', 'a: 1\nb: [*one, 2]\nc: &one 3\n']) {
      const error = errorOf(text);
      expect(error.code).to.equal('LETHE_SUITE_INVALID');
      expect(error.message).to.contain('*one stands for nothing');
      expect(error.where).to.equal(`${join(folder, 'some.yaml')}:2`);
    }
  });

  it('is refused where they stand for more than can be held', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`);
    const error = errorOf(`l0: &l0 [x, x, x, x, x, x, x, x, x]\n${levels.join('\n')}\n`);
    expect(error).to.include({ code: 'LETHE_SUITE_INVALID', where: join(folder, 'some.yaml') });
    expect(error.message).to.contain('aliases');
    expect(error.remedy).to.contain('aliases');
  });
});
