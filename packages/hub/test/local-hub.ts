import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** How long a connection that breaks lives on after its last bytes, in ms: they are to arrive. */
const LAST_BREATH = 20;

/** What names the hub and GitHub. */
const ENDPOINTS = ['HF_ENDPOINT', 'LETHE_GITHUB_ENDPOINT'];

const hex = (algorithm: string, ...parts: (string | Buffer)[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash(algorithm)).digest('hex');

/** A hub on this machine, and GitHub: lists of models, ranges, etags, closed repositories, damaged files and connections that break. */
export class LocalHub {
  /** Bytes by address, such as `/datasets/someone/rows/resolve/abc/train.jsonl`, or `/someone/rows/abc/train.jsonl` on GitHub. */
  readonly files = new Map<string, Buffer>();
  /** Commits by model and branch: `owner/name@main`. */
  readonly branches = new Map<string, string>();
  /** Addresses that are not given out. */
  readonly closed = new Set<string>();
  /** Addresses whose bytes come otherwise than they are listed. */
  readonly damaged = new Set<string>();
  /** Paths that were asked for; requests for one byte or none, which ask for the size alone, are left out. */
  readonly asked: string[] = [];
  /** First bytes of the files that were asked for. */
  readonly starts: number[] = [];
  /** Tokens that came along. */
  readonly tokens = new Set<string | undefined>();
  /** Connections that end after so many bytes, where more are due. */
  readonly breaks: number[] = [];
  /** The status of every answer, where it is to fail. */
  status: number | undefined;
  private readonly server: Server = createServer((request, response) => this.answer(request, response));
  private readonly before = ENDPOINTS.map((name) => process.env[name]);

  /** Begins to listen, and makes it the hub of this process, and its GitHub. */
  async open(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    for (const name of ENDPOINTS) process.env[name] = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
    ENDPOINTS.forEach((name, i) => {
      if (this.before[i] === undefined) delete process.env[name];
      else process.env[name] = this.before[i];
    });
  }

  /** Serves the files of a folder as those of a commit of a model. */
  addModel(repo: string, branch: string, commit: string, folder: string): void {
    this.branches.set(`${repo}@${branch}`, commit).set(`${repo}@${commit}`, commit);
    for (const name of readdirSync(folder)) this.files.set(`/${repo}/resolve/${commit}/${name}`, readFileSync(join(folder, name)));
  }

  private answer({ method, url = '', headers: { range = '', authorization } }: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(url, 'http://hub');
    const sizeAlone = range === 'bytes=0-0' || method === 'HEAD';
    this.tokens.add(authorization);
    if (!sizeAlone) this.asked.push(pathname);
    if (this.status !== undefined || this.closed.has(pathname)) return void response.writeHead(this.status ?? 403).end();
    const [, repo, kind, revision] = /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/(.+)$/.exec(pathname) ?? [];
    const commit = this.branches.get(`${repo}@${revision}`);
    if (commit === undefined) return this.send(pathname, range, sizeAlone, response);
    const body = kind === 'tree' ? this.list(`/${repo}/resolve/${commit}/`) : { _id: '1', id: repo, sha: commit, lastModified: '2026-01-01T00:00:00.000Z' };
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  }

  /** Weights are listed with their sha256, as files of Git LFS are; the others with the name that git gives them. */
  private list(prefix: string): unknown[] {
    return [...this.files].filter(([address]) => address.startsWith(prefix)).map(([address, bytes]) => {
      const oid = hex('sha1', `blob ${bytes.length}\0`, bytes);
      const lfs = { oid: hex('sha256', bytes), size: bytes.length, pointerSize: 128 };
      return {
        type: 'file', path: address.slice(prefix.length), size: bytes.length, oid,
        ...(address.endsWith('.safetensors') ? { lfs, oid: oid.replaceAll('0', '1') } : {}),
      };
    });
  }

  private send(address: string, range: string, sizeAlone: boolean, response: ServerResponse): void {
    const bytes = this.files.get(address);
    if (!bytes) return void response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' }).end();
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    const part = Buffer.from(bytes.subarray(Number(from), to === '' ? undefined : Number(to) + 1));
    if (this.damaged.has(address)) part[part.length - 1]! ^= 1;
    response.writeHead(206, {
      ETag: `"${hex('md5', bytes)}"`, 'Content-Length': part.length,
      'Content-Range': `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`,
    });
    if (sizeAlone) return void response.end(part);
    this.starts.push(Number(from));
    const end = this.breaks.shift();
    if (end === undefined || end >= part.length) response.end(part);
    else response.write(part.subarray(0, end), () => setTimeout(() => response.destroy(), LAST_BREATH));
  }
}
