import { expect } from 'chai';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { frameWithin } from '../src/index.js';

describe('the place of an error in a folder', () => {
  let root: string;
  beforeEach(() => { root = realpathSync(mkdtempSync(join(tmpdir(), 'lethe frame '))); });
  afterEach(() => rmSync(root, { recursive: true }));

  const write = (path: string, code: string) => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
    return file;
  };
  const thrownBy = async (file: string, query = ''): Promise<unknown> => {
    try {
      const { default: act } = (await import(pathToFileURL(file).href + query)) as { default?: () => unknown };
      await act?.();
    } catch (error) {
      return error;
    }
    throw new Error('nothing was thrown');
  };

  it('is the first of its stack, in modules, functions and promises', async () => {
    const file = write('a/top.mjs', '\n\nthrow new Error("at once\\n    at no place:7");\n');
    expect(frameWithin(await thrownBy(file), join(root, 'a'))).to.equal(`${file}:3`);
    const inner = write('a/inner.mjs', 'export const inner = (x) =>\n  JSON.parse(x);\n');
    const outer = write('a/outer.mjs', 'import { inner } from "./inner.mjs";\nexport default async function act() {\n  await null;\n  inner("{");\n}\n');
    expect(frameWithin(await thrownBy(outer, '?again'), join(root, 'a'))).to.equal(`${inner}:2`);
    const common = write('a/common.cjs', '\nmodule.exports = () => null.x;\n');
    expect(frameWithin(await thrownBy(common), join(root, 'a'))).to.equal(`${common}:2`);
  });

  it('is where a module does not go together with another', async () => {
    write('a/other.mjs', 'export const there = 1;\n');
    const file = write('a/link.mjs', '\nimport { absent } from "./other.mjs";\n');
    expect(frameWithin(await thrownBy(file), join(root, 'a'))).to.equal(`${file}:2`);
  });

  it('is none of another folder or of a package in it, and that of a cause, where it has one, before its own', async () => {
    write('a/node_modules/b/package.json', '{ "name": "b", "main": "b.js" }');
    write('a/node_modules/b/b.js', 'module.exports = () => { throw new Error("deep"); };\n');
    const file = write('a/uses.mjs', 'import b from "b";\n\nexport default () => b();\n');
    const error = await thrownBy(file);
    expect(frameWithin(error, join(root, 'a'))).to.equal(`${file}:3`);
    expect(frameWithin(error, join(root, 'a', 'b'))).to.equal(undefined);
    expect(frameWithin(new Error('wrapped', { cause: error }), join(root, 'a'))).to.equal(`${file}:3`);
    const passing = write('a/passes.mjs', 'import uses from "./uses.mjs";\nexport default () => {\n  try { uses(); } catch (cause) { throw new Error("passed on", { cause }); }\n};\n');
    expect(frameWithin(await thrownBy(passing), join(root, 'a'))).to.equal(`${file}:3`);
    expect(frameWithin('text', root)).to.equal(undefined);
  });

  it('is the line that was written, where the compiler left a map to it and it is there', async () => {
    const file = write('a/made.mjs', 'throw new Error("x");\n');
    const found = async () => frameWithin(await thrownBy(file), join(root, 'a'));
    // the first column of the first line is the one of the fifth line of the source
    write('a/made.mjs.map', JSON.stringify({ version: 3, sources: ['../src/made.ts'], names: [], mappings: 'AAIA' }));
    expect(await found()).to.equal(`${file}:1`);
    const source = write('src/made.ts', '\n\n\n\nthrow new Error("x");\n');
    expect(await found()).to.equal(`${source}:5`);
    write('a/made.mjs.map', '{');
    expect(await found()).to.equal(`${file}:1`);
  });

  it('is found in a folder that is named by a link', async () => {
    const file = write('a/top.mjs', 'throw new Error("x");\n');
    symlinkSync(join(root, 'a'), join(root, 'link'));
    expect(frameWithin(await thrownBy(join(root, 'link', 'top.mjs')), join(root, 'link'))).to.equal(`${file}:1`);
  });
});
