import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explained } from '../src/index.js';
import { PATHS } from '../src/paths.js';
import { call } from './small-runs.js';

const main = fileURLToPath(new URL('../src/main.js', import.meta.url));

function lethe(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
}

describe('lethe', () => {
  it('shows its commands', () => {
    const { status, stdout } = lethe('--help');
    expect(status).to.equal(0);
    expect(stdout).to.contain('list').and.contain('doctor');
  });

  for (const args of [['--help'], ['list', 'methods'], ['run', '--help']]) {
    it(`does not load what trains models or draws pages for ${args.join(' ')}`, () => {
      const folder = mkdtempSync(join(tmpdir(), 'lethe-loaded-'));
      try {
        spawnSync(process.execPath, [main, ...args], { env: { ...process.env, NODE_V8_COVERAGE: folder } });
        const loaded = readdirSync(folder).flatMap((file) =>
          (JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] }).result.map(({ url }) => url));
        expect(loaded.some((url) => url.includes('/commander/'))).to.equal(true);
        expect(loaded.filter((url) => /node_modules\/(@tensorflow|onnxruntime|echarts|@huggingface)/.test(url))).to.deep.equal([]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  it('lists methods as JSON on stdout alone', () => {
    const { status, stdout, stderr } = lethe('list', 'methods', '--json');
    expect(status).to.equal(0);
    expect(stderr).to.equal('');
    expect((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)).to.include.members(['ewc', 'o-lora', 'seta', 'joint']);
  });

  it('lets nothing that a plugin prints into its data', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lethe-talks-'));
    try {
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
      writeFileSync(join(folder, 'plugin.json'), JSON.stringify({
        name: 'talks', kind: 'scorer', version: '1.0.0', lethe: '>=0.1.0', description: 'Talks.', licence: 'MIT',
        options: { type: 'object', additionalProperties: false, properties: {} },
      }));
      writeFileSync(join(folder, 'index.js'), "console.log('hello');\nexport default { id: 'talks', needs: 'text', needsSource: false, score: () => 1 };\n");
      const { status, stdout, stderr } = lethe('list', 'scorers', '--json', '--plugins', folder);
      expect([status, stderr]).to.deep.equal([0, 'hello\n']);
      expect((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)).to.include('talks');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says nothing where its reader leaves early', () => {
    const { status, stdout, stderr } = spawnSync('bash', ['-c', `set -o pipefail; "${process.execPath}" "${main}" list methods --json | true`], { encoding: 'utf8' });
    expect([status, stdout, stderr]).to.deep.equal([0, '', '']);
  });

  it('says that what it writes has no room', function () {
    if (!existsSync('/dev/full')) this.skip();
    const { status, stderr } = spawnSync('bash', ['-c', `"${process.execPath}" "${main}" list methods > /dev/full`], { encoding: 'utf8' });
    expect(status).to.equal(2);
    expect(stderr).to.match(/^LETHE_FILES: ENOSPC/).and.contain('fix ').and.not.contain('    at ');
  });

  it('lets nothing that stands in a file move the cursor of a terminal, and gives a file what there is', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lethe-escapes-'));
    try {
      const evil = '\x1b]0;title\x07\x1b[2J\u009b8m\u202e\rRED';
      const manifest = join(folder, 'plugin.json');
      writeFileSync(manifest, JSON.stringify({ [evil]: 1 }));
      const { status, stderr } = lethe('validate', manifest);
      expect(status).to.equal(2);
      expect(stderr).to.match(/LETHE_PLUGIN_MANIFEST: .*\\u001b\]0;title\\u0007/).and.not.match(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
      writeFileSync(join(folder, 'index.js'), "export default { id: 'loud', needs: 'text', needsSource: false, score: () => 1 };");
      writeFileSync(manifest, JSON.stringify({
        name: 'loud', kind: 'scorer', version: '1.0.0', lethe: '>=0.1.0', description: evil, licence: 'MIT', options: { type: 'object', additionalProperties: false, properties: {} },
      }));
      const shown = (...node: string[]) => spawnSync(process.execPath, [...node, main, 'show', 'scorer', 'loud', '--plugins', folder], { encoding: 'utf8', env: { ...process.env, CI: '' } }).stdout;
      expect(shown()).to.contain(evil);
      expect(shown('--import=data:text/javascript,process.stdout.isTTY=true')).to.contain('\\u001b]0;title\\u0007\\u001b[2J\\u009b8m\\u202e\\u000dRED');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('keeps its own colours on a terminal', () => {
    const entry = join(PATHS.entries, readdirSync(PATHS.entries).find((name) => name.startsWith('twins-mini-'))!);
    const { stdout } = spawnSync(process.execPath, ['--import=data:text/javascript,process.stdout.isTTY=true', main, 'show', entry],
      { encoding: 'utf8', env: { ...process.env, CI: '', NO_COLOR: '', FORCE_COLOR: '1' } });
    expect(stdout).to.contain('\x1b[2mjoint').and.not.contain('\\u001b');
  });

  it('says where a command is that was typed without the one that it belongs to', () => {
    const { status, stderr } = lethe('serve');
    expect(status).to.equal(2);
    expect(stderr).to.contain("LETHE_USAGE: unknown command 'serve'").and.contain('Did you mean lethe leaderboard serve?');
    expect(lethe('verify', 'domain-mini').stderr).to.contain('Did you mean lethe data verify?');
  });

  it('answers bad input with a code, a remedy and status 2', () => {
    const { status, stdout, stderr } = lethe('list', 'method');
    expect(status).to.equal(2);
    expect(stdout).to.equal('');
    expect(stderr).to.contain('LETHE_USAGE').and.contain('Did you mean "methods"?').and.contain('fix ');
  });
});

describe('commands', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-cli-')); });
  after(() => rmSync(folder, { recursive: true }));

  for (const [args, text] of [
    [['lits'], 'LETHE_USAGE'],
    [['list'], 'missing required argument'],
    [['show', join('no', 'such', 'folder')], 'LETHE_RUN_MISSING'],
    [['validate', join('no', 'such', 'file')], 'There is no such file or folder'],
    [['doctor', '--unknown'], 'LETHE_USAGE'],
    [['show', 'runs/x', '--seed', '99'], "--seed says of which run a method's report is wanted"],
  ] as const) {
    it(`refuses: ${args.join(' ')}`, async () => {
      const { data, problem } = await call(...args);
      expect(data).to.equal('');
      expect(problem).to.contain(text).and.contain('fix ');
    });
  }

  for (const [args, help] of [[['lits'], 'lethe --help'], [['run'], 'lethe run --help'], [['run', 'x', '--metods', 'y'], 'lethe run --help'], [['data', 'pull'], 'lethe data pull --help']] as const) {
    it(`names what helps with: ${args.join(' ')}`, async () => expect((await call(...args)).problem).to.match(new RegExp(`fix ${help}$`)));
  }

  it('says what the file system refuses, and what to do about it', () => {
    const refusal = (code: string) => explained(Object.assign(new Error(`${code}: no`), { code, syscall: 'open', path: '/full/run' }))!.describe();
    expect(refusal('ENOSPC')).to.contain('LETHE_FILES').and.contain('at  /full/run').and.contain('lethe resume');
    expect(refusal('EROFS')).to.contain('LETHE_FILES').and.contain('may write to');
    expect(refusal('EEXIST')).to.contain('LETHE_FILES').and.contain('there is a file of this name');
    expect(refusal('ENAMETOOLONG')).to.contain('LETHE_FILES').and.contain('shorter name');
    expect(refusal('EFBIG')).to.contain('LETHE_FILES').and.contain('ulimit -f');
    expect(refusal('ENXIO')).to.contain('LETHE_FILES').and.contain('check the path');
    const other = (more: object) => explained(Object.assign(new Error('no'), more))!.describe();
    expect(other({ code: 'ECONNRESET', syscall: 'read' })).to.contain('LETHE_INTERNAL');
    expect(other({ code: 'ENOENT', syscall: 'spawn git', path: 'git' })).to.contain('LETHE_INTERNAL');
  });

  it('refuses prompts that are no text', async () => {
    const file = join(folder, 'prompts.txt');
    writeFileSync(file, Buffer.from('caf\xe9\n', 'latin1'));
    expect((await call('generate', '--file', file)).problem).to.contain('LETHE_USAGE').and.contain('not valid UTF-8').and.contain(file).and.contain('fix ');
  });

  it('refuses options of generation before it looks for a model, and a file without prompts', async () => {
    for (const [option, code, name] of [
      [['--temperature', '-1'], 'LETHE_USAGE', '--temperature'], [['--top-p', '2'], 'LETHE_USAGE', '--top-p must be a number above 0, up to 1'],
      [['--top-p', '0'], 'LETHE_USAGE', 'given "0"'], [['--top-k', '0'], 'LETHE_USAGE', '--top-k must be a whole number from 1'], [['--stop', ''], 'LETHE_GENERATION_OPTIONS', 'stop'],
    ] as const) {
      expect((await call('generate', '--model', 'no-such-model', '--prompt', 'a', ...option)).problem).to.contain(code).and.contain(name);
    }
    const file = join(folder, 'empty.txt');
    writeFileSync(file, '\n');
    expect((await call('generate', '--file', file)).problem).to.contain('LETHE_USAGE').and.contain(`at  ${file}`).and.contain('fix ');
    expect((await call('generate', '--file', '')).problem).to.contain('LETHE_USAGE').and.contain('--file');
  });

  for (const command of ['run', 'tune', 'generate']) {
    it(`shows no empty list as a default of ${command}`, () => expect(lethe(command, '--help').stdout).to.contain('may be repeated').and.not.contain('[]'));
  }

  it('validates a manifest with file and line', async () => {
    const file = join(folder, 'plugin.json');
    writeFileSync(file, '{\n  "name": "x",\n  "knid": "method"\n}\n');
    expect((await call('validate', folder)).problem).to.contain('Did you mean "kind"?').and.contain(`${file}:3`);
  });

  it('validates no file that is neither an entry nor anything else, and never says to delete it', async () => {
    const at = join(folder, 'other');
    mkdirSync(at);
    for (const [name, text, message] of [['package.json', '{ "name": "x" }', 'not an entry of the leaderboard'], ['list.json', '[1, 2]', 'not an entry'], ['cut.json', '{ "schema": ', 'not JSON'],
      ['notes.txt', 'text', 'nothing here that can be checked']] as const) {
      writeFileSync(join(at, name), text);
      const { problem } = await call('validate', join(at, name));
      expect(problem).to.contain('LETHE_USAGE').and.contain(message).and.contain(name).and.contain('suite.yaml');
      expect(problem).to.not.match(/delete/i);
    }
  });

  it('validates a checkpoint, and says what it read of it', async () => {
    const fixture = (name: string) => join(PATHS.root, 'test', 'fixtures', 'architectures', name);
    const { data, problem } = await call('validate', fixture('mistral'));
    expect(problem).to.equal('');
    for (const text of ['model mistral', 'architecture llama', '21664 parameters', 'context: 128 tokens; 2 of 2 layers read the last 5', 'rotary embedding: base 10000\n', 'stored as bfloat16']) expect(data).to.contain(text);
    expect((await call('validate', fixture('llama-yarn'))).data).to.contain('base 10000, stretched by 4 (yarn, from 32 tokens)');
    expect((await call('validate', fixture('qwen3'))).data).to.contain('ends of a text: token 1 "<|im_end|>", token 71');
    const cut = join(folder, 'cut');
    cpSync(fixture('gpt2'), cut, { recursive: true });
    truncateSync(join(cut, 'model.safetensors'), 4096);
    expect((await call('validate', cut)).problem).to.contain('LETHE_MODEL_WEIGHTS').and.contain(join(cut, 'model.safetensors'));
  });

  it('validates an adapter for its model, and says what it read of it', async () => {
    const fixture = (...path: string[]) => join(PATHS.root, 'test', 'fixtures', ...path);
    const { data, problem } = await call('validate', fixture('peft', 'pythia'), '--model', fixture('architectures', 'pythia'));
    expect(problem).to.equal('');
    for (const text of ['adapter pythia\n', 'for pythia: names, shapes', 'linear layers: rank ']) expect(data).to.contain(text);
    expect((await call('validate', fixture('peft', 'pythia'), '--model', fixture('architectures', 'gpt2'))).problem).to.contain('LETHE_ADAPTER_INVALID');
    expect((await call('validate', fixture('peft', 'pythia'))).problem).to.contain('LETHE_MODEL_MISSING').and.contain('The adapter was trained on').and.contain('--model');
    const cut = join(folder, 'cut-adapter');
    cpSync(fixture('peft', 'pythia'), cut, { recursive: true });
    truncateSync(join(cut, 'adapter_model.safetensors'), 100);
    expect((await call('validate', cut, '--model', fixture('architectures', 'pythia'))).problem).to.contain('LETHE_MODEL_WEIGHTS').and.contain('adapter_model.safetensors');
  });

  it('lists suites with title and sizes', async () => {
    expect((await call('list', 'suites')).data).to.match(/^standard-cl +\d+\.\d+\.\d+ +Standard CL.*sizes full, mini; needs --data-dir/m);
    const suites = JSON.parse((await call('list', 'suites', '--json')).data) as { name: string; tasks: string[] }[];
    expect(suites.find(({ name }) => name === 'standard-cl')!.tasks).to.deep.equal(['dbpedia', 'amazon', 'yahoo', 'agnews']);
  });

  it('validates a suite with its rows, and says when it has not seen them', async () => {
    expect((await call('validate', join(PATHS.suites, 'general-mini'))).data).to.contain('rows of full read and checked');
    expect((await call('validate', join(PATHS.suites, 'standard-cl'))).data).to.contain('rows not checked').and.contain('--data-dir');
    expect((await call('validate', join(PATHS.suites, 'standard-cl'), '--data-dir', folder)).problem).to.contain('LETHE_DATA_MISSING');
  });

  it('says what the installation offers', async () => {
    const { data } = await call('doctor');
    expect(data).to.contain(process.version).and.contain('seta').and.contain('gpt_neox');
    const adds = 'npm install --no-save @tensorflow/tfjs-node-gpu@4.22.0 && npm rebuild --ignore-scripts=false @tensorflow/tfjs-node-gpu';
    if (!/tfjs-node-gpu: (works|.*sees no GPU)/.test(data)) expect(data).to.contain(adds);
    const devices = [...data.matchAll(/^device +(\S+): (.*)$/gm)].map(([, name, state]) => ({ name, state: state! }));
    expect(devices.map(({ name }) => name)).to.deep.equal(['cpu', 'webgpu', 'cuda:0', 'wasm', 'tfjs-node', 'tfjs-node-gpu']);
    expect(devices[0]!.state).to.equal('works');
    for (const { name, state } of devices) expect(state, name).to.match(/^works$|^not here; .+/);
  });
});
