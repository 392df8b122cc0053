import { rm } from 'node:fs/promises';
import { expect } from 'chai';
import { completed, stream } from './fixture.js';
import { siteOfTest } from './site-of-test.js';

describe('comparisons on the pages', () => {
  const { path, publish, build, read, pages, comparison, comparisons } = siteOfTest();

  it('has the parameters that predictions need in the table, and says which time it is', async () => {
    const run = completed({}, stream(0.9, 0.1));
    await publish('run', [{ ...run, cost: { ...run.cost, addedParameters: 777 } }]);
    await build();
    const board = await comparison();
    expect(board).to.contain('<span>Added</span><small>parameters</small>').and.match(/<td data-value="12288">12\.3 k<\/td><td data-value="777">777<\/td><td data-value="49152">/);
    expect(board).to.contain('those that predictions need besides the model in the end').and.match(/time of training without\s+that of scoring/);
    expect(await read((await pages('-order-'))[0]!)).to.contain('<dt>Added parameters</dt><dd>777</dd>');
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

  it('leaves out neither of two versions of a method, and tells them apart', async () => {
    const [before, other] = [completed({ method: 'a' }, stream(0.9, 0)), completed({ method: 'b' }, stream(0.7, 0))];
    await publish('run', [before, other]);
    await publish('next', [{ ...before, method: { ...before.method, version: '1.1.0' } }]);
    await build();
    const names = [...(await read('index.html')).matchAll(/<th scope="row" class="name" data-value="([^"]*)"/g)].map(([, name]) => name);
    expect(names).to.have.members(['a 1.0.0', 'a 1.1.0', 'b']);
    expect(await comparison()).to.contain('<th scope="col">a 1.1.0</th>').and.contain('<th scope="col">b</th>');
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
    expect(index).to.contain('First: <strong>a</strong>').and.contain('No method is shown to be ahead of another').and.not.contain('Share the first place');
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

  it('says where the code of a method was changed between its runs, as far as these say by which they were made', async () => {
    const made = (seed: number, ...code: string[]) => completed({ seed, ...(code[0] && { environment: { code: code[0].repeat(64) } }) }, stream(0.9, 0.1 * seed));
    await publish('one', [made(1), made(2, 'a'), made(3, 'a')]);
    await build();
    for (const name of ['index.html', ...await pages('lora')]) expect(await read(name)).not.to.contain('code differs');
    await publish('other', [made(4, 'b')]);
    await build();
    for (const page of [await read('index.html'), await comparison()]) expect(page).to.contain('code differs');
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
});
