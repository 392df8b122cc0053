import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { codeSha256 } from '../src/index.js';

describe('the hash of a method\'s code', () => {
  let folder: string;
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lethe-code-'));
    for (const name of ['own', 'own/parts', 'own/test', 'other']) mkdirSync(join(folder, name));
    write('own/index.js', "import './parts/part.js';\nimport { readFile } from 'node:fs/promises';\nexport { default } from '../other/index.js';\n");
    write('own/parts/part.js', 'export const a = 1;\n');
    write('own/parts/computed.js', 'export const b = 1;\n'); // which no import names
    write('own/index.test.js', 'test();\n');
    write('own/test/more.js', 'test();\n');
    write('other/index.js', "const later = () => import('./later.js');\nexport default later;\n");
    write('other/later.js', "export * from '../own/index.js';\n");
    write('other/unused.js', '1;\n');
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const hash = () => codeSha256(join(folder, 'own/index.js'));

  for (const name of ['own/index.js', 'own/parts/part.js', 'own/parts/computed.js', 'other/index.js', 'other/later.js']) {
    it(`changes with ${name}`, async () => {
      const before = await hash();
      write(name, 'export default 2;\n');
      expect(await hash()).to.not.equal(before);
    });
  }

  for (const name of ['own/index.test.js', 'own/test/more.js', 'other/unused.js']) {
    it(`does not change with ${name}`, async () => {
      const before = await hash();
      write(name, 'export default 2;\n');
      expect(await hash()).to.equal(before);
    });
  }

  it('does not change with comments, spaces and empty lines, and does with a line that ends a statement', async () => {
    write('own/parts/part.js', "export const f = (a) => {\n  return a / 2 + `${a /* so */} // text`;\n};\n");
    const before = await hash();
    write('own/parts/part.js', "// a camera-ready comment\nexport const f = (a) =>   { // it halves\n\n  return a / 2 /* exactly */ + `${a} // text`;\n};\n//# sourceMappingURL=part.js.map\n");
    expect(await hash()).to.equal(before);
    for (const other of [
      'export const f = (a) => {\n  return a / 3 + `${a} // text`;\n};\n', 'export const f = (a) => {\n  return a / 2 + `${a} // texts`;\n};\n',
      'export const f = (a) => {\n  return\n a / 2 + `${a} // text`;\n};\n',
    ]) {
      write('own/parts/part.js', other);
      expect(await hash(), other).to.not.equal(before);
    }
  });

  it('is that of what there is where a module is missing or is none', async () => {
    const before = await hash();
    rmSync(join(folder, 'other/later.js'));
    write('own/parts/part.js', 'export {{\n');
    expect(await hash()).to.match(/^[0-9a-f]{64}$/).and.not.equal(before);
  });
});
