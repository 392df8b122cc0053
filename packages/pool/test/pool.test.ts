import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FailedRun, RunEvent } from '@lethe/core';
import type { Job } from '@lethe/harness';
import { expect } from 'chai';
import { runJobs } from '../src/index.js';
import { MODEL, jobMaker } from './benchmark.js';

describe('runJobs', () => {
  let folder: string;
  let job: Awaited<ReturnType<typeof jobMaker>>;
  before(async function () {
    if (!MODEL) this.skip();
    folder = await mkdtemp(join(tmpdir(), 'lethe-pool-'));
    job = await jobMaker(join(folder, 'run'));
  });
  after(async () => { if (folder) await rm(folder, { recursive: true }); });

  /** A method like zero-shot that runs some code when its first task begins. */
  async function method(name: string, onBegin: string): Promise<Job> {
    const codePath = join(folder, `${name}.mjs`);
    await writeFile(codePath, `const state = { trainable: {}, frozen: {}, stored: {}, json: null };
export default { create: () => ({ ...state, begin: () => { ${onBegin} }, adapt: () => null, end() {}, save: () => state, restore() {} }) };\n`);
    return job(name, { codePath });
  }

  it('records what fails and goes on with the others', async () => {
    const events: { event: RunEvent; index: number }[] = [];
    const told: number[] = [];
    const jobs = [
      job('lora-sequential'),
      await method('throws', 'throw new Error("no such thing");'),
      // the error comes from a timer, where nothing can catch it: the thread ends
      await method('crashes', 'return new Promise(() => setTimeout(() => { throw new Error("out of the blue"); }));'),
      await method('exits', 'return new Promise(() => setTimeout(() => process.exit(3)));'),
      job('zero-shot'),
    ];
    const runs = await runJobs(jobs, {
      workers: 2, listener: (event, index) => events.push({ event, index }), onResult: (_, index) => void told.push(index),
    });
    const outcome = runs.map((run) => (run?.status === 'failed' ? `${run.error.code}: ${run.error.message}` : run?.status));
    expect(outcome[0]).to.equal('completed');
    expect(outcome[1]).to.equal('LETHE_METHOD_FAILED: no such thing');
    expect(outcome[2]).to.contain('LETHE_RUN_CRASHED').and.contain('out of the blue');
    expect(outcome[3]).to.contain('LETHE_RUN_CRASHED');
    expect(outcome[4]).to.equal('completed');
    const where = (at: number) => (runs[at] as FailedRun).error.where;
    expect(where(1)).to.match(/throws\.mjs:2, throws on \w+$/);
    expect(where(2)).to.match(/crashes\.mjs:2$/);
    expect([...told].sort()).to.deep.equal([0, 1, 2, 3, 4]);

    const base = events.flatMap(({ event }) => (event.type === 'step-finished' && event.step === 0 ? [event.reused] : []));
    expect(base.filter((reused) => !reused)).to.have.length(1);
    const first = events.filter(({ index }) => index === 0).map(({ event }) => event.type);
    expect(first[0]).to.equal('run-started');
    expect(first.at(-1)).to.equal('run-finished');
    expect(first.filter((type) => type === 'step-finished')).to.have.length(3);
  });

  it('lets what a method prints go to stderr, of threads that took the place of others too', async () => {
    const heard = { stdout: '', stderr: '' };
    const originals = (['stdout', 'stderr'] as const).map((name) => {
      const { write } = process[name];
      process[name].write = ((text: string | Uint8Array, ...rest: never[]) => {
        if (!String(text).includes('said by a method')) return write.call(process[name], text, ...rest);
        heard[name] += String(text);
        return true;
      }) as typeof write;
      return () => { process[name].write = write; };
    });
    try {
      const crashes = await method('crashes-first', 'return new Promise(() => setTimeout(() => process.exit(3)));');
      const talks = await method('talks', 'console.log("said by a method"); process.stdout.write("again said by a method"); return new Promise((done) => setTimeout(done, 200));');
      const runs = await runJobs([talks, crashes, { ...talks, identity: { ...talks.identity, seed: 7 } }], { workers: 1 });
      expect(runs.map((run) => run?.status)).to.deep.equal(['completed', 'failed', 'completed']);
    } finally {
      for (const restore of originals) restore();
    }
    expect(heard.stdout).to.equal('');
    // twice two tasks in two runs
    expect(heard.stderr.match(/said by a method/g)).to.have.length(8);
  });

  it('stops all runs where steps cannot be written: the file system is at fault, no method', async () => {
    const outDir = join(folder, 'a-file');
    await writeFile(outDir, '');
    const make = await jobMaker(outDir);
    const told: number[] = [];
    const error = await runJobs([make('zero-shot'), make('lora-sequential')], { workers: 1, onResult: (_, index) => void told.push(index) }).catch((e: unknown) => e as Error);
    expect(error).to.include({ code: 'LETHE_FILES', where: join(outDir, 'steps') }).and.property('remedy').contain('a part of it is a file');
    expect(told).to.deep.equal([]);
  });

  it('runs a method with no other code than the run began with', async () => {
    const one = await method('mended', '');
    const [run] = await runJobs([{ ...one, code: '0'.repeat(64) }], { workers: 1 });
    expect(run?.status === 'failed' && run.error.code).to.equal('LETHE_RUN_CHANGED');
  });

  it('stops before the next optimizer step and keeps what is finished', async () => {
    const outDir = join(folder, 'stopped');
    const make = await jobMaker(outDir);
    const stop = new AbortController();
    const steps: number[] = [];
    const runs = await runJobs([make('lora-sequential'), make('ewc')], {
      workers: 1, signal: stop.signal,
      listener: (event) => {
        if (event.type === 'train-progress') {
          steps.push(event.done);
          stop.abort();
        }
      },
    });
    expect(runs).to.deep.equal([null, null]);
    // what was on its way when the stop was asked for may have been a step ahead
    expect(steps.length).to.be.within(1, 2);
    expect((await readdir(join(outDir, 'steps'))).filter((name) => name.endsWith('.step'))).to.have.length(1);
    const [run] = await runJobs([make('lora-sequential')], { workers: 1 });
    expect(run?.status).to.equal('completed');
  });

  it('gives every device its threads in turn, and no more devices than threads', async () => {
    const make = await jobMaker(join(folder, 'devices'));
    const jobs = [1, 2, 3, 4, 5, 6].map((seed) => make('zero-shot', { seed }));
    const used = async (workers: number) => (await runJobs(jobs, { workers, devices: ['cpu', 'wasm'] })).map((run) => run?.environment.device);
    expect(new Set(await used(3))).to.deep.equal(new Set(['cpu', 'wasm']));
    expect(new Set(await used(1))).to.deep.equal(new Set(['cpu']));
  });

  it('does not begin when it is stopped already', async () => {
    expect(await runJobs([job('ewc', { seed: 9 })], { workers: 1, signal: AbortSignal.abort() })).to.deep.equal([null]);
  });

  it('gives the same numbers from one worker and from two', async () => {
    const results = await Promise.all([1, 2].map(async (workers) => {
      const make = await jobMaker(join(folder, `workers-${workers}`));
      return runJobs([make('lora-sequential'), make('seta', { order: '2' })], { workers });
    }));
    const [one, two] = results.map((runs) => runs.map((run) => (run?.status === 'completed' ? run.predictions : run)));
    expect(one).to.deep.equal(two);
  });
});
