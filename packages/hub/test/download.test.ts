import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LetheError } from '@lethe/core';
import { type DownloadOptions, cacheFolder, downloadFile } from '../src/index.js';

const BYTES = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) % 251));
const HASH = createHash('sha256').update(BYTES).digest('hex');
const FILE = { repo: 'datasets/someone/rows', revision: 'abc', path: 'tickets/train.jsonl', sha256: HASH };

/** A hub on this machine, as far as `resolve` goes: ranges, etags, and connections that break. */
class LocalHub {
  readonly ranges: string[] = [];
  etag = '"one"';
  /** Connections that end after so many bytes. */
  breaks: number[] = [];
  private readonly server: Server = createServer((request, response) => this.answer(request, response));

  async open(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    process.env['HF_ENDPOINT'] = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
    delete process.env['HF_ENDPOINT'];
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { url, headers: { range = '' } } = request;
    if (url === '/datasets/someone/closed/resolve/abc/x') return void response.writeHead(403).end();
    if (url !== `/${FILE.repo}/resolve/abc/${FILE.path}`) return void response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' }).end();
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    const part = BYTES.subarray(Number(from), to === '' ? undefined : Number(to) + 1);
    this.ranges.push(range);
    response.writeHead(206, { ETag: this.etag, 'Content-Length': part.length, 'Content-Range': `bytes ${from}-${Number(from) + part.length - 1}/${BYTES.length}` });
    const end = part.length > 1 ? this.breaks.shift() : undefined;
    if (end === undefined) response.end(part);
    else response.write(part.subarray(0, end), () => setTimeout(() => response.destroy(), 20));
  }
}

describe('a file of the hub', () => {
  let hub: LocalHub;
  let folder: string;
  let to: string;
  beforeEach(async () => {
    hub = new LocalHub();
    await hub.open();
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
    hub.breaks = [100_000, 50_000];
    await downloadFile(FILE, to);
    expect(readFileSync(to).equals(BYTES)).to.equal(true);
    const starts = hub.ranges.filter((range) => range !== 'bytes=0-0').map((range) => Number(/\d+/.exec(range)?.[0] ?? 0));
    expect(starts[0]).to.equal(0);
    expect(starts[1]).to.be.within(1, 100_000);
    expect(starts[2]).to.be.greaterThan(starts[1]!);
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
    hub.etag = '"two"';
    first.length = 0;
    await downloadFile(FILE, to, { onProgress: (done) => first.push(done) });
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
    const closed = await refused({ ...FILE, repo: 'datasets/someone/closed', path: 'x' });
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
