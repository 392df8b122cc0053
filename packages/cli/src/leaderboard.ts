import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, resolve } from 'node:path';
import { LetheError } from '@lethe/core';
import { type Command, Option } from 'commander';
import sirv from 'sirv';
import type { Output } from './output.js';
import { installedPlugins } from './installed.js';
import { PATHS, here } from './paths.js';
import { withScorers } from './plugins-option.js';
import { describer, entriesOption } from './publish.js';
import { parseInteger } from './run/request.js';

const HOST = '127.0.0.1';
const PORT = 4747;
const PORTS = 65_535;

interface Folders {
  readonly entries: string;
  readonly out: string;
  readonly plugins?: readonly string[];
}

/** Builds the site, says of what, and gives the path of its first page. */
async function build({ entries, out, plugins }: Folders, output: Output): Promise<string> {
  const { buildSite } = await import('@lethe/leaderboard');
  const site = await buildSite(resolve(entries), resolve(out), describer(installedPlugins(plugins)));
  const empty = site.entries === 0 ? `; there are no entries in ${here(entries)} yet: lethe publish RUN` : '';
  output.note(`${site.entries} ${site.entries === 1 ? 'entry' : 'entries'} recomputed, ${site.pages} pages written${empty}`);
  return site.index;
}

/**
 * Serves a folder on this machine alone.
 *
 * @param port 0 for any that is free
 * @throws LETHE_PORT_BUSY where it is taken or not allowed
 */
export async function serveFolder(folder: string, port: number): Promise<{ server: Server; address: string }> {
  // dev: files are looked up at every request, so a page is right after it was built anew
  const server = createServer(sirv(folder, { dev: true, etag: true }));
  server.listen(port, HOST);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw cause;
    throw new LetheError('LETHE_PORT_BUSY', `Port ${port} ${code === 'EACCES' ? 'is not allowed to you' : 'is taken by another program'}.`, {
      where: `${HOST}:${port}`, remedy: 'Choose another with --port, or --port 0 for any that is free.', cause,
    });
  }
  return { server, address: `http://${HOST}:${(server.address() as AddressInfo).port}/` };
}

/** `lethe leaderboard serve`: ends by Ctrl-C or SIGTERM. */
async function serveCommand(folders: Folders, port: number, output: Output): Promise<void> {
  const index = await build(folders, output);
  const { server, address } = await serveFolder(dirname(index), port);
  output.data(address);
  output.note('Ctrl-C ends it');
  await new Promise<void>((end) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end());
  });
  server.close();
  server.closeAllConnections();
}

/** Adds `lethe leaderboard build` and `lethe leaderboard serve`. */
export function addLeaderboardCommands(program: Command, output: Output): void {
  const leaderboard = program.command('leaderboard').description('the static pages of all published runs');
  const command = (name: string, description: string) => withScorers(leaderboard.command(name))
    .description(description)
    .addOption(entriesOption())
    .addOption(new Option('--out <folder>', 'where the pages go').default(PATHS.site, 'leaderboard/site of this installation'));
  command('build', 'recompute every entry and write the pages; they open without a server')
    .action(async (folders: Folders) => output.data(here(await build(folders, output))));
  command('serve', 'build, then serve the pages on this machine')
    .option('--port <number>', 'where to listen; 0 for any that is free', (text) => parseInteger('--port', text, 0, PORTS), PORT)
    .action(({ port, ...folders }: Folders & { port: number }) => serveCommand(folders, port, output));
}
