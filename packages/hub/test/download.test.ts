import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LetheError } from '@lethe/core';
import { type DownloadOptions, cacheFolder, downloadFile, hubAccess } from '../src/index.js';
import { LocalHub } from './local-hub.js';

const BYTES = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) % 251));
const HASH = createHash('sha256').update(BYTES).digest('hex');
const FILE = { repo: 'datasets/someone/rows', revision: 'abc', path: 'tickets/train.jsonl', sha256: HASH };

const ADDRESS = `/${FILE.repo}/resolve/abc/${FILE.path}`;

describe('a file of the hub', () => {
  let hub: LocalHub;
  let folder: string;
  let to: string;
  beforeEach(async () => {
    hub = new LocalHub();
    await hub.open();
    hub.files.set(ADDRESS, BYTES);
    folder = mkdtempSync(join(tmpdir(), 'lethe-hub-'));
    to = join(folder, 'tickets', 'train.jsonl');
  });
  afterEach(() => {
    hub.close();
    rmSync(folder, { recursive: true });
  });
  const refused = async (file = FILE, options: DownloadOptions = {}): Promise<LetheError> => {
    try {
      await downloadFile(file, to, options);
    } catch (error) {
      if (error instanceof LetheError) return error;
      throw error;
    }
    throw new Error('nothing was thrown');
  };

  it('is downloaded whole, with progress', async () => {
    const seen: number[] = [];
    await downloadFile(FILE, to, { onProgress: (done, total) => { expect(total).to.equal(BYTES.length); seen.push(done); } });
    expect(readFileSync(to).equals(BYTES)).to.equal(true);
    expect(readdirSync(join(folder, 'tickets'))).to.deep.equal(['train.jsonl']);
    expect(seen[0]).to.equal(0);
    expect(seen.at(-1)).to.equal(BYTES.length);
    expect([...seen].sort((a, b) => a - b)).to.deep.equal(seen);
  });

  it('is gone on with where its connection broke', async () => {
    hub.breaks.push(100_000, 50_000);
    await downloadFile(FILE, to);
    expect(readFileSync(to).equals(BYTES)).to.equal(true);
    const [first, second, third] = hub.starts;
    expect(first).to.equal(0);
    expect(second).to.be.within(1, 100_000);
    expect(third).to.be.greaterThan(second!);
  });

  it('is gone on with by the next call, unless the hub has another one by then', async () => {
    const stop = new AbortController();
    await downloadFile(FILE, to, { signal: stop.signal, onProgress: (done) => { if (done > 0) stop.abort(); } }).then(
      () => { throw new Error('it was not stopped'); }, () => undefined);
    expect(existsSync(to)).to.equal(false);
    const [part] = readdirSync(join(folder, 'tickets'));
    const kept = readFileSync(join(folder, 'tickets', part!)).length;
    expect(kept).to.be.within(1, BYTES.length);
    const first: number[] = [];
    await downloadFile(FILE, to, { onProgress: (done) => first.push(done) });
    expect(first[0]).to.equal(kept);
    expect(readFileSync(to).equals(BYTES)).to.equal(true);
    hub.files.set(ADDRESS, Buffer.from('another'));
    first.length = 0;
    await downloadFile({ ...FILE, sha256: createHash('sha256').update('another').digest('hex') }, to, { onProgress: (done) => first.push(done) });
    expect(first[0]).to.equal(0);
  });

  it('is not there with another hash', async () => {
    const error = await refused({ ...FILE, sha256: '0'.repeat(64) });
    expect(error.code).to.equal('LETHE_HUB_FILE');
    expect(error.message).to.contain(HASH);
    expect(readdirSync(join(folder, 'tickets'))).to.deep.equal([]);
  });

  it('that is not in its repository, or closed, is named', async () => {
    const absent = await refused({ ...FILE, path: 'mails/train.jsonl' });
    expect([absent.code, absent.message]).to.deep.equal(['LETHE_HUB_FILE', 'the repository has no such file']);
    expect(absent.where).to.contain('datasets/someone/rows@abc: mails/train.jsonl');
    hub.closed.add(ADDRESS);
    const closed = await refused();
    expect(closed.code).to.equal('LETHE_HUB_FILE');
    expect(closed.remedy).to.contain('HF_TOKEN');
  });

  it('without a network is an error that says what to do', async () => {
    process.env['HF_ENDPOINT'] = 'http://127.0.0.1:1';
    const error = await refused();
    expect(error.code).to.equal('LETHE_HUB_UNREACHABLE');
    expect(error.where).to.contain(FILE.path);
    expect(error.remedy).to.contain('by hand');
  });

  it('is not asked for where nobody is to be asked', async () => {
    const error = await refused(FILE, { access: { ...hubAccess(), offline: true } });
    expect([error.code, error.message]).to.deep.equal(['LETHE_HUB_UNREACHABLE', 'the hub is not to be asked (HF_HUB_OFFLINE)']);
    expect(hub.asked).to.deep.equal([]);
  });

  it('that cannot be stored says so, and is not asked for again', async () => {
    writeFileSync(join(folder, 'tickets'), 'a file where the folder should be');
    const error = await refused();
    expect(error.code).to.equal('LETHE_HUB_STORE');
    expect(error.message).to.contain('EEXIST');
    expect(hub.starts).to.deep.equal([]);
  });

  it('is reached as the environment says', () => {
    expect(hubAccess({})).to.deep.equal({ offline: false });
    expect(hubAccess({ HF_ENDPOINT: 'http://mirror/', HF_TOKEN: 't', HF_HUB_OFFLINE: '1' })).to.deep.equal({ url: 'http://mirror', token: 't', offline: true });
    expect(hubAccess({ HF_HUB_OFFLINE: '0' }).offline).to.equal(false);
  });

  describe('of GitHub', () => {
    const ON_GITHUB = { ...FILE, repo: 'github:someone/rows', path: 'a b/train.json' };
    const ON = '/someone/rows/abc/a%20b/train.json';
    beforeEach(() => { hub.files.set(ON, BYTES); });

    it('is downloaded whole, also where connections break', async () => {
      hub.breaks.push(100_000, 50_000);
      await downloadFile(ON_GITHUB, to);
      expect(readFileSync(to).equals(BYTES)).to.equal(true);
      expect(hub.starts).to.have.length(3);
    });

    it('is gone on with by the next call', async () => {
      const stop = new AbortController();
      await downloadFile(ON_GITHUB, to, { signal: stop.signal, onProgress: (done) => { if (done > 0) stop.abort(); } }).then(
        () => { throw new Error('it was not stopped'); }, () => undefined);
      const kept = readFileSync(join(folder, 'tickets', readdirSync(join(folder, 'tickets'))[0]!)).length;
      await downloadFile(ON_GITHUB, to);
      expect(hub.starts).to.deep.equal([0, kept]);
      expect(readFileSync(to).equals(BYTES)).to.equal(true);
    });

    it('is not there with another hash', async () => {
      const error = await refused({ ...ON_GITHUB, sha256: '0'.repeat(64) });
      expect([error.code, error.where]).to.deep.equal(['LETHE_HUB_FILE', 'github:someone/rows@abc: a b/train.json']);
      expect(readdirSync(join(folder, 'tickets'))).to.deep.equal([]);
    });

    it('that is not in its repository, or closed, is named', async () => {
      expect((await refused({ ...ON_GITHUB, path: 'test.json' })).message).to.contain('GitHub does not give it out').and.contain('404');
      hub.closed.add(ON);
      expect((await refused(ON_GITHUB)).message).to.contain('403');
    });

    it('is not asked for where nobody is to be asked', async () => {
      expect((await refused(ON_GITHUB, { access: { offline: true } })).code).to.equal('LETHE_HUB_UNREACHABLE');
      expect(hub.asked).to.deep.equal([]);
    });

    it('without a network is an error that says what to do', async () => {
      process.env['LETHE_GITHUB_ENDPOINT'] = 'http://127.0.0.1:1';
      const error = await refused(ON_GITHUB);
      expect([error.code, error.where]).to.deep.equal(['LETHE_HUB_UNREACHABLE', `http://127.0.0.1:1${ON}`]);
      expect(error.remedy).to.contain('LETHE_GITHUB_ENDPOINT');
    });
  });

  it('is kept where LETHE_CACHE says', () => {
    const before = process.env['LETHE_CACHE'];
    process.env['LETHE_CACHE'] = folder;
    try {
      expect(cacheFolder()).to.equal(folder);
    } finally {
      if (before === undefined) delete process.env['LETHE_CACHE'];
      else process.env['LETHE_CACHE'] = before;
    }
  });
});
