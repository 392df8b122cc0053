import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CompletedRun, Results, Run } from '@lethe/core';
import { metricsOf, resultsHash, validateResults } from '@lethe/metrics';
import { expect } from 'chai';
import { MODEL, SUITE, lethe } from './command.js';

/** Seen from `dist/test/e2e`. */
const ENTRIES = fileURLToPath(new URL('../../../leaderboard/entries', import.meta.url));

describe('making published runs again', () => {
  let folder: string;
  let entry: string;
  before(async function () {
    if (!MODEL) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'lethe-again-'));
    const out = join(folder, 'run');
    const ran = await lethe('run', SUITE, '--size', 'tiny', '--model', MODEL, '--device', 'cpu', '--out', out, '--methods', 'zero-shot,lora-sequential,seta',
      '--orders', '1,2', '--seeds', '3,4').ended;
    expect(ran.status, ran.stderr).to.equal(0);
    const published = await lethe('publish', out, '--entries', join(folder, 'entries')).ended;
    expect(published.status, published.stderr).to.equal(0);
    entry = join(folder, 'entries', readdirSync(join(folder, 'entries'))[0]!);
  });
  after(() => { if (folder) rmSync(folder, { recursive: true }); });

  const again = (results: string, out: string, ...args: string[]) =>
    lethe('reproduce', results, '--suite', SUITE, '--model', MODEL!, '--out', join(folder, out), ...args).ended;

  it('draws runs that train, makes them again and finds every answer as it was', async () => {
    const { status, stdout, stderr } = await again(entry, 'same', '--runs', '2');
    expect(status, stderr).to.equal(0);
    const lines = stdout.trim().split('\n');
    expect(lines.slice(1, 3)).to.have.length(2);
    for (const line of lines.slice(1, 3)) expect(line).to.match(/^(lora-sequential|seta), order [12], seed [34] .* 0 of 48$/);
    expect(lines.at(-1)).to.equal('all 2 runs that were drawn came out as published, to the last answer');
    expect(validateResults(JSON.parse(readFileSync(join(folder, 'same', 'results.json'), 'utf8'))).runs).to.have.length(2);
  });

  it('draws by the number that it is given, of the runs that are asked for', async () => {
    const { status, stdout, stderr } = await again(entry, 'one', '--method', 'seta', '--order', '2', '--seed', '4', '--json');
    expect(status, stderr).to.equal(0);
    const { runs } = JSON.parse(stdout) as { runs: { name: string; same: boolean; answers: { other: number; missing: number; of: number } }[] };
    expect(runs).to.have.length(1);
    expect(runs[0]).to.deep.include({ name: 'seta, order 2, seed 4', same: true, answers: { other: 0, missing: 0, of: 48 } });
    // finished before: the same command has nothing left to do
    const { stderr: said } = await again(entry, 'one', '--method', 'seta', '--order', '2', '--seed', '4');
    expect(said).to.contain('1 of 1 runs are finished already');
  });

  it('trains within the budget and the memory that were asked for, of which the results, the entry and its command say how it is not the suite\'s own', async () => {
    const [out, entries] = [join(folder, 'wide'), join(folder, 'wide-entries')];
    writeFileSync(join(folder, 'wide.yaml'), `suite: ${SUITE}\nsize: tiny\nmethods: [lora-sequential]\nseeds: [3]\ntraining: { rank: 4, alpha: 8, epochs: 1 }\n`);
    // epochs and sites are those of the suite: no more than the rank and alpha differ
    const ran = await lethe('run', join(folder, 'wide.yaml'), '--training', 'epochs=3', '--training', 'sites=q,v', '--micro-batch', '3', '--model', MODEL!, '--device', 'cpu', '--out', out).ended;
    expect(ran.status, ran.stderr).to.equal(0);
    expect(ran.stderr).to.contain('two-trades 1.0.0, size tiny, rank 4, alpha 8, with');
    const [wide] = (JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Results).runs as CompletedRun[];
    const own = ((JSON.parse(readFileSync(join(folder, 'run', 'results.json'), 'utf8')) as Results).runs as CompletedRun[])
      .find(({ method, order, seed }) => method.id === 'lora-sequential' && order.id === '1' && seed === 3)!;
    expect(wide!.suite.changed).to.deep.equal({ rank: 4, alpha: 8 });
    expect(wide!.training).to.deep.equal({ ...own.training, rank: 4, alpha: 8 });
    expect(wide!.environment.microBatch).to.equal(3);
    expect(wide!.cost.trainableParameters).to.equal(2 * own.cost.trainableParameters);
    expect((await lethe('publish', out, '--entries', entries).ended).status).to.equal(0);
    const published = join(entries, readdirSync(entries)[0]!);
    expect((JSON.parse(readFileSync(published, 'utf8')) as { commands: string[] }).commands[0]).to.contain('--training rank=4 --training alpha=8').and.contain('--micro-batch 3');
    const { status, stdout, stderr } = await again(published, 'wide-again');
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/lora-sequential, order 1, seed 3 .* 0 of 48\n/);
  });

  it('finds a failure that was made up', async () => {
    const results = JSON.parse(readFileSync(join(folder, 'run', 'results.json'), 'utf8')) as Results;
    const runs = results.runs.map((run): Run => {
      if (run.method.id !== 'lora-sequential' || run.order.id !== '1' || run.seed !== 3) return run;
      const { suite, method, model, order, seed, training, environment } = run;
      return { status: 'failed', suite, method, model, order, seed, training, environment, error: { code: 'LETHE_METHOD_FAILED', message: 'It broke down.' } };
    });
    const file = join(folder, 'results.json');
    writeFileSync(file, JSON.stringify({ ...results, runs, sha256: resultsHash(runs) }));
    const { status, stdout, stderr } = await again(file, 'failed', '--method', 'lora-sequential', '--order', '1', '--seed', '3');
    expect(status, stderr).to.equal(1);
    expect(stdout).to.match(/lora-sequential, order 1, seed 3 .* did not fail\n/).and.contain('did not fail again: 1');
  });

  it('finds an answer that was made up, though all numbers of the file agree with it', async () => {
    const results = JSON.parse(readFileSync(join(folder, 'run', 'results.json'), 'utf8')) as Results;
    const runs = structuredClone(results.runs) as CompletedRun[];
    const made = runs.find(({ method, order, seed }) => method.id === 'lora-sequential' && order.id === '1' && seed === 3)!;
    const { answers, chosen } = made.predictions['weather'] as { answers: number[]; chosen: number[][] };
    const wrong = chosen[2]!.findIndex((option, row) => option !== answers[row]);
    const row = wrong < 0 ? 0 : wrong;
    chosen[2]![row] = 1 - chosen[2]![row]!;
    (made.matrix as number[][])[2]![0] = chosen[2]!.filter((option, row) => option === answers[row]).length / answers.length;
    Object.assign(made.metrics, metricsOf(made.matrix, made.general));
    const file = join(folder, 'results.json');
    writeFileSync(file, JSON.stringify({ ...results, runs, sha256: resultsHash(runs) }));
    validateResults(JSON.parse(readFileSync(file, 'utf8')));
    const { status, stdout, stderr } = await again(file, 'made-up', '--method', 'lora-sequential', '--seed', '3');
    expect(status, stderr).to.equal(1);
    expect(stdout).to.match(/lora-sequential, order 1, seed 3 .* 1 of 48\n/).and.match(/lora-sequential, order 2, seed 3 .* 0 of 48\n/);
    expect(stdout).to.contain('as published: 1 of 2 runs; with other answers: 1');
    expect(stderr).to.contain('published: Lethe').and.contain('rounding');
  });

  it('finds points of the stream that were left out, and does not lay them to rounding', async () => {
    const results = JSON.parse(readFileSync(join(folder, 'run', 'results.json'), 'utf8')) as Results;
    const runs = structuredClone(results.runs) as CompletedRun[];
    const made = runs.find(({ method, order, seed }) => method.id === 'zero-shot' && order.id === '1' && seed === 3)!;
    const between = made.matrix.length - 2;
    let missing = 0;
    for (const task of Object.values(made.predictions) as { answers: number[]; chosen: (number[] | null)[] }[]) {
      task.chosen.fill(null, 1, -1);
      missing += between * task.answers.length;
    }
    (made.matrix as (number | null)[][]).slice(1, -1).forEach((row) => row.fill(null));
    Object.assign(made.metrics, metricsOf(made.matrix, made.general));
    const file = join(folder, 'results.json');
    writeFileSync(file, JSON.stringify({ ...results, runs, sha256: resultsHash(runs) }));
    validateResults(JSON.parse(readFileSync(file, 'utf8')));
    const { status, stdout, stderr } = await again(file, 'left-out', '--method', 'zero-shot', '--order', '1', '--seed', '3');
    expect(status, stderr).to.equal(1);
    expect(stdout).to.match(new RegExp(`zero-shot, order 1, seed 3 .* 0 of 48, ${missing} missing\\n`)).and.contain('with answers that one of the two does not have: 1');
    expect(stderr).not.to.contain('rounding');
  });

  it('refuses results of another version, other weights, rows and budget, names all of it, and writes nothing', async () => {
    const results = JSON.parse(readFileSync(join(folder, 'run', 'results.json'), 'utf8')) as Results;
    const runs = results.runs.filter((run): run is CompletedRun => run.status === 'completed' && run.method.id === 'seta').map((run): CompletedRun => ({
      ...run, suite: { ...run.suite, version: '0.9.0' }, method: { ...run.method, version: '0.8.0' }, model: { ...run.model, sha256: 'f'.repeat(64) },
      training: { ...run.training, epochs: 5 }, environment: { ...run.environment, dataSha256: { ...run.environment.dataSha256, kitchen: 'e'.repeat(64) } },
    }));
    const file = join(folder, 'results.json');
    writeFileSync(file, JSON.stringify({ ...results, runs, sha256: resultsHash(runs) }));
    const { status, stderr } = await again(file, 'refused');
    expect(status, stderr).to.equal(2);
    for (const said of [
      'LETHE_RUN_CHANGED', 'suite: two-trades 0.9.0', 'method seta: 0.8.0, here ', ': ffffffffffff, here ', 'rows of kitchen: eeeeeeeeeeee, here ', '"epochs":5', '--data-dir',
    ]) expect(stderr).to.contain(said);
    expect(existsSync(join(folder, 'refused'))).to.equal(false);
  });

  it('draws none of a method that is here in another version, and says so', async () => {
    const results = JSON.parse(readFileSync(join(folder, 'run', 'results.json'), 'utf8')) as Results;
    const runs = results.runs.map((run) => (run.method.id === 'seta' ? { ...run, method: { ...run.method, version: '0.8.0' } } : run));
    const file = join(folder, 'results.json');
    writeFileSync(file, JSON.stringify({ ...results, runs, sha256: resultsHash(runs) }));
    const { status, stdout, stderr } = await again(file, 'current', '--runs', '3');
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/all 3 runs that were drawn came out as published, to the last answer; nothing is said of seta 0\.8\.0\n$/).and.not.contain('seta, order');
    expect(stderr).to.contain('none is drawn of seta 0.8.0').and.contain('--method');
    expect((await again(file, 'old', '--method', 'seta')).stderr).to.contain('LETHE_RUN_CHANGED').and.contain('method seta: 0.8.0, here ');
  });

  it('can be done with what is published here: suites, model and methods are what they were', async () => {
    const [published] = readdirSync(ENTRIES).filter((name) => name.startsWith('domain-mini-'));
    const { status, stdout, stderr } = await lethe('reproduce', join(ENTRIES, published!), '--method', 'zero-shot', '--runs', '1', '--out', join(folder, 'here')).ended;
    // on another processor an answer may differ: 1
    expect(status, stderr).to.be.oneOf([0, 1]);
    expect(stdout).to.match(/^zero-shot, order \d, seed \d +32\.\d +32\.\d +\d+ of \d+$/m);
  });

  it('takes suite and model of a run folder from where they were, and says how the suite of an entry is given', async () => {
    const own = await lethe('reproduce', join(folder, 'run'), '--method', 'zero-shot', '--order', '1', '--seed', '3', '--out', join(folder, 'recorded')).ended;
    expect(own.status, own.stderr).to.equal(0);
    expect(own.stdout).to.contain('came out as published');
    const { status, stderr } = await lethe('reproduce', entry, '--method', 'zero-shot', '--out', join(folder, 'refused')).ended;
    expect(status).to.equal(2);
    expect(stderr).to.contain('LETHE_SUITE_UNKNOWN').and.contain('"two-trades"').and.match(/fix .*--suite/);
    expect(existsSync(join(folder, 'refused'))).to.equal(false);
  });

  it('makes a run again whose order leaves out a task of the suite', async () => {
    const [suite, out] = [join(folder, 'with-short', 'two-trades'), join(folder, 'short')];
    cpSync(SUITE, suite, { recursive: true });
    appendFileSync(join(suite, 'suite.yaml'), '  short: [weather]\n');
    const ran = await lethe('run', suite, '--size', 'tiny', '--model', MODEL!, '--device', 'cpu', '--out', out, '--methods', 'zero-shot', '--orders', 'short', '--seeds', '3').ended;
    expect(ran.status, ran.stderr).to.equal(0);
    const { status, stdout, stderr } = await lethe('reproduce', out, '--method', 'zero-shot', '--out', join(folder, 'short-again')).ended;
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/^zero-shot, order short, seed 3 .* 0 of 16$/m);
  });

  it('names what the results have where something else is asked for', async () => {
    const { status, stderr } = await again(entry, 'refused', '--method', 'setta');
    expect(status).to.equal(2);
    expect(stderr).to.contain('LETHE_USAGE').and.contain('Did you mean "seta"?').and.contain('zero-shot, lora-sequential, seta');
  });
});
