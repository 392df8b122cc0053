import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const MAIN = join(root, 'packages/cli/dist/src/main.js');
export const SUITE = join(root, 'test/fixtures/two-trades');
export const MODEL = [join(root, 'packages/model/lethe-nano'), join(root, '../shared/models/english-mini')]
  .find((folder) => existsSync(join(folder, 'model.safetensors')));

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command in a process of its own, without a terminal. */
export const lethe = (...args: string[]) => letheWith({}, ...args);

/** {@link lethe}, with this in its environment besides. */
export function letheWith(env: NodeJS.ProcessEnv, ...args: string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  return { child, ended: new Promise((resolve) => child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }))) };
}

/** Runs a module of this installation with node; its stdout. Its stderr is the message where it fails. */
export function node(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: root });
  expect(status, stderr + stdout).to.equal(0);
  return stdout;
}
