import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, open, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { unfinished, writeWhole } from '../src/index.js';

describe('writeWhole', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lethe-whole-'));
    file = join(folder, 'results.json');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('writes its parts one after another', async () => {
    await writeWhole(file, 'a longer text that stood here before');
    await writeWhole(file, 'é', Uint8Array.of(0, 255), '', new Uint8Array(0), 'b');
    expect([...await readFile(file)]).to.deep.equal([0xc3, 0xa9, 0, 255, 98]);
    expect(await readdir(folder)).to.deep.equal(['results.json']);
  });

  it('lets the last of several at once stand', async () => {
    await Promise.all(Array.from({ length: 8 }, (_, i) => writeWhole(file, `${i} `.repeat(1000 - 100 * i))));
    expect(await readFile(file, 'utf8')).to.equal('7 '.repeat(300));
    expect(await readdir(folder)).to.deep.equal(['results.json']);
  });

  it('keeps the mode of the file that it replaces, and a link', async () => {
    await writeFile(file, 'old');
    await chmod(file, 0o640);
    const link = join(folder, 'link');
    await symlink(file, link);
    await writeWhole(link, 'new');
    expect(await readFile(file, 'utf8')).to.equal('new');
    expect((await stat(file)).mode & 0o777).to.equal(0o640);
    expect((await readdir(folder)).sort()).to.deep.equal(['link', 'results.json']);
  });

  it('fails where not all bytes find room, and leaves what was there', function () {
    if (process.platform === 'win32') this.skip();
    // a limit of the size of files is met as a full disk is: the write that reaches it takes some of the bytes, the next one fails
    const code = `process.on('SIGXFSZ', () => undefined);
      const { writeWhole } = await import(${JSON.stringify(new URL('../src/index.js', import.meta.url))});
      const file = ${JSON.stringify(file)};
      await writeWhole(file, 'old');
      console.log(await writeWhole(file, 'new', new Uint8Array(3000)).then(() => 'written', ({ code, path }) => code + ' ' + path));`;
    const { stdout, stderr } = spawnSync('sh', ['-c', 'ulimit -f 1; exec "$0" --input-type=module -e "$1"', process.execPath, code], { encoding: 'utf8' });
    expect(stdout, stderr).to.equal(`EFBIG ${file}\n`);
    return readFile(file, 'utf8').then(async (text) => expect([text, await readdir(folder)]).to.deep.equal(['old', ['results.json']]));
  });

  it('leaves what was there where the disk fails half-way, and writes the next time', async () => {
    await writeWhole(file, 'old');
    const handle = await open(file);
    const prototype = Object.getPrototypeOf(handle) as typeof handle;
    await handle.close();
    const { sync } = prototype;
    const full = Object.assign(new Error('ENOSPC: no space left on device, fsync'), { code: 'ENOSPC', syscall: 'fsync' });
    prototype.sync = () => Promise.reject(full);
    try {
      expect(await writeWhole(file, 'new').catch((error: unknown) => error)).to.include({ code: 'ENOSPC', path: file });
    } finally {
      prototype.sync = sync;
    }
    expect([await readFile(file, 'utf8'), await readdir(folder)]).to.deep.equal(['old', ['results.json']]);
    await writeWhole(file, 'new');
    expect(await readFile(file, 'utf8')).to.equal('new');
  });

  it('says which file cannot be written, and knows the names of unfinished ones', async () => {
    const nowhere = join(folder, 'no', 'results.json');
    expect(await writeWhole(nowhere, '{}').catch((error: unknown) => error)).to.include({ code: 'ENOENT', path: nowhere });
    expect(unfinished('results.json.0b0c6c1e-7f5a-4b53-9c0b-3a1f6f2f9f10.part')).to.equal('results.json');
    for (const name of ['results.json', 'results.json.part', 'results.json.old', 'x.0b0c6c1e.part']) expect(unfinished(name)).to.equal(undefined);
  });
});
