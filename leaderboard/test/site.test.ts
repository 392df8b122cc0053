import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LetheError } from '@lethe/core';
import { expect } from 'chai';
import { buildSite, publishRuns } from '../src/index.js';
import { completed, describer, failed, stream, writeRun } from './fixture.js';
import { siteOfTest } from './site-of-test.js';

describe('the site', () => {
  const { path, publish, build, read, pages, comparison } = siteOfTest();

  it('calls one order with one seed a run on every page: trials are those of tuning', async () => {
    await publish('run', [completed({ method: 'ewc' }, stream(0.9, 0.1)), completed({ method: 'ewc', seed: 2 }, stream(0.9, 0.1)), completed({}, stream(0.9, 0.1)), failed({ seed: 2 })]);
    await build();
    const [index, board] = [await read('index.html'), await comparison()];
    expect(index).to.contain('</strong>runs, 1 failed').and.contain('4 runs of 2 methods');
    expect(board).to.contain('4 runs of 2 methods').and.contain('<span class="tag">2 runs</span>');
    const others = await Promise.all((await pages('-1.0.0')).map(read));
    expect(others).to.have.length(7);
    for (const page of [index, ...others]) expect(page).not.to.match(/\btrials?\b/i);
  });

  it('has a page for every method and run, of which failed ones say why', async () => {
    await publish('run', [completed({ method: 'ewc', options: { lambda: 500, gamma: 1 } }, stream(0.9, 0.1)), failed({ method: 'lora' }, 'NaN <here>')]);
    expect(await build()).to.include({ entries: 1, pages: 6 });
    expect(await read('index.html')).to.contain('1 failed').and.contain('>80.0').and.contain('<math');
    expect(await comparison()).to.contain('1 failed').and.contain('>80.0').and.contain('lambda=500');
    const [failure] = await pages('lora-order');
    expect(await read(failure!)).to.contain('LETHE_ENGINE_NUMBERS').and.contain('NaN &lt;here&gt;').and.contain('lethe run domains --size mini --methods lora');
    const [run] = await pages('ewc-order');
    expect(await read(run!)).to.contain('--set ewc.lambda=500').and.contain('default 2000').and.contain('a'.repeat(40)).and.contain('<svg class="curve"');
  });

  it('gives durations in the unit that suits them, how a method grows, and of a commit whether files were changed', async () => {
    const runs = [5, 50, 600, 9000].map((trainSeconds, i) => {
      const run = completed({ seed: i + 1, capabilities: { growth: 'sublinear' }, environment: { git: `${'b'.repeat(40)}-dirty` } }, stream(0.9, 0.1));
      return { ...run, cost: { ...run.cost, trainSeconds } };
    });
    await publish('run', [...runs, ...runs.map((run) => ({ ...run, method: { ...run.method, id: 'steps', capabilities: { ...run.method.capabilities, growth: 'linear' as const } } }))]);
    await build();
    const page = await read((await pages('lora-1.0.0'))[0]!);
    for (const duration of ['5.0 s', '50 s', '10 min', '2.5 h']) expect(page).to.contain(`<td>${duration}</td>`);
    expect(await comparison()).to.contain('grows sublinearly').and.contain('grows linearly').and.contain(`${'b'.repeat(12)}-dirty`).and.not.contain('b'.repeat(13));
  });

  it('says with every run how it is made again and compared, where its name means it alone', async () => {
    const of = (method: string, seed: number, options = {}) => completed({ method, seed, options }, stream(0.9, 0.1));
    await publish('run', [1, 2].flatMap((seed) => [of('ewc', seed), of('lora', seed), of('lora', seed, { rate: 2 }), failed({ method: 'seta', seed })]));
    await build();
    const [file] = await readdir(path('entries'));
    expect(await comparison()).to.contain(`<code>lethe reproduce leaderboard/entries/${file} --draw 7</code>`);
    const ewc = await Promise.all((await pages('ewc-order')).map(read));
    expect(ewc.map((page) => /lethe reproduce (.*?)<\/code>/.exec(page)?.[1]).sort()).to.deep.equal(
      [1, 2].map((seed) => `leaderboard/entries/${file} --method ewc --order 1 --seed ${seed}`));
    expect(await read((await pages('seta-order'))[0]!), 'a failed run').to.contain('--method seta --order 1 --seed ');
    for (const page of await pages('lora-order')) expect(await read(page)).not.to.contain('lethe reproduce');
  });

  it('shows what a method says it learned as tables, shaded where they have a scale', async () => {
    const axis = (title: string, ...names: string[]) => ({ title, names });
    const report = [{
      title: 'Overlap', unit: 'share of <atoms>', rows: axis('task', '1 law', '2 news'), columns: axis('task', '1 law', '2 news'), scale: [0, 4],
      cells: [[4, 0.5], [null, 3]],
    }, { title: 'Growth', rows: axis('task', '1 law'), columns: axis('after', 'kind'), cells: [['few']] }] as const;
    await publish('run', [{ ...completed({ method: 'new' }, stream(0.9, 0.1)), report }]);
    await build();
    expect(await read((await pages('new-order'))[0]!)).to.contain('share of &lt;atoms&gt;').and.contain('<td class="h d" style="--s:100%">4</td>').and.contain('style="--s:13%">0.500</td>')
      .and.contain('<td>–</td>').and.contain('<td>few</td>');
  });

  it('shows the settings among which the options of a method were chosen', async () => {
    const { suite, model, training, order } = completed({}, stream(0.9, 0.1));
    const tried = (lambda: number, ...accuracies: number[]) => ({ options: { lambda, gamma: 1 }, accuracies });
    const publishTuned = async (on: Partial<typeof suite>) => {
      await publishRuns([await writeRun(path('run'), [
        completed({ method: 'ewc', options: { lambda: 500, gamma: 1 } }, stream(0.9, 0.1)), completed({}, stream(0.9, 0.1)),
      ], {
        suite: { ...suite, size: 'quick', scored: 'validation', ...on }, model, training, orders: [order.id], seeds: [8, 9],
        methods: [{ id: 'ewc', version: '1.0.0', trials: [tried(2000, 0.4, 0.5), tried(500, 0.7, 0.75)], chosen: 1 }],
      })], path('entries'), describer);
      await build();
    };
    await publishTuned({});
    const [tuned] = await pages('ewc-1.0.0');
    const page = await read(tuned!);
    expect(page).to.not.contain('carried over');
    expect(page).to.match(/The first setting is the\s+defaults, but for options that were given in every trial/);
    expect(page).to.contain('size quick').and.contain('seeds 8, 9').and.contain('2 settings were tried').and.not.contain('gamma=1</td>');
    expect(page).to.match(/lambda=2000<\/td>\s*<td>45\.0/).and.match(/lambda=500 <span class="tag">chosen<\/span><\/td>\s*<td>72\.5/);
    expect(page).to.match(/lethe reproduce leaderboard\/entries\/[\w.-]+\.json --trials --method ewc</);
    const [plain] = await pages('lora-1.0.0');
    expect(await read(plain!)).not.to.contain('id="tuning"');
    await rm(path('entries'), { recursive: true });
    await publishTuned({ id: 'elsewhere' });
    expect(await read((await pages('ewc-1.0.0'))[0]!)).to.contain('elsewhere 1.0.0, size quick').and.contain('carried over');
    await rm(path('entries'), { recursive: true });
    await publishTuned({ prompts: 'leaky' });
    expect(await read((await pages('ewc-1.0.0'))[0]!)).to.contain('domains 1.0.0, size quick, leaky prompts').and.contain('carried over');
  });

  it('says of written answers their mean score and no number of right ones', async () => {
    const run = completed({}, stream(0.9, 0.1));
    const law = run.predictions['law'] as { answers: number[]; chosen: (number[] | null)[] };
    const written = law.chosen.map((step) => step!.map((option) => (option === 0 ? 'b' : 'c')));
    const predictions = { ...run.predictions, law: { scorer: 'exact-match', references: law.answers.map(() => ['b']), written } };
    await publish('written', [{ ...run, predictions }]);
    await build();
    const [page] = await pages('-order-');
    expect(await read(page!)).to.match(/law<\/th><td>40<\/td><td>–<\/td>\s*<td>70\.0<\/td>/).and.match(/news<\/th><td>40<\/td><td>32<\/td>/);
  });

  it('shows joint training as one step', async () => {
    await publish('run', [completed({ method: 'joint', capabilities: { bound: true } }, [[0.25, 0.25, 0.25], [null, null, null], [null, null, null], [0.9, 0.9, 0.9]])]);
    await build();
    const [run] = await pages('joint-order');
    expect(await read(run!)).to.contain('after all tasks').and.contain('trained at once').and.not.contain('after law');
  });

  it('escapes what comes from entries, in names of files too', async () => {
    const evil = '"><img src=x onerror=alert(1)>/../..';
    await publish('run', [completed({ method: evil, order: evil, tasks: [evil, 'b'], options: { [evil]: evil }, suite: { id: evil }, model: evil }, [[0, 0], [1, 0], [1, 1]])]);
    await build();
    for (const name of ['index.html', ...await pages('img')]) expect(await read(name)).not.to.contain('<img');
    expect(await readdir(path())).to.have.members(['run', 'entries', 'site']);
  });

  it('replaces an earlier site as a whole, and nothing else', async () => {
    await publish('run', [completed({ method: 'old' }, stream(0.9, 0.1))]);
    await build();
    await rm(path('entries'), { recursive: true });
    await publish('other', [completed({ method: 'new' }, stream(0.9, 0.1))]);
    await build();
    expect(await pages('old')).to.deep.equal([]);
    expect(await pages('new')).to.have.length(2);
    await mkdir(path('home'));
    await writeFile(path('home', 'thesis.txt'), 'mine');
    for (const rest of ['part', 'old']) await mkdir(join(path(`site.${process.pid}.${rest}`), 'entries'), { recursive: true });
    await build();
    const refused = await buildSite(path('entries'), path('home')).catch((error: LetheError) => error);
    expect((refused as LetheError).code).to.equal('LETHE_USAGE');
    expect(await readdir(path('home'))).to.deep.equal(['thesis.txt']);
  });

  it('is the same for the same entries', async () => {
    await publish('run', ['a', 'b'].flatMap((method) => [1, 2].map((seed) => completed({ method, seed }, stream(0.9, seed / 20)))));
    await build();
    const first = [await read('index.html'), await comparison()];
    await build();
    expect([await read('index.html'), await comparison()]).to.deep.equal(first);
    expect(first[1]).to.contain('class="chart"');
  });

  it('is a page without entries, in the place of no site that has some', async () => {
    const refused = () => build().then(() => null, ({ code, message }: LetheError) => `${code} ${message}`);
    expect(await refused()).to.equal('LETHE_RUN_MISSING There is no folder of entries here.');
    expect(await readdir(path())).to.deep.equal([]);
    await mkdir(path('entries'));
    await build();
    expect(await read('index.html')).to.contain('no entries yet');
    await publish('run', [completed({ method: 'a' }, stream(0.9, 0.1))]);
    await build();
    const shown = await read('index.html');
    for (const name of await readdir(path('entries'))) await rm(path('entries', name));
    expect(await refused()).to.match(/^LETHE_USAGE There are no entries in this folder, .* shows 1/);
    expect(await read('index.html')).to.equal(shown);
    expect(await readdir(path())).to.have.members(['entries', 'run', 'site']);
  });
});
