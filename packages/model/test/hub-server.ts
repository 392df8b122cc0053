import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** A hub on this machine that has one model, `owner/name`, with one commit on its branch `main`. */
export class HubServer {
  /** What it serves: the bytes of each file by its name. */
  readonly files = new Map<string, Buffer>();
  /** Files whose bytes come otherwise than they are listed. */
  readonly damaged = new Set<string>();
  /** Names of the files that were asked for, and paths of all other requests. */
  readonly asked: string[] = [];
  /** Tokens that came along. */
  readonly tokens = new Set<string | undefined>();
  /** The status of every answer, where it is to fail. */
  status = 200;
  private readonly server: Server = createServer((request, response) => this.answer(request, response));

  constructor(folder: string) {
    for (const name of readdirSync(folder)) this.files.set(name, readFileSync(join(folder, name)));
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(url, 'http://hub');
    this.tokens.add(headers.authorization);
    const json = (value: unknown) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (this.status !== 200) return void response.writeHead(this.status).end();
    const prefix = `/owner/name/resolve/${COMMIT}/`;
    if (pathname.startsWith(prefix)) return this.send(decodeURIComponent(pathname.slice(prefix.length)), headers.range, response);
    this.asked.push(pathname);
    if (['main', COMMIT].some((revision) => pathname === `/api/models/owner/name/revision/${revision}`)) {
      return void json({ _id: '1', id: 'owner/name', sha: COMMIT, lastModified: '2026-01-01T00:00:00.000Z' });
    }
    if (pathname === `/api/models/owner/name/tree/${COMMIT}`) return void json([...this.files].map(([path, bytes]) => this.entry(path, bytes)));
    response.writeHead(404).end();
  }

  /** Weights are listed with their sha256, as files of Git LFS are; the others with the name that git gives them. */
  private entry(path: string, bytes: Buffer): unknown {
    const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
    const lfs = { oid: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, pointerSize: 128 };
    return { type: 'file', path, size: bytes.length, oid, ...(path.endsWith('.safetensors') ? { lfs, oid: oid.replaceAll('0', '1') } : {}) };
  }

  private send(name: string, range: string | undefined, response: ServerResponse): void {
    const bytes = this.files.get(name);
    if (!bytes) return void response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
    if (range === 'bytes=0-0') {
      return void response.writeHead(206, { 'content-range': `bytes 0-0/${bytes.length}`, etag: '"1"' }).end(bytes.subarray(0, 1));
    }
    this.asked.push(name);
    const sent = Buffer.from(bytes);
    if (this.damaged.has(name)) sent[sent.length - 1]! ^= 1;
    response.writeHead(200, { etag: '"1"', 'content-length': sent.length }).end(sent);
  }
}
