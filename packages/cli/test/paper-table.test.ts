import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLines } from '@lethe/data';
import { expect } from 'chai';
import { type Changes, failed, run, said, writerIn } from './small-runs.js';

/** With seeds 1 and 2 an interval is 12.706 (t with one degree of freedom) times half their difference to either side. */
const strong = (changes: Changes = {}) => [run('strong', 1, 9, 9, changes), run('strong', 2, 9, 10, changes)];
const both = (id: string, first: number, second: number, changes: Changes = {}) => [run(id, 1, first, second, changes), run(id, 2, first, second, changes)];

describe('lethe table', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-paper-')); });
  after(() => rmSync(folder, { recursive: true }));

  const write = writerIn(() => folder);
  const table = async (...args: string[]) => (await said('table', ...args)).text;

  it('has the metrics of methods that may be compared, the most accurate first, bounds below a rule', async () => {
    const path = await write(both('replay', 3, 4), strong(), both('joint', 10, 10));
    expect((await table(path)).split('\n')).to.deep.equal([
      'method                  accuracy      learned     backward   forgetting',
      'strong               92.5 ± 31.8  92.5 ± 31.8    0.0 ± 0.0    0.0 ± 0.0',
      'replay (keeps rows)   35.0 ± 0.0   65.0 ± 0.0  −60.0 ± 0.0   60.0 ± 0.0',
      '───────────────────────────────────────────────────────────────────────',
      'joint (bound)        100.0 ± 0.0   95.0 ± 0.0   10.0 ± 0.0  −10.0 ± 0.0',
      '', 's 1.0.0, size full, on tiny', 'percent, mean ± half the 95 % interval over seeds and orders',
    ]);
    const [head, row] = (await table(path, '--costs', '--methods', 'joint')).split('\n');
    expect(head).to.match(/forgetting +trained +added +stored +runs$/);
    expect(row).to.match(/^joint \(bound\) .* 1\.00 k +2\.00 k +4\.00 kB +2$/);
  });

  it('takes rows by name, in the order of the table, and counts a run that is given twice once', async () => {
    const path = await write(both('weak', 3, 4), strong(), both('replay', 5, 6));
    const names = (await table(path, path, '--methods', 'weak,strong', '--costs')).split('\n').flatMap((line) => /^(\S+) .* (\d+)$/.exec(line)?.slice(1, 3).join(' ') ?? []);
    expect(names).to.deep.equal(['strong 2', 'weak 2']);
  });

  it('says of a method with a failed run that it has no means', async () => {
    const path = await write(strong(), run('weak', 1, 3, 4), failed(run('weak', 2, 3, 4)));
    const text = await table(path, '--costs');
    expect(text).to.match(/^weak +– .* 1 \+ 1 failed$/m).and.contain('a method of which a run failed has no means');
    const suites = await table(path, await write(both('strong', 5, 5, { suite: { id: 'other' } })));
    expect(suites).to.match(/^weak +–$/m);
  });

  it('has a column a suite where there are several, and empty cells where a method did not run', async () => {
    const one = await write(both('weak', 3, 4), strong(), both('joint', 10, 10));
    const other = await write(strong({ suite: { id: 'other', size: 'mini' } }).slice(0, 1));
    expect((await table(one, other, '--markdown')).split('\n')).to.deep.equal([
      '| method | `s`, 2 runs each | `other` (mini), 1 run each |',
      '| --- | ---: | ---: |',
      '| `strong` | 92.5 ± 31.8 | 90.0 |',
      '| `weak` | 35.0 ± 0.0 |  |',
      '| `joint` (bound) | 100.0 ± 0.0 |  |',
    ]);
    expect(await table(other, one, '--metric', 'forgetting', '--methods', 'weak')).to.match(/^method +s, 2 runs each\nweak +60\.0 ± 0\.0\n\n.*\nforgetting in percent/);
    // R[1][1] - R[2][1] of weak is 0.9 - 0.3, by a metric that results do not state
    expect(await table(one, '--metric', 'dropSinceLearned')).to.match(/^weak +60\.0 ± 0\.0$/m);
  });

  it('tells columns of one suite apart by what they differ in, and only those', async () => {
    const runs = await write(
      run('a', 1, 5, 5), run('a', 1, 6, 6, { suite: { version: '2.0.0' } }), run('a', 1, 7, 7, { model: { id: 'big', sha256: 'b'.repeat(64) } }),
      run('a', 1, 8, 8, { model: { id: 'big', sha256: 'c'.repeat(64) } }), run('a', 1, 9, 9, { suite: { id: 'other' } }), run('b', 1, 9, 9, { suite: { id: 'other' } }), run('b', 2, 9, 9, { suite: { id: 'other' } }),
    );
    expect((await table(runs, '--markdown')).split('\n')[0]).to.equal('| method | `s` (1.0.0, tiny), 1 run each | `s` (2.0.0), 1 run each '
      + '| `s` (1.0.0, big, model bbbbbbbbbbbb), 1 run each | `s` (1.0.0, big, model cccccccccccc), 1 run each | `other`, 1 to 2 runs |');
  });

  it('tells versions of a method apart, and says which columns have others', async () => {
    const newer = { method: { version: '2.0.0' } };
    const path = await write(both('a', 3, 4), both('a', 5, 6, newer));
    expect(await table(path)).to.match(/^a 2\.0\.0 .*\na 1\.0\.0 /m);
    const { text, notes } = await said('table', await write(both('a', 3, 4)), await write(both('a', 5, 6, { ...newer, suite: { id: 'other' } })));
    expect(text).to.match(/^a +35\.0 ± 0\.0 +55\.0 ± 0\.0$/m);
    expect(notes).to.equal('a is not of one version in all columns: 1.0.0, 2.0.0');
  });

  it('writes a tabular for LaTeX that says where it comes from, the best competitors in bold', async () => {
    const path = await write(
      strong(), both('o_lora', 9, 3, { method: { options: { rate: '50%', note: '{a}&b#c$d^e~f\\g<h>i|j' } } }), both('o_lora', 9, 3, { method: { options: { rate: '2', note: '' } } }),
      both('joint', 10, 10),
    );
    expect((await table(path, '--latex')).split('\n')).to.deep.equal([
      `% lethe table ${path} --latex`,
      '% made by Lethe 0.1.0: strong 1.0.0, o_lora 1.0.0, joint 1.0.0',
      '% s 1.0.0, size full, on tiny',
      '% percent, mean ± half the 95 % interval over seeds and orders',
      '% bold: the best mean of a column, bounds aside; lethe compare says which differences were shown',
      '% needs \\usepackage{booktabs}',
      '\\begin{tabular}{lrrrr}',
      '\\toprule',
      'method & accuracy & learned & backward & forgetting \\\\',
      '\\midrule',
      'strong & \\textbf{92.5 $\\pm$ 31.8} & \\textbf{92.5 $\\pm$ 31.8} & \\textbf{0.0 $\\pm$ 0.0} & \\textbf{0.0 $\\pm$ 0.0} \\\\',
      'o\\_lora rate="50\\%" note="\\{a\\}\\&b\\#c\\$d\\textasciicircum{}e\\textasciitilde{}f\\textbackslash{}\\textbackslash{}g$<$h$>$i\\textbar{}j"'
        + ' & 60.0 $\\pm$ 0.0 & 60.0 $\\pm$ 0.0 & \\textbf{0.0 $\\pm$ 0.0} & \\textbf{0.0 $\\pm$ 0.0} \\\\',
      'o\\_lora rate="2" note="" & 60.0 $\\pm$ 0.0 & 60.0 $\\pm$ 0.0 & \\textbf{0.0 $\\pm$ 0.0} & \\textbf{0.0 $\\pm$ 0.0} \\\\',
      '\\midrule',
      'joint (bound) & 100.0 $\\pm$ 0.0 & 95.0 $\\pm$ 0.0 & 10.0 $\\pm$ 0.0 & $-$10.0 $\\pm$ 0.0 \\\\',
      '\\bottomrule',
      '\\end{tabular}',
    ]);
  });

  it('has in bold the least of a metric of which less is better, and names the flags that made the table', async () => {
    const text = await table(await write(both('a', 3, 10), both('b', 8, 3)), '--latex', '--metric', 'forgetting', '--methods', 'b,a');
    expect(text).to.match(/^% lethe table \S+ --methods b,a --metric forgetting --latex\n% made by Lethe 0\.1\.0: a 1\.0\.0, b 1\.0\.0\n/).and.contain('% forgetting in percent, ');
    expect(text).to.contain('a & 60.0 $\\pm$ 0.0 \\\\\nb & \\textbf{10.0 $\\pm$ 0.0} \\\\');
  });

  it('writes CSV with a line a run, that is read back as it was', async () => {
    const options = { note: 'one, "two"\nthree', rank: 8 };
    const first = run('a', 1, 3, 4, { method: { label: 'a-noted', options }, suite: { size: 'mini' } });
    const path = await write(first, failed(run('b', 2, 3, 4)));
    const file = join(folder, 'runs.csv');
    writeFileSync(file, `${await table(path, path, '--csv')}\n`);
    const values: Record<string, string>[] = [];
    for await (const lines of readLines(file)) values.push(...lines.map((line) => ('value' in line ? line.value as Record<string, string> : expect.fail(line.fault.message))));
    const [done, other, ...more] = values;
    expect(more).to.deep.equal([]);
    expect(done).to.include({
      suite: 's', suiteVersion: '1.0.0', size: 'mini', prompts: '', scored: 'test', model: 'tiny', method: 'a', label: 'a-noted', methodVersion: '1.0.0', bound: 'false',
      order: '1', seed: '1', status: 'completed', averageAccuracy: '0.35', generalDelta: '', trainableParameters: '1000', trainSeconds: '1.5',
    });
    expect(JSON.parse(done!['options']!)).to.deep.equal(options);
    expect(Number(done!['dropSinceLearned'])).to.be.closeTo(0.6, 1e-12);
    expect(other).to.include({ method: 'b', label: '', seed: '2', status: 'failed', averageAccuracy: '', dropSinceLearned: '', trainableParameters: '' });
    expect(await table(path, '--csv', '--methods', 'a-noted')).to.not.contain('failed');
  });

  it('lets no name of others become a formula of a spreadsheet or markup of a page', async () => {
    const path = await write(run('=1+1', 1, 3, 4, { model: { id: '@SUM(A1)' } }), run('a`<img src=x>`', 1, 3, 4));
    const csv = await table(path, '--csv');
    expect(csv).to.contain(",'=1+1,").and.contain(",'@SUM(A1),").and.not.match(/,[=@]/);
    expect(csv, 'numbers are none').to.match(/,-0\.\d/);
    expect(await table(path, '--markdown')).to.match(/^\| (`+) a`<img src=x>` \1 \|/m);
  });

  it('refuses what it cannot make', async () => {
    const path = await write(strong());
    expect(await table(path, '--metric', 'forgeting')).to.contain('LETHE_USAGE').and.contain('Did you mean "forgetting"?').and.contain('choose from: averageAccuracy');
    expect(await table(path, '--metric', 'accuracy'), 'a word of a name').to.contain('Did you mean "averageAccuracy"?');
    expect(await table(path, '--methods', 'stron')).to.contain('LETHE_USAGE').and.contain('Did you mean "strong"?');
    for (const flags of [['--csv', '--latex'], ['--csv', '--markdown'], ['--latex', '--markdown'], ['--csv', '--metric', 'forgetting'], ['--csv', '--costs'], ['--costs', '--metric', 'forgetting']]) {
      expect(await table(path, ...flags), flags.join(' ')).to.contain('LETHE_USAGE').and.contain('cannot be used with').and.contain('fix lethe table --help');
    }
    const elsewhere = await write(strong({ model: { id: 'big', sha256: 'b'.repeat(64) } }));
    expect(await table(path, elsewhere, '--costs')).to.contain('LETHE_USAGE').and.contain('on big').and.contain('a table of each');
    expect(await table(await write(strong().map(failed)))).to.contain('LETHE_STATISTICS_MISSING').and.contain('fix See why with: lethe show');
    expect(await table(await write(strong(), failed(run('b', 1, 3, 4))), '--methods', 'b')).to.contain('LETHE_STATISTICS_MISSING');
    expect(await table(join(folder, 'none'))).to.contain('LETHE_RUN_MISSING');
    expect(await table(path, await write(both('strong', 1, 1)))).to.contain('LETHE_RUN_AMBIGUOUS');
    const labelled = (rank: number) => both('a', rank, 3, { method: { label: 'own', options: { rank } } });
    expect(await table(await write(labelled(1)), await write(labelled(2)))).to.contain('LETHE_USAGE').and.contain('Two methods are called "own 1.0.0"');
  });
});
