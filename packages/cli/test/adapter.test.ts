import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Results } from '@lethe/core';
import { loadModel, mergeAdapter } from '@lethe/model';
import { expect } from 'chai';
import { call, said } from './small-runs.js';

const fixture = (path: string) => fileURLToPath(new URL(`../../../../test/fixtures/${path}`, import.meta.url));
const MODEL = fixture('architectures/pythia');
const ADAPTER = fixture('peft/pythia');

describe('from an adapter on', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-adapter-')); });
  after(() => {
    rmSync(folder, { recursive: true });
    process.exitCode = 0;
  });

  const out = (name: string) => join(folder, name);
  const run = (to: string, ...args: string[]) =>
    call('run', fixture('few-words'), '--device', 'cpu', '--workers', '1', '--methods', 'lora-sequential', '--seeds', '1', '--out', out(to), ...args);
  const answers = async (...args: string[]): Promise<string[]> => {
    const { data, problem } = await call('generate', '--device', 'cpu', '--max-tokens', '8', '--prompt', 'a stone', '--prompt', 'the sea', ...args);
    expect(problem).to.equal('');
    return data.split('\n');
  };

  it('a run begins with it in the weights, its results say so, and what is exported belongs to the model without it', async () => {
    expect((await run('first', '--model', MODEL, '--adapter', ADAPTER)).problem).to.equal('');
    const base = await loadModel(MODEL);
    const merged = await mergeAdapter(base, ADAPTER);
    const { model } = (JSON.parse(readFileSync(join(out('first'), 'results.json'), 'utf8')) as Results).runs[0]!;
    expect(model).to.deep.equal({
      id: 'pythia+pythia', sha256: merged.sha256,
      adapter: { id: 'pythia', sha256: merged.merged!.sha256, base: { id: 'pythia', sha256: base.sha256 } },
    });
    expect((await call('validate', out('first'))).problem).to.equal('');

    expect((await call('export', out('first'), '--out', out('month-1'))).problem).to.equal('');
    // the adapter names its model, so that --model can be left out
    const learned = await answers('--run', out('first'));
    expect(await answers('--adapter', out('month-1'))).to.deep.equal(learned);
    expect(learned).not.to.deep.equal(await answers('--model', MODEL, '--adapter', ADAPTER));

    expect((await run('second', '--adapter', out('month-1'))).problem).to.equal('');
    expect((await call('export', out('second'), '--out', out('month-2'))).problem).to.equal('');
    expect(await answers('--adapter', out('month-2'))).to.deep.equal(await answers('--run', out('second'), '--method', 'lora-sequential', '--step', '2'));
  });

  it('nothing begins where it is for another model, or none', async () => {
    const refused: readonly (readonly [args: string[], ...texts: string[]])[] = [
      [['--model', MODEL, '--adapter', fixture('peft/plain')], 'LETHE_ADAPTER_INVALID', 'adapter_config.json', 'query_key_value'],
      [['--model', MODEL, '--adapter', out('nowhere')], 'LETHE_ADAPTER_MISSING', 'adapter_config.json'],
      [['--model', ADAPTER], 'LETHE_MODEL_MISSING', `--adapter ${ADAPTER}`],
    ];
    for (const [args, ...texts] of refused) {
      const { problem } = await run('never', ...args);
      for (const text of [...texts, 'fix ']) expect(problem).to.contain(text);
    }
    expect(existsSync(out('never'))).to.equal(false);
  });

  it('a run that is gone on with notices that it is another one', async () => {
    const file = join(out('month-1'), 'adapter_config.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"lora_dropout": 0', '"lora_dropout": 0.1'));
    expect((await call('resume', out('second'))).problem).to.contain('LETHE_RUN_CHANGED').and.contain('Model pythia+month-1');
  });
});

describe('lethe generate', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-generate-')); });
  after(() => rmSync(folder, { recursive: true }));

  const generate = async (...args: string[]): Promise<string> => (await said('generate', '--device', 'cpu', '--model', MODEL, ...args)).text;

  it('answers prompts of the command line and of a file alike, a line of JSON each', async () => {
    const file = join(folder, 'prompts.txt');
    writeFileSync(file, '\ufeffthe sea\r\n\na stone\n');
    const lines = (await generate('--file', file, '--prompt', 'a stone', '--max-tokens', '5', '--json')).split('\n').map((line) => JSON.parse(line) as { prompt: string; text: string; end: string });
    expect(lines.map(({ prompt }) => prompt)).to.deep.equal(['a stone', 'the sea', 'a stone']);
    expect(lines[2]).to.deep.equal(lines[0]);
    expect(await generate('--prompt', 'a stone', '--max-tokens', '5')).to.equal(lines[0]!.text);
  });

  it('draws the same for the same number, and something else for another', async () => {
    const drawn = (draw: string) => generate('--prompt', 'a stone', '--max-tokens', '12', '--temperature', '1', '--top-p', '0.95', '--draw', draw);
    expect(await drawn('1')).to.equal(await drawn('1'));
    expect(await drawn('1')).not.to.equal(await drawn('2'));
  });

  for (const [title, args, ...texts] of [
    ['no prompt', [], 'there is no prompt', '--file'],
    ['a file that is not there', ['--file', '/nowhere/x.txt'], 'LETHE_USAGE', '/nowhere/x.txt'],
    ['a learner without a run', ['--prompt', 'a', '--method', 'seta'], 'there is no --run'],
    ['a run beside a model', ['--prompt', 'a', '--run', '.'], '--run has its own model'],
    ['a temperature that is no number', ['--prompt', 'a', '--temperature', 'hot'], '--temperature must be a number', 'hot'],
    ['a temperature below 0', ['--prompt', 'a', '--temperature', '-1'], '--temperature must be a number from 0, given "-1"'],
    ['a run that is none', ['--prompt', 'a', '--max-tokens', '0'], '--max-tokens must be a whole number from 1'],
    ['more tokens than the model reads', ['--prompt', 'a', '--max-tokens', '100000'], 'LETHE_MODEL_LENGTH', 'fix '],
  ] as const) {
    it(`refuses ${title}`, async () => {
      const text = await generate(...args);
      for (const part of texts) expect(text).to.contain(part);
    });
  }
});
