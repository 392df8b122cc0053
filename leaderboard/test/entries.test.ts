import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { LetheError, Run } from '@lethe/core';
import { metricsOf } from '@lethe/metrics';
import { expect } from 'chai';
import { type Describer, type Entry, buildSite, publishRuns, readEntries } from '../src/index.js';
import { type Given, completed, describer, failed, stream, writeRun } from './fixture.js';

const fault = (promise: Promise<unknown>): Promise<LetheError> =>
  promise.then(() => expect.fail('nothing was refused'), (error: LetheError) => error);

describe('entries', () => {
  let folder: string;
  let entries: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lethe-entries-'));
    entries = join(folder, 'entries');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const publish = async (runs: readonly Run[]) => publishRuns([await writeRun(join(folder, 'run'), runs)], entries, describer);
  const commands = async (...runs: Run[]): Promise<readonly string[]> =>
    (JSON.parse(await readFile(await publish(runs), 'utf8')) as Entry).commands;
  const run = (given: Given = {}) => completed(given, stream(0.9, 0.1));
  /** Makes the numbers of a run those of its predictions, once these were changed. */
  const right = (run: any) => {
    run.matrix = run.matrix.map((row: unknown[], i: number) => row.map((_, j) => {
      const { answers, chosen } = run.predictions[run.order.tasks[j]];
      return chosen[i].filter((option: number, at: number) => option === answers[at]).length / answers.length;
    }));
    run.metrics = metricsOf(run.matrix, run.general);
  };

  it('are read as they were published, failed runs and all', async () => {
    const runs = [run({ method: 'ewc', options: { lambda: 2000, gamma: 1 } }), failed({ method: 'lora' })];
    const path = await publish(runs);
    const [{ file, entry }] = await readEntries(entries) as [{ file: string; entry: Entry }];
    expect(join(entries, file)).to.equal(path);
    expect(entry.results.runs).to.deep.equal(runs);
    expect(entry.methods).to.have.all.keys('ewc');
  });

  it('are published once, and leave nothing half written', async () => {
    await publish([run()]);
    expect((await fault(publish([run()]))).code).to.equal('LETHE_ENTRY_EXISTS');
    await publish([run({ seed: 2 })]);
    expect((await readdir(entries)).every((name) => name.endsWith('.json') && !name.startsWith('.'))).to.equal(true);
    expect(await readEntries(entries)).to.have.length(2);
  });

  it('name a command with what differs from the defaults only', async () => {
    expect(await commands(
      run({ method: 'ewc', options: { lambda: 500, gamma: 1 } }), run({ method: 'ewc', options: { lambda: 500, gamma: 1 }, seed: 2 }),
    )).to.deep.equal(['lethe run domains --size mini --methods ewc --orders 1 --seeds 1,2 --model nano --set ewc.lambda=500']);
  });

  it('say where seeds make no difference, as where one run is there under several', async () => {
    const said: string[] = [];
    const one = run({ method: 'ewc', options: { lambda: 500, gamma: 1 } });
    await publishRuns([await writeRun(join(folder, 'run'), [one, { ...one, seed: 2 }])], entries, describer, { note: (text) => said.push(text) });
    expect(said.join()).to.contain('ewc: in order 1 seeds 1, 2 give the same answers');
    await buildSite(entries, join(folder, 'site'), describer);
    const pages = (await readdir(join(folder, 'site'), { recursive: true })).filter((page) => /ewc[^/]*\.html$/.test(page));
    expect(await Promise.all(pages.map((page) => readFile(join(folder, 'site', page), 'utf8'))).then((texts) => texts.join())).to.contain('Of its runs, in order 1 seeds 1, 2 give the same answers');
  });

  it('name all GPUs that runs were made on, and no device of another kind', async () => {
    const on = (device: string, seed: number) => run({ seed, environment: { device } });
    const [gpus] = await commands(on('cuda:1', 1), on('cuda:0', 2), on('cuda:1', 3));
    expect(gpus).to.contain(' --device cuda:0,cuda:1');
    const [first] = await commands(on('webgpu', 1), on('cuda:0', 2));
    expect(first).to.contain(' --device webgpu').and.not.contain('cuda');
  });

  it('name the prompts and the budget that were not those of the suite, in the command and in the file', async () => {
    const leaky = run({ suite: { prompts: 'leaky' } });
    expect(await commands(leaky)).to.deep.equal(['lethe run domains --size mini --prompts leaky --methods lora --orders 1 --seeds 1 --model nano']);
    expect((await fault(publish([leaky, run()]))).message).to.contain('several suites');
    expect((await readdir(entries))[0]).to.contain('--mini--leaky-prompts--nano--');
    const changed = run({ suite: { changed: { rank: 2, sites: ['q', 'v'] } }, training: { rank: 2, sites: ['q', 'v'] } });
    expect(await commands(changed)).to.deep.equal(['lethe run domains --size mini --training rank=2 --training sites=q,v --methods lora --orders 1 --seeds 1 --model nano']);
    expect((await fault(publish([changed, run()]))).message).to.contain('several suites');
    expect((await readdir(entries)).find((name) => name.includes('rank'))).to.contain('--mini--rank-2--sites-q-v--nano--');
  });

  it('name all options of a method whose defaults are not known, quoted for a shell and for --set', async () => {
    const options = { a: 'true', b: "it's", c: true, d: [1, 2] };
    expect(await commands(run({ method: 'own', options, suite: { size: 'full' }, environment: { device: 'cuda:0', threads: 2, microBatch: 4 } }))).to.deep.equal([
      `lethe run domains --methods own --orders 1 --seeds 1 --model nano --device cuda:0 --threads 2 --micro-batch 4 --set 'own.a="true"' --set 'own.b=it'\\''s' --set own.c=true --set 'own.d=[1,2]'`,
    ]);
  });

  it('name a command for each set of options that a method ran with', async () => {
    expect(await commands(
      run(), run({ method: 'ewc', options: { lambda: 2000, gamma: 1 } }), run({ method: 'ewc', options: { lambda: 1, gamma: 1 } }),
    )).to.deep.equal([
      'lethe run domains --size mini --methods lora,ewc --orders 1 --seeds 1 --model nano',
      'lethe run domains --size mini --methods ewc --orders 1 --seeds 1 --model nano --set ewc.lambda=1',
    ]);
  });

  it('are made of the parts of one benchmark, an entry among them, as if it had run at once', async () => {
    const parts = [[run(), run({ method: 'b' })], [run({ seed: 2 }), run({ method: 'b', seed: 2 }), run()]];
    const first = await publish(parts[0]!);
    const united = await publishRuns([first, await writeRun(join(folder, 'more'), parts[1]!)], entries, describer);
    const { commands: [command], results: { runs } } = JSON.parse(await readFile(united, 'utf8')) as Entry;
    expect(runs.map(({ method, seed }) => [method.id, seed])).to.deep.equal([['lora', 1], ['b', 1], ['lora', 2], ['b', 2]]);
    expect(command).to.contain('--methods lora,b --orders 1 --seeds 1,2');
    expect(await readEntries(entries)).to.have.length(2);
  });

  it('count a failure once, in whatever folders its plugin lay', async () => {
    const at = (place: string) => {
      const one = failed({ method: 'b' });
      return { ...one, error: { ...one.error, where: `/${place}/b/index.js`, remedy: `Mend /${place}/b.` } };
    };
    const parts = await Promise.all(['here', 'there'].map((place) => writeRun(join(folder, place), [run(), at(place)])));
    const { results: { runs } } = JSON.parse(await readFile(await publishRuns(parts, entries, describer), 'utf8')) as Entry;
    expect(runs.map(({ method, status }) => [method.id, status])).to.deep.equal([['lora', 'completed'], ['b', 'failed']]);
  });

  it('keep what an entry among the parts says of methods whose plugins are no longer at hand', async () => {
    const notes: string[] = [];
    const old = await publish([run(), run({ method: 'ewc', options: { lambda: 2000, gamma: 1 } })]);
    const path = await publishRuns([old, await writeRun(join(folder, 'new'), [run({ method: 'c' })])], entries, { ...describer, method: () => undefined }, { note: (text) => notes.push(text) });
    const [before, after] = await Promise.all([old, path].map(async (file) => (JSON.parse(await readFile(file, 'utf8')) as Entry).methods));
    expect(after).to.deep.equal(before).and.have.all.keys('ewc');
    expect(notes).to.have.length(1);
    expect(notes[0]).to.contain('what lora 1.0.0, c 1.0.0 is').and.contain('--plugins DIR');
  });

  it('leave out what a newer version of a method takes the place of, and say so', async () => {
    const notes: string[] = [];
    const old = await publish([run(), run({ method: 'b' })]);
    const newer = run({ method: 'b' });
    const path = await publishRuns([old, await writeRun(join(folder, 'new'), [{ ...newer, method: { ...newer.method, version: '1.1.0' } }])],
      entries, describer, { note: (text) => notes.push(text) });
    const { results: { runs } } = JSON.parse(await readFile(path, 'utf8')) as Entry;
    expect(runs.map(({ method }) => [method.id, method.version])).to.deep.equal([['lora', '1.0.0'], ['b', '1.1.0']]);
    expect(notes[0]).to.equal('left out: b 1.0.0, of which a newer version is there');
  });

  it('are refused of parts that do not belong together', async () => {
    const united = async (...others: Run[]) => fault(publishRuns([
      await writeRun(join(folder, 'a'), [run(), run({ seed: 2 })]), await writeRun(join(folder, 'b'), others)], entries, describer));
    expect(await united(completed({ seed: 2 }, stream(0.8, 0.1)))).to.include({ code: 'LETHE_RUN_AMBIGUOUS' })
      .and.have.property('message').that.contains('lora, order 1, seed 2 is there 2 times');
    expect((await united(run({ method: 'b' }))).code).to.equal('LETHE_RUN_STOPPED');
    expect((await united(run({ seed: 3, training: { rank: 16 } }))).message).to.contain('budgets');
    expect((await united(run({ seed: 3, environment: { dataSha256: { other: 'f'.repeat(64) } } }))).message).to.contain('same rows');
    expect((await fault(readEntries(entries))).code).to.equal('LETHE_RUN_MISSING');
  });

  it('are refused of a part of a run, of several suites, and of none', async () => {
    expect((await fault(publish([run(), run({ seed: 2 }), run({ method: 'b' })]))).code).to.equal('LETHE_RUN_STOPPED');
    expect((await fault(publish([run(), run({ suite: { version: '2.0.0' } })]))).code).to.equal('LETHE_RESULTS_INVALID');
    expect((await fault(publish([]))).code).to.equal('LETHE_RESULTS_INVALID');
    expect((await fault(publish([run({ suite: { scored: 'validation' } })]))).message).to.contain('validation rows');
    expect((await fault(publishRuns([join(folder, 'none')], entries, describer))).code).to.equal('LETHE_RUN_MISSING');
  });

  it('are refused where a run contradicts the others, though all of its own numbers agree', async () => {
    const forgeries: [string, (run: any) => void][] = [
      ['other right answers in law', (run) => { run.predictions.law.answers = run.predictions.law.chosen.at(-1); }],
      ['start from other predictions in news', (run) => { run.predictions.news.chosen[0] = run.predictions.news.chosen[0].map(() => 1); }],
      ['names rows of facts, and was not scored on them', (run) => { run.general = { base: {}, final: {} }; delete run.predictions.facts; }],
      ['has other tasks than', (run) => { run.order = { ...run.order, tasks: ['news', 'law', 'med'] }; }],
      ['does not say which rows of law', (run) => { run.environment = { ...run.environment, dataSha256: { facts: run.environment.dataSha256.facts } }; }],
    ];
    for (const [message, forge] of forgeries) {
      const runs: any[] = structuredClone([run(), run({ method: 'b' })]);
      // what the rows are must be forged in all runs: that they differ is found before
      for (const forged of message.includes('which rows') ? runs : [runs[1]]) {
        forge(forged);
        right(forged);
      }
      const error = await fault(publish(runs as Run[]));
      expect([error.code, error.message]).to.satisfy(([code, text]: string[]) => code === 'LETHE_RESULTS_INVALID' && text!.includes(message), `${message}: ${error.message}`);
    }
    // one row of many may fall otherwise on another processor
    const runs: any[] = structuredClone([run(), run({ method: 'b' })]);
    runs[1].predictions.law.chosen[0][39] = 0;
    right(runs[1]);
    const files = [await publish(runs as Run[])];
    // alone in its file it contradicts nothing but the other entries of its table
    const alone: any = structuredClone(run({ method: 'c' }));
    alone.predictions.news.chosen[0] = alone.predictions.news.chosen[0].map(() => 1);
    right(alone);
    files.push(await publish([alone]));
    const error = await fault(buildSite(entries, join(folder, 'site')));
    expect(error).to.include({ code: 'LETHE_RESULTS_INVALID' }).and.have.property('message').that.contains('start from other predictions in news');
    for (const file of files) expect(error.where).to.contain(basename(file));
  });

  it('may hold runs that differ in one of fifty predictions of the untouched model, and in no more', async () => {
    const differing = (count: number) => {
      const runs: any[] = structuredClone([run(), run({ method: 'b' })]);
      const long = (rows: readonly number[]) => Array.from({ length: 200 }, (_, at) => rows[at % rows.length]!);
      for (const { predictions } of runs) {
        for (const task of Object.values<any>(predictions)) Object.assign(task, { answers: long(task.answers), chosen: task.chosen.map(long) });
      }
      runs[1].predictions.law.chosen[0].fill(0, 200 - count);
      right(runs[1]);
      return publish(runs);
    };
    await differing(4);
    expect((await fault(differing(5))).message).to.contain('start from other predictions in law, before anything was trained: 5 of 200');
  });

  it('are refused where they say other things of a method than its plugin', async () => {
    const ewc = (capabilities = {}) => run({ method: 'ewc', options: { lambda: 500, gamma: 1 }, capabilities });
    expect((await fault(publish([ewc({ bound: true })]))).message).to.contain('other capabilities of ewc');
    const joint = completed({ method: 'ewc', options: { lambda: 500, gamma: 1 }, capabilities: { bound: true } }, stream(0.9, 0.1).map((row, i) => (i === 1 || i === 2 ? row.map(() => null) : row)));
    const bound: Describer = { ...describer, method: (id, version) => ({ ...describer.method(id, version)!, capabilities: () => joint.method.capabilities }) };
    const hidden = publishRuns([await writeRun(join(folder, 'joint'), [joint])], entries, bound);
    expect((await fault(hidden)).message).to.contain('other points of the stream of ewc');
    const path = await publish([ewc()]);
    const entry = JSON.parse(await readFile(path, 'utf8'));
    entry.methods.ewc.defaults.lambda = 500;
    entry.commands[0] = entry.commands[0].replace(' --set ewc.lambda=500', '');
    await writeFile(path, JSON.stringify(entry));
    await readEntries(entries);
    expect((await fault(readEntries(entries, describer))).message).to.contain('other defaults of ewc');
    expect((await fault(buildSite(entries, join(folder, 'site'), describer))).where).to.equal(path);
  });

  it('are refused with file and pointer where they were doctored, and no page is written', async () => {
    const path = await publish([run(), run({ options: { x: 1 } })]);
    const whole = await readFile(path, 'utf8');
    for (const [pointer, edit] of [
      ['/results/runs/1/matrix/3/0', (e) => { e.results.runs[1].matrix[3][0] = 1; }],
      ['/results/runs/0/metrics/averageAccuracy', (e) => { e.results.runs[0].metrics.averageAccuracy = 0.99; }],
      ['/results/runs/0/general/final/facts', (e) => { e.results.runs[0].general.final.facts = 1; }],
      ['/results/sha256', (e) => { e.results.runs[0].seed = 7; }],
      ['/results/runs/2', (e) => { e.results.runs.push(e.results.runs[0]); }],
      ['/results/runs/0/method', (e) => { delete e.results.runs[0].method.capabilities; }],
      ['/commands/0', (e) => { e.commands[0] += ' && echo'; }],
      ['/commands/2', (e) => { e.commands.push('true'); }],
      ['/commands', (e) => { e.commands.pop(); }],
      ['/note', (e) => { e.note = 'best'; }],
    ] as readonly [string, (entry: any) => void][]) {
      const entry = JSON.parse(whole);
      edit(entry);
      await writeFile(path, JSON.stringify(entry));
      const error = await fault(buildSite(entries, join(folder, 'site')));
      expect([error.code, error.where]).to.deep.equal(['LETHE_RESULTS_INVALID', `${path}#${pointer}`]);
    }
    await writeFile(path, '{');
    expect((await fault(readEntries(entries))).where).to.equal(path);
    expect(await readdir(folder)).to.have.members(['entries', 'run']);
  });
});
