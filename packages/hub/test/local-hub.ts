import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How long a connection that breaks lives on after its last bytes, in ms: they are to arrive. */
const LAST_BREATH = 20;

/** What names the hub and GitHub. */
const ENDPOINTS = ['HF_ENDPOINT', 'LETHE_GITHUB_ENDPOINT'];

/** A hub on this machine, and GitHub, as far as files go: ranges, etags, closed repositories and connections that break. */
export class LocalHub {
  /** Bytes by address, such as `/datasets/someone/rows/resolve/abc/train.jsonl`, or `/someone/rows/abc/train.jsonl` on GitHub. */
  readonly files = new Map<string, Buffer>();
  /** Addresses that are not given out. */
  readonly closed = new Set<string>();
  /** First bytes that were asked for; that of a request for one byte, which asks for the size alone, is left out. */
  readonly starts: number[] = [];
  /** Connections that end after so many bytes. */
  readonly breaks: number[] = [];
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

  private answer({ method, url = '', headers: { range = '' } }: IncomingMessage, response: ServerResponse): void {
    if (this.closed.has(url)) return void response.writeHead(403).end();
    const bytes = this.files.get(url);
    if (!bytes) return void response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' }).end();
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    const part = bytes.subarray(Number(from), to === '' ? undefined : Number(to) + 1);
    response.writeHead(206, {
      ETag: `"${createHash('md5').update(bytes).digest('hex')}"`, 'Content-Length': part.length,
      'Content-Range': `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`,
    });
    if (range === 'bytes=0-0' || method === 'HEAD') return void response.end(part);
    this.starts.push(Number(from));
    const end = this.breaks.shift();
    if (end === undefined) response.end(part);
    else response.write(part.subarray(0, end), () => setTimeout(() => response.destroy(), LAST_BREATH));
  }
}
