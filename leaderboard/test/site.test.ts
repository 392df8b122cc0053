import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LetheError, Run } from '@lethe/core';
import { expect } from 'chai';
import { buildSite, publishRuns } from '../src/index.js';
import { completed, describer, failed, stream, writeRun } from './fixture.js';

describe('the site', () => {
  let folder: string;
  const path = (...parts: string[]) => join(folder, ...parts);
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'lethe-site-')); });
  afterEach(() => rm(folder, { recursive: true }));

  const publish = async (name: string, runs: readonly Run[]) => publishRuns([await writeRun(path(name), runs)], path('entries'), describer);
  const build = () => buildSite(path('entries'), path('site'));
  const read = (file: string) => readFile(path('site', file), 'utf8');
  /** The pages below the first one, by a part of their names. */
  const pages = async (part: string) => (await readdir(path('site'), { recursive: true })).filter((name) => /.+\/.+\.html$/.test(name) && name.includes(part));
  /** The pages of comparisons. */
  const comparisons = async () => Promise.all((await pages('/index.html')).sort().map(read));
  /** The page of the only comparison. */
  const comparison = async () => {
    const [page, ...others] = await comparisons();
    expect(others).to.have.length(0);
    return page!;
  };

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

  it('has the parameters that predictions need in the table, and says which time it is', async () => {
    const run = completed({}, stream(0.9, 0.1));
    await publish('run', [{ ...run, cost: { ...run.cost, addedParameters: 777 } }]);
    await build();
    const board = await comparison();
    expect(board).to.contain('<span>Added</span><small>parameters</small>').and.match(/<td data-value="12288">12\.3 k<\/td><td data-value="777">777<\/td><td data-value="49152">/);
    expect(board).to.contain('those that predictions need besides the model in the end').and.match(/time of training without\s+that of scoring/);
    expect(await read((await pages('-order-'))[0]!)).to.contain('<dt>Added parameters</dt><dd>777</dd>');
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

  it('says that bounds are bounds and ranks none', async () => {
    const runs = [0, 1].flatMap((i) => [
      completed({ method: 'oracle', capabilities: { bound: true }, seed: i + 1 }, stream(1, 0)),
      completed({ method: 'a', seed: i + 1 }, stream(0.9, 0)), completed({ method: 'b', seed: i + 1 }, stream(0.5, 0)),
    ]);
    await publish('run', runs);
    await build();
    const [, rivals, bounds] = /<tbody>(.*?)<\/tbody><tbody class="bounds">(.*?)<\/tbody>/s.exec(await comparison())!;
    expect(rivals).to.contain('a-1.0.0').and.match(/<td class="rank" data-value="1.002">1–2</).and.not.contain('oracle');
    expect(bounds).to.contain('oracle').and.contain('>bound<').and.contain('<td class="rank" data-value="">–</td>');
  });

  it('says that a few runs cannot show any difference, and how many could; and what more of them show', async () => {
    const runs = (count: number) => Array.from({ length: count }, (_, i) => [
      completed({ method: 'a', seed: i + 1 }, stream(0.9, 0)), completed({ method: 'b', seed: i + 1 }, stream(0.5, 0)),
    ]).flat();
    await publish('few', runs(5));
    await build();
    expect(await comparison()).to.contain('These runs cannot show').and.contain('1 paired test over 5 pairs')
      .and.match(/that takes\s+6 pairs, 1 more run of/).and.contain('<span class="pm">p 0.063</span> <span class="pm">6 pairs</span>').and.not.contain('class="more"');
    await rm(path('entries'), { recursive: true });
    await publish('many', runs(8));
    await build();
    expect(await comparison()).to.contain('<strong>1 of 1 difference</strong>').and.contain('is shown at level 0.05').and.contain('class="more"').and.contain('class="less"');
  });

  it('names the columns of differences by methods alone, with options where two are of one', async () => {
    const of = (method: string, options: Record<string, unknown>, score: number) => [1, 2].map((seed) => completed({ method, options, seed }, stream(score, 0)));
    await publish('run', [...of('a', { rate: 0.5 }, 0.9), ...of('b', { rate: 0.25 }, 0.7), ...of('b', { rate: 1 }, 0.5)]);
    await build();
    const [, heads] = /<th scope="col" class="name">Row minus column<\/th>(.*?)<\/tr>/.exec(await comparison())!;
    expect([...heads!.matchAll(/>([^<>]+)</g)].map(([, head]) => head)).to.deep.equal(['a', 'b rate=0.25', 'b rate=1']);
  });

  it('never puts scores under different prompts or budgets into one table, and says which they are', async () => {
    await publish('own', [completed({}, stream(0.9, 0.1))]);
    await publish('leaky', [completed({ suite: { prompts: 'leaky' } }, stream(0.95, 0))]);
    await publish('wide', [completed({ suite: { changed: { rank: 48 } }, training: { rank: 48 } }, stream(0.95, 0))]);
    await build();
    const boards = await comparisons();
    expect(boards).to.have.length(3);
    expect(boards.filter((board) => board.includes('<span class="tag">leaky prompts</span>'))).to.have.length(1);
    expect(boards.filter((board) => board.includes('<span class="tag">rank 48</span>'))).to.have.length(1);
    expect(await read((await pages('leaky'))[0]!)).to.contain('domains 1.0.0, size mini, leaky prompts');
  });

  it('shows methods by comparisons at a glance: who may be first where not all may, what a comparison has not, and bounds apart', async () => {
    const of = (suite: string, skills: Record<string, number>) => Object.entries(skills).flatMap(([method, skill]) => [1, 2, 3, 4, 5, 6, 7, 8].map((seed) =>
      completed({ method, seed, suite: { id: suite }, capabilities: { bound: method === 'oracle', rehearsal: method === 'store' } }, stream(skill, 0))));
    await publish('one', of('one', { a: 0.9, b: 0.7, store: 0.4, oracle: 1 }));
    await publish('two', of('two', { b: 0.8, c: 0.8 }));
    await build();
    const index = await read('index.html');
    const table = /<table class="board glance sortable">.*?<\/table>/s.exec(index)![0];
    const cells = (row: string) => [...row.matchAll(/<td( class="first")?[^>]*>(?:<a href="([^"]*)">([\d.]+).*?<\/a>(?:<span class="pm">(rank [\d–]+)<\/span>)?)?(?: <span class="tag warn".*?<\/span>)*<\/td>/g)]
      .map(([, first, href, mean, rank]) => [first !== undefined, href?.replace(/-[0-9a-f]{6}\.html$/, ''), mean, rank]);
    const rows = [...table.matchAll(/<tr><th scope="row" class="name" data-value="(\w+)">(.*?)<\/tr>/gs)].map(([, name, row]) => [name, cells(row!)]);
    const none = [false, undefined, undefined, undefined];
    const slugs = [...index.matchAll(/<li><a href="([^"]*)\/index.html">/g)].map(([, slug]) => slug);
    expect(slugs).to.have.length(2);
    const at = (comparison: number, method: string) => `${slugs[comparison]}/${method}-1.0.0`;
    expect(rows).to.deep.equal([
      ['a', [[true, at(0, 'a'), '90.0', 'rank 1'], none]],
      ['b', [[false, at(0, 'b'), '70.0', 'rank 2'], [false, at(1, 'b'), '80.0', 'rank 1–2']]],
      ['store', [[false, at(0, 'store'), '40.0', 'rank 3'], none]],
      ['c', [none, [false, at(1, 'c'), '80.0', 'rank 1–2']]],
      ['oracle', [[false, at(0, 'oracle'), '100.0', undefined], none]],
    ]);
    expect(table).to.match(/data-value="store">store\s*<span class="tags"><span class="tag">keeps rows</).and.match(/<tbody class="bounds"><tr><th[^>]*data-value="oracle"/);
    expect(index).to.contain('First: <strong>a</strong>').and.not.contain('Share the first place');
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

  it('ends an interval where scores end', async () => {
    await publish('run', [1, 2, 3].map((seed) => completed({ seed }, stream(seed === 2 ? 0.9 : 1, 0))));
    await build();
    for (const page of ['index.html', ...await pages('lora-1.0.0'), ...await pages('/index.html')]) expect(await read(page)).to.match(/\d to 100\.0</).and.not.match(/to 1[0-9]{2}\.[1-9]/);
  });

  it('gives one run no interval and no rank', async () => {
    await publish('run', [completed({}, stream(0.9, 0.1))]);
    await build();
    expect(await comparison()).to.contain('1 run<').and.contain('<td class="rank" data-value="">–</td>').and.not.contain('class="pm"');
  });

  it('shows joint training as one step', async () => {
    await publish('run', [completed({ method: 'joint', capabilities: { bound: true } }, [[0.25, 0.25, 0.25], [null, null, null], [null, null, null], [0.9, 0.9, 0.9]])]);
    await build();
    const [run] = await pages('joint-order');
    expect(await read(run!)).to.contain('after all tasks').and.contain('trained at once').and.not.contain('after law');
  });

  it('says where a run is there with several outcomes, which nobody could tell from its mean', async () => {
    await publish('one', [completed({}, stream(0.9, 0.1)), completed({ seed: 2 }, stream(0.9, 0.1))]);
    await build();
    for (const name of ['index.html', ...await pages('lora')]) expect(await read(name)).not.to.contain('outcomes');
    await publish('other', [completed({}, stream(0.3, 0.1)), completed({ seed: 2 }, stream(0.9, 0.1))]);
    await build();
    for (const page of [await read('index.html'), await comparison()]) expect(page).to.contain('outcomes differ');
    const [method] = (await pages('lora')).filter((name) => !name.includes('order'));
    expect((await read(method!)).replace(/\s+/g, ' ')).to.contain('1 run of 2 is there with several outcomes, whose mean counts: order 1, seed 1 (domains-');
  });

  it('escapes what comes from entries, in names of files too', async () => {
    const evil = '"><img src=x onerror=alert(1)>/../..';
    await publish('run', [completed({ method: evil, order: evil, tasks: [evil, 'b'], options: { [evil]: evil }, suite: { id: evil }, model: evil }, [[0, 0], [1, 0], [1, 1]])]);
    await build();
    for (const name of ['index.html', ...await pages('img')]) expect(await read(name)).not.to.contain('<img');
    expect(await readdir(folder)).to.have.members(['run', 'entries', 'site']);
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

  it('names bounds that are next to each other together in the plot, and others apart', async () => {
    const rivals = ['a', 'b'].map((method) => completed({ method }, stream(0.6, 0.1)));
    const bounds = ([['high', 0.62], ['next', 0.615], ['low', 0.4]] as const).map(([method, skill]) => completed({ method, capabilities: { bound: true } }, stream(skill, 0)));
    await publish('run', [...rivals, ...bounds]);
    await build();
    const [plot] = /<div class="broad">[^]*?<\/svg>/.exec(await comparison())!;
    expect([...plot.matchAll(/>([^<>]*(?:high|next|low)[^<>]*)<\/text>/g)].map(([, text]) => text)).to.deep.equal(['high, next', 'low']);
  });

  it('draws the score of the tasks learned so far, and of what learns them at once the end alone', async () => {
    const atOnce = [[0.25, 0.25, 0.25], [null, null, null], [null, null, null], [0.9, 0.9, 0.9]];
    await publish('run', [
      completed({ method: 'a' }, stream(0.9, 0.1)), completed({ method: 'b' }, stream(0.5, 0.2)),
      completed({ method: 'joint', capabilities: { bound: true } }, atOnce),
    ]);
    await build();
    const page = await comparison();
    // 0.9; 0.8 and 0.9; 0.7, 0.8 and 0.9
    expect(page).to.contain('joint: –, –, 90.0; a: 90.0, 85.0, 80.0; b: 50.0, 40.0, 30.0');
    const drawings = [...page.matchAll(/<svg[^>]*>[^]*?<\/svg>/g)].map(([svg]) => svg).filter((svg) => svg.includes('Tasks learned'));
    expect(drawings, 'for broad and for narrow screens').to.have.length(2);
    for (const name of ['joint', 'a', 'b']) expect(drawings[0]).to.contain(`>${name}</text>`);
  });

  it('is a page without entries, in the place of no site that has some', async () => {
    const refused = () => build().then(() => null, ({ code, message }: LetheError) => `${code} ${message}`);
    expect(await refused()).to.equal('LETHE_RUN_MISSING There is no folder of entries here.');
    expect(await readdir(folder)).to.deep.equal([]);
    await mkdir(path('entries'));
    await build();
    expect(await read('index.html')).to.contain('no entries yet');
    await publish('run', [completed({ method: 'a' }, stream(0.9, 0.1))]);
    await build();
    const shown = await read('index.html');
    for (const name of await readdir(path('entries'))) await rm(path('entries', name));
    expect(await refused()).to.match(/^LETHE_USAGE There are no entries in this folder, .* shows 1/);
    expect(await read('index.html')).to.equal(shown);
    expect(await readdir(folder)).to.have.members(['entries', 'run', 'site']);
  });
});
