import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Results } from '@lethe/core';
import { readResults } from '@lethe/harness';
import { resultsHash, sweepOf, trialMean, validateResults } from '@lethe/metrics';
import { expect } from 'chai';
import { MODEL, SUITE, lethe } from './command.js';

describe('tuning from the command line', () => {
  let folder: string;
  before(function () {
    if (!MODEL) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'lethe-tune-'));
  });
  after(() => { if (folder) rmSync(folder, { recursive: true }); });

  const TERMS = ['--size', 'tiny', '--model', MODEL!, '--device', 'cpu'];
  const ended = async (...args: string[]) => {
    const { status, stdout, stderr } = await lethe(...args).ended;
    return { status, stdout, stderr };
  };

  const SWEEP = ['tune', SUITE, ...TERMS, '--methods', 'ewc,lora-sequential', '--trials', '5', '--seeds', '7', '--set', 'ewc.rows=4'];

  it('tries as many settings of every method on validation rows, and says what it chose', async () => {
    const out = join(folder, 'tune');
    const { status, stdout, stderr } = await ended(...SWEEP, '--out', out);
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/^method +trials +first +best +chosen\newc +5 /).and.contain('validation rows');
    expect(stderr).to.contain(': 2 methods with 5 trials each, 1 order, 1 seed on cpu');
    expect(stderr).to.match(/^forms come first, 8 runs; by what comes of them, 2 more$/m).and.match(/^forms are tried: .*; values of ranges come next$/m);
    expect(stderr).to.match(/next: lethe run \S+two-trades --size tiny (--model \S+ )?--methods ewc,lora-sequential --tuned /);
    const { runs } = (await readResults(out))!;
    expect(runs.map(({ method, seed, suite }) => [method.id, method.options['rows'], seed, suite.scored])).to.deep.equal(
      [...[1, 2, 3, 4].map(() => ['ewc', 4, 7, 'validation']), ...[1, 2, 3, 4].map(() => ['lora-sequential', undefined, 7, 'validation']),
        ['ewc', 4, 7, 'validation'], ['lora-sequential', undefined, 7, 'validation']]);
    for (const run of runs) {
      expect(run.status === 'completed' && Object.keys(run.predictions)).to.deep.equal(['weather', 'kitchen']);
      expect(run.status === 'completed' && 'answers' in run.predictions['weather']! && run.predictions['weather'].answers).to.have.length(4);
      // trials are judged by the end of the stream: in between nothing is scored
      expect(run.status === 'completed' && run.matrix.map((row) => row.every((score) => score === null))).to.deep.equal([false, true, false]);
    }
  });

  it('goes on under the form of each method that did best', async () => {
    const { methods } = sweepOf((await readResults(join(folder, 'tune')))!, 'tune');
    for (const { trials } of methods) {
      const settings = trials.map(({ options: { rate, start } }) => `${String(rate)} ${String(start)}`);
      expect(settings.slice(0, 4)).to.deep.equal(['1 random', '1 inputs', '0.5 random', '0.5 inputs']);
      const [random, inputs] = [0, 1].map((at) => Math.max(trialMean(trials[at]!)!, trialMean(trials[at + 2]!)!)) as [number, number];
      expect(settings.slice(4)).to.deep.equal([inputs > random ? '0.707 inputs' : '0.707 random']);
    }
  });

  it('comes to the same when it is killed between, and none of its choices is taken before it is finished', async () => {
    const out = join(folder, 'killed');
    const { child, ended: end } = lethe(...SWEEP, '--workers', '1', '--out', out);
    let heard = '';
    child.stderr!.on('data', (text: string) => {
      heard += text;
      if (/come next[^]* avg /.test(heard)) child.kill('SIGKILL');
    });
    expect((await end).signal).to.equal('SIGKILL');
    const early = await ended('run', SUITE, ...TERMS, '--methods', 'ewc', '--tuned', out, '--out', join(folder, 'early'));
    expect(early.status, early.stderr).to.equal(2);
    expect(early.stderr).to.contain('LETHE_RUN_STOPPED').and.match(/9 of 10 runs are there/);
    const resumed = await ended('resume', out);
    expect(resumed.status, resumed.stderr).to.equal(0);
    expect(resumed.stdout).to.match(/^method +trials +first +best +chosen\newc +5 /);
    const [whole, killed] = await Promise.all(['tune', 'killed'].map((name) => readResults(join(folder, name))));
    expect(killed!.sha256).to.equal(whole!.sha256);
    const again = await ended(...SWEEP, '--out', out);
    expect(again.status, again.stderr).to.equal(0);
    expect(again.stderr).to.contain('10 of 10 runs are finished already');
  });

  it('runs with what was chosen, and keeps the sweep with the results', async () => {
    const { status, stdout, stderr } = await ended('run', SUITE, ...TERMS, '--methods', 'zero-shot,lora-sequential', '--seeds', '1',
      '--tuned', join(folder, 'tune'), '--out', join(folder, 'run'), '--json');
    expect(status, stderr).to.equal(0);
    const { runs, sweep } = validateResults(JSON.parse(stdout));
    expect(sweep!.methods.map(({ id, trials }) => [id, trials.length])).to.deep.equal([['ewc', 5], ['lora-sequential', 5]]);
    const { trials, chosen } = sweep!.methods[1]!;
    expect(runs[1]!.method.options).to.deep.equal(trials[chosen]!.options);
    expect(runs[0]!.method.options).to.deep.equal({ rate: 1 });
  });

  it('says which methods run beside those that were tuned with their defaults, where there was something to search', async () => {
    const { status, stderr } = await ended('run', SUITE, ...TERMS, '--methods', 'zero-shot,lora-sequential,inc-lora', '--seeds', '1,7',
      '--tuned', join(folder, 'tune'), '--out', join(folder, 'beside'));
    expect(status, stderr).to.equal(0);
    expect(stderr).to.match(/^not tuned, and run beside methods that were: inc-lora$/m).and.match(/^options were chosen on this suite with seed 7: such runs are not published/m);
  });

  it('goes on from a published entry, with the sweep that it keeps', async () => {
    const published = await ended('publish', join(folder, 'run'), '--entries', join(folder, 'entries'));
    expect(published.status, published.stderr).to.equal(0);
    const [entry] = readdirSync(join(folder, 'entries'));
    const { status, stdout, stderr } = await ended('run', SUITE, ...TERMS, '--methods', 'lora-sequential', '--seeds', '2',
      '--tuned', join(folder, 'entries', entry!), '--out', join(folder, 'more'), '--json');
    expect(status, stderr).to.equal(0);
    const [before, after] = [(await readResults(join(folder, 'run')))!, validateResults(JSON.parse(stdout))];
    expect(after.sweep).to.deep.equal(before.sweep);
    expect(after.runs.map(({ seed, method }) => [seed, method])).to.deep.equal([[2, before.runs[1]!.method]]);
    expect((await ended('show', join(folder, 'entries', entry!))).stdout).to.contain('lora-sequential');
  });

  it('publishes runs under a sweep that was made after them, where it chose the same', async () => {
    const { status, stdout, stderr } = await ended('publish', join(folder, 'run'), '--tuned', join(folder, 'killed'), '--entries', join(folder, 'anew'));
    expect(status, stderr).to.equal(0);
    const { results } = JSON.parse(readFileSync(stdout.trim(), 'utf8')) as { results: Results };
    expect(results.sweep).to.deep.equal((await readResults(join(folder, 'run')))!.sweep);
    const none = await ended('publish', join(folder, 'run'), '--tuned', join(folder, 'nowhere'), '--entries', join(folder, 'refused'));
    expect([none.status, existsSync(join(folder, 'refused'))], none.stderr).to.deep.equal([2, false]);
    expect(none.stderr).to.contain('LETHE_RUN_MISSING');
  });

  it('makes trials again, of a sweep that results keep and of its own folder, and finds an accuracy that was made up', async () => {
    const again = (results: string, out: string, ...args: string[]) =>
      ended('reproduce', results, '--suite', SUITE, '--model', MODEL!, '--method', 'ewc', '--draw', '1', '--out', join(folder, out), ...args);
    const [entry] = readdirSync(join(folder, 'entries'));
    const kept = await again(join(folder, 'entries', entry!), 'trials', '--trials', '--runs', '2');
    expect(kept.status, kept.stderr).to.equal(0);
    expect(kept.stdout).to.match(/^ewc .*rate=.*, order 1, seed 7 +\d/m).and.match(/\nall 2 runs that were drawn came out as published\n$/).and.not.contain('answers');
    const own = await again(join(folder, 'tune'), 'own', '--runs', '1');
    expect(own.status, own.stderr).to.equal(0);
    expect(own.stdout).to.match(/ 0 of 16\n/).and.contain('to the last answer');
    const { runs, sweep } = (await readResults(join(folder, 'run')))!;
    const doctored = structuredClone(sweep!) as unknown as { methods: { trials: { accuracies: number[] }[]; chosen: number }[] };
    for (const [i, trial] of doctored.methods[0]!.trials.entries()) trial.accuracies[0]! += i === doctored.methods[0]!.chosen ? 0.001 : -0.001;
    const file = join(folder, 'results.json');
    writeFileSync(file, JSON.stringify({ schema: 'lethe.results/1', sha256: resultsHash(runs, doctored as never), runs, sweep: doctored }));
    validateResults(JSON.parse(readFileSync(file, 'utf8')));
    const found = await again(file, 'made-up', '--trials', '--runs', '3');
    expect(found.status, found.stderr).to.equal(1);
    expect(found.stdout).to.contain('as published: 0 of 3 runs; with another score: 3');
    writeFileSync(file, JSON.stringify({ schema: 'lethe.results/1', sha256: resultsHash(runs), runs }));
    expect((await again(file, 'none', '--trials')).stderr).to.contain('LETHE_USAGE').and.contain('no options were tuned').and.contain('fix ');
  });

  it('does not publish what was scored on validation rows', async () => {
    const { status, stderr } = await ended('publish', join(folder, 'tune'), '--entries', join(folder, 'refused'));
    expect(status).to.equal(2);
    expect(stderr).to.contain('LETHE_RESULTS_INVALID').and.contain('validation rows');
    expect(existsSync(join(folder, 'refused'))).to.equal(false);
  });

  for (const [what, tuned, args, text] of [
    ['options beside those that were chosen', 'tune', ['--methods', 'ewc', '--set', 'ewc.lambda=5'], '"ewc" was tuned, and is given another value of its option "lambda"'],
    ['methods of which none was tuned', 'tune', ['--methods', 'replay'], 'None of the methods was tuned'],
    ['a folder without results', 'nowhere', ['--methods', 'ewc'], 'LETHE_RUN_MISSING'],
  ] as const) {
    it(`refuses ${what}, and writes nothing`, async () => {
      const before = readdirSync(folder);
      const { status, stderr } = await ended('run', SUITE, ...TERMS, ...args, '--tuned', join(folder, tuned), '--out', join(folder, 'refused'));
      expect(status).to.equal(2);
      expect(stderr).to.contain(text);
      expect(readdirSync(folder)).to.deep.equal(before);
    });
  }
});
