import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OptionPredictions, Results } from '@lethe/core';
import { loadSuite } from '@lethe/data';
import { openDevice } from '@lethe/engine';
import { type Job, Scorer, encodeRow, forwardOf } from '@lethe/harness';
import { loadModel, readAdapter } from '@lethe/model';
import { validateResults } from '@lethe/metrics';
import { expect } from 'chai';
import { type Ended, MODEL, SUITE, lethe } from './command.js';


/** When each finished step of a run was written, by the name of its file. */
function stepsOf(out: string): Map<string, number> {
  const folder = join(out, 'steps');
  if (!existsSync(folder)) return new Map();
  return new Map(readdirSync(folder).filter((name) => name.endsWith('.step')).map((name) => [name, statSync(join(folder, name)).mtimeMs]));
}

/** Sends a signal once a run has so many finished steps, and waits for its end. */
async function interrupt({ child, ended }: ReturnType<typeof lethe>, signal: NodeJS.Signals, out: string, count: number): Promise<Ended> {
  const timer = setInterval(() => {
    if (stepsOf(out).size < count) return;
    child.kill(signal);
    clearInterval(timer);
  }, 10);
  const result = await ended;
  clearInterval(timer);
  return result;
}

describe('a benchmark from the command line', () => {
  let folder: string;
  before(function () {
    if (!MODEL) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'lethe-e2e-'));
  });
  after(() => { if (folder) rmSync(folder, { recursive: true }); });

  const run = (out: string, ...args: string[]) =>
    lethe('run', SUITE, '--size', 'tiny', '--model', MODEL!, '--out', out, '--device', 'cpu', ...args);
  const METHODS = ['--methods', 'zero-shot,joint,lora-sequential,seta', '--seeds', '3'];
  let whole: Results;

  it('ends in results that check themselves, and finds them again', async () => {
    const out = join(folder, 'whole');
    const { status, stdout, stderr } = await run(out, ...METHODS, '--json').ended;
    expect(status, stderr).to.equal(0);
    whole = validateResults(JSON.parse(stdout));
    expect(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'))).to.deep.equal(whole);
    expect(whole.runs.map(({ method, status: state }) => `${method.id} ${state}`)).to.deep.equal(
      ['zero-shot completed', 'joint completed', 'lora-sequential completed', 'seta completed']);
    const seta = whole.runs[3]!;
    expect(seta.method.options).to.include({ split: true, agreement: 0.25 });
    expect(seta.status === 'completed' && seta.matrix).to.have.length(3);
    expect(stderr).not.to.contain('\u001b');
    expect(stderr).to.contain('seta').and.contain(' left').and.contain(join(out, 'results.json'));
    expect(readdirSync(out).sort()).to.deep.equal(['results.json', 'run.json', 'steps']);

    expect(stderr).to.match(/1 run a method: there are no intervals; for more: --seeds 1,2,3,4,5\nnext: lethe compare \S+whole\n$/);

    const before = stepsOf(out);
    const again = await run(out, ...METHODS).ended;
    expect(again.status, again.stderr).to.equal(0);
    expect(again.stdout).to.contain('zero-shot (bound)').and.contain('lora-sequential');
    expect(stepsOf(out)).to.deep.equal(before);
    expect((JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Results).sha256).to.equal(whole.sha256);
  });

  it('says to publish what has runs enough, and to compare what has several methods', async () => {
    const { stderr } = await run(join(folder, 'enough'), '--methods', 'zero-shot', '--seeds', '1,2,3').ended;
    expect(stderr).to.match(/next: lethe publish \S+enough, then lethe leaderboard build\n$/).and.not.contain('a method: ');
  });

  it('gives the same results when it is killed, stopped and resumed, and repeats no finished step', async () => {
    const out = join(folder, 'killed');
    const killed = await interrupt(run(out, ...METHODS, '--workers', '1'), 'SIGKILL', out, 2);
    expect(killed.signal).to.equal('SIGKILL');
    const first = stepsOf(out);
    expect(first.size).to.be.within(2, 6);
    // what a killed process leaves half written
    const half = [join(out, 'steps', `${'0'.repeat(64)}.step.123456`), join(out, 'results.json.123456'), join(out, 'run.json.123456')];
    for (const file of half) writeFileSync(file, 'half');

    const stopped = await interrupt(lethe('resume', out, '--workers', '1'), 'SIGINT', out, first.size + 1);
    expect(stopped.status, stopped.stderr).to.equal(130);
    expect(stopped.stderr).to.contain('lethe resume').and.contain('killed');
    const second = stepsOf(out);
    expect(second.size).to.be.within(first.size + 1, 6);

    const resumed = await lethe('resume', out, '--json').ended;
    expect(resumed.status, resumed.stderr).to.equal(0);
    expect(validateResults(JSON.parse(resumed.stdout)).sha256).to.equal(whole.sha256);
    const last = stepsOf(out);
    for (const [name, time] of [...first, ...second]) expect(last.get(name)).to.equal(time);
    expect([...last.keys()].sort()).to.deep.equal([...stepsOf(join(folder, 'whole')).keys()].sort());
    expect(half.filter((file) => existsSync(file))).to.deep.equal([]);
    expect(readdirSync(out).sort()).to.deep.equal(['results.json', 'run.json', 'steps']);
  });

  it('writes nothing into a folder that another process works in, nor into one of other files', async () => {
    const out = join(folder, 'taken');
    mkdirSync(out);
    const lock = join(out, 'run.lock');
    writeFileSync(lock, String(process.pid));
    const busy = await run(out, ...METHODS).ended;
    expect(busy.stderr).to.contain('LETHE_RUN_BUSY');
    expect([busy.status, readdirSync(out)]).to.deep.equal([2, ['run.lock']]);
    rmSync(lock);
    writeFileSync(join(out, 'steps.txt'), '');
    const other = await run(out, ...METHODS).ended;
    expect(other.stderr).to.contain('LETHE_FOLDER_EXISTS').and.contain('steps.txt').and.contain('fix Choose another folder');
    expect([other.status, readdirSync(out)]).to.deep.equal([2, ['steps.txt']]);
  });

  it('does not go on with another model than it began with', async () => {
    const out = join(folder, 'changed');
    mkdirSync(out);
    const record = JSON.parse(readFileSync(join(folder, 'whole', 'run.json'), 'utf8')) as { configuration: { model: { sha256: string } } };
    record.configuration.model.sha256 = '0'.repeat(64);
    writeFileSync(join(out, 'run.json'), JSON.stringify(record));
    const { status, stdout, stderr } = await lethe('resume', out).ended;
    expect([status, stdout]).to.deep.equal([2, '']);
    expect(stderr).to.contain('LETHE_RUN_CHANGED').and.contain(MODEL).and.contain('fix ');
    expect(readdirSync(out)).to.deep.equal(['run.json']);
  });

  it('exports the adapter of a finished step, which predicts what the run predicted', async () => {
    const run = join(folder, 'whole');
    const out = join(folder, 'adapter');
    const { status, stdout, stderr } = await lethe('export', run, '--method', 'lora-sequential', '--step', '1', '--out', out).ended;
    expect(status, stderr).to.equal(0);
    expect(stdout.trim()).to.equal(out);
    expect(stderr).to.contain('PeftModel.from_pretrained');
    const { configuration } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as { configuration: { suite: { reference: Job['suite'] } } & Job['identity'] };
    const [model, suite] = [await loadModel(MODEL!), await loadSuite(configuration.suite.reference)];
    const device = await openDevice({ name: 'cpu' });
    const scorer = new Scorer(device, forwardOf(model, await readAdapter(out, model)));
    const sequential = whole.runs[2]!;
    for (const task of suite.tasks) {
      const rows = task.test.map((row) => encodeRow(model.tokenizer, row, configuration.training.maxTokens));
      const predicted = sequential.status === 'completed' ? (sequential.predictions[task.id] as OptionPredictions).chosen[1] : null;
      expect(await scorer.choose(rows, () => undefined), task.id).to.deep.equal(predicted);
    }
    await scorer.dispose();
    await device.dispose();
  });

  it('exports nothing of a method whose update is no adapter', async () => {
    const out = join(folder, 'no-adapter');
    const { status, stdout, stderr } = await lethe('export', join(folder, 'whole'), '--method', 'seta', '--out', out).ended;
    expect([status, stdout]).to.deep.equal([2, '']);
    expect(stderr).to.contain('LETHE_ADAPTER_NONE').and.contain('"seta"').and.contain('fix ');
    expect(existsSync(out)).to.equal(false);
  });

  it('runs a method several times with other options, each called by its label', async () => {
    const config = join(folder, 'labels.yaml');
    const out = join(folder, 'labels');
    const variant = (label: string, options: string) => `  - { name: seta, label: ${label}, options: { ${options} } }\n`;
    writeFileSync(config, `suite: ${SUITE}\nsize: tiny\nmodel: ${MODEL}\nseeds: [3]\nout: labels\nmethods:\n  - seta\n`
      + variant('seta-no-split', 'split: false') + variant('seta-no-anchor', 'anchor: 0') + variant('seta-no-gate-term', 'routing: 0'));
    const few = ['run', config, '--methods', 'seta,seta-no-split', '--set', 'seta.rows=16', '--set', 'seta-no-split.pseudo=8'];
    const first = await lethe(...few).ended;
    expect(first.status, first.stderr).to.equal(0);
    expect(first.stdout).to.match(/^seta {2}/m).and.match(/^seta-no-split {2}/m);
    const { runs } = validateResults(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')));
    expect(runs.map(({ method: { id, label, options } }) => [id, label, options['split'], options['rows'], options['pseudo']])).to.deep.equal(
      [['seta', undefined, true, 16, 64], ['seta', 'seta-no-split', false, 16, 8]]);
    const learned = await lethe('show', out, '--method', 'seta').ended;
    expect(learned.status, learned.stderr).to.equal(0);
    expect(learned.stdout).to.match(/^unique 1 /m).and.contain('Overlap between tasks').and.match(/^2 \S+ +\d+ +\d+ +\d+ +\d+\.\d+ +\d+$/m)
      .and.contain('the model alone');
    expect((await lethe('show', out, '--method', 'set').ended).stderr).to.contain('Did you mean "seta"?');
    const steps = stepsOf(out);
    const compared = await lethe('compare', out, '--against', 'seta-no-split').ended;
    expect(compared.status, compared.stderr).to.equal(0);
    expect(compared.stdout).to.contain('seta-no-split');
    // a label has no part in what was computed: under another one every step is found again
    rmSync(join(out, 'run.json'));
    writeFileSync(config, readFileSync(config, 'utf8').replace('seta-no-split', 'unsplit'));
    const again = await lethe('run', config, '--methods', 'seta,unsplit', '--set', 'seta.rows=16', '--set', 'unsplit.pseudo=8').ended;
    expect(again.status, again.stderr).to.equal(0);
    expect(again.stdout).to.match(/^unsplit {2}/m);
    expect(stepsOf(out)).to.deep.equal(steps);
  });

  it('records a run that fails, finishes the others and ends with status 1', async () => {
    const plugin = join(folder, 'weak');
    const config = join(folder, 'weak.yaml');
    const out = join(folder, 'failed');
    writePlugin(plugin);
    writeFileSync(config, `suite: ${SUITE}\nsize: tiny\nmodel: ${MODEL}\nmethods: [./weak, { name: ./weak, options: { fails: false } }, zero-shot]\nseeds: [1, 2]\nworkers: 1\nout: failed\n`);
    // the flag wins over the file
    const { status, stdout, stderr } = await lethe('run', config, '--seeds', '5', '--json').ended;
    expect(status, stderr).to.equal(1);
    const { runs } = validateResults(JSON.parse(stdout));
    expect(runs.map(({ method, seed, status: state }) => [method.id, method.options['fails'], seed, state])).to.deep.equal(
      [['weak', true, 5, 'failed'], ['weak', false, 5, 'completed'], ['zero-shot', undefined, 5, 'completed']]);
    expect(stderr).to.contain('1 at a time').and.contain('LETHE_METHOD_FAILED').and.contain('it was to fail').and.contain('weak fails=false');
    expect(stderr).to.contain(`1 of 3 runs failed, of weak; to make them again: lethe resume ${out}`).and.not.contain('publish');
    expect(existsSync(join(out, 'run.json'))).to.equal(true);
  });

  it('says how to go on when a second Ctrl-C ends it in the midst of a method that does not come to an end', async () => {
    const plugin = join(folder, 'endless');
    const out = join(folder, 'endless-run');
    writePlugin(plugin, 'for (;;);');
    const endless = run(out, '--methods', plugin, '--set', 'weak.fails=false', '--seeds', '1');
    const ended = interrupt(endless, 'SIGINT', out, 1);
    endless.child.stderr!.on('data', (text: string) => { if (text.includes('Ctrl-C again')) setTimeout(() => endless.child.kill('SIGINT'), 100); });
    const { signal, stderr } = await ended;
    expect(signal, stderr).to.equal('SIGINT');
    expect(stderr).to.contain(`go on with: lethe resume ${out}\n`);
  });
});

/** A method in a folder of its own, written in JavaScript; `end` is what it does after a task. */
function writePlugin(folder: string, end = ''): void {
  rmSync(folder, { recursive: true, force: true });
  const files = {
    'package.json': '{ "type": "module" }',
    'plugin.json': JSON.stringify({
      name: 'weak', kind: 'method', version: '1.0.0', lethe: '*', description: 'Fails where it is asked to.', licence: 'Apache-2.0',
      options: { type: 'object', additionalProperties: false, properties: { fails: { type: 'boolean', default: true, description: 'Whether it fails.' } } },
    }),
    'index.js': `const state = { trainable: {}, frozen: {}, stored: {}, json: null };
export default {
  create: (host, options) => ({
    ...state, begin() { if (options.fails) throw new Error('it was to fail'); }, adapt: () => null, end() { ${end} }, save: () => state, restore() {},
  }),
};\n`,
  };
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}
