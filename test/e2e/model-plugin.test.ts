import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createProgram, explained } from '@lethe/cli';
import { LETHE_VERSION, type Results } from '@lethe/core';
import { openDevice } from '@lethe/engine';
import { validateResults } from '@lethe/metrics';
import { type BatchTensors, loadModel } from '@lethe/model';
import * as parts from '@lethe/model/parts';
import { expect } from 'chai';
import pc from 'picocolors';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const SUITE = join(root, 'test/fixtures/two-trades');
/** Untrained; its layout is that of the architecture in the README. */
const CHECKPOINT = join(root, 'test/fixtures/llama/tied');
const README = readFileSync(join(root, 'packages/model/README.md'), 'utf8');
/** The architecture that the README shows, of models of type `my-model`. */
const EXAMPLE = /```js\n([\s\S]*?)```/.exec(README.slice(README.indexOf('An architecture of your own')))![1]!;

describe('a model that is a plugin', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-model-plugin-')); });
  after(() => rmSync(folder, { recursive: true }));
  afterEach(() => { process.exitCode = 0; });

  /** Runs a command in this process; runs have worker threads of their own. */
  async function lethe(...args: string[]): Promise<{ data: string; problem: string }> {
    const lines: string[] = [];
    const output = { data: (text: string) => void lines.push(text), note: () => undefined, colour: pc.createColors(false) };
    try {
      await createProgram(output).parseAsync(args, { from: 'user' });
      return { data: lines.join('\n'), problem: '' };
    } catch (error) {
      return { data: lines.join('\n'), problem: explained(error)?.describe() ?? String(error) };
    }
  }
  const run = (out: string, ...args: string[]) =>
    lethe('run', SUITE, '--size', 'tiny', '--seeds', '1', '--device', 'cpu', '--methods', 'lora-sequential', '--out', join(folder, out), '--json', ...args);

  const manifest = (name: string, more: object = {}) => JSON.stringify({
    name, kind: 'model', version: '1.2.0', lethe: `^${LETHE_VERSION}`, description: 'Knows nothing.', licence: 'MIT',
    options: { type: 'object', additionalProperties: false, properties: {} }, ...more,
  });

  /** The checkpoint as a plugin of its own type, with the code of the README where it gets no other; null for none. */
  function plugin(name: string, code: string | null = EXAMPLE, path = name): string {
    const at = join(folder, path);
    cpSync(CHECKPOINT, at, { recursive: true });
    writeFileSync(join(at, 'plugin.json'), manifest(name));
    if (code === null) return at;
    writeFileSync(join(at, 'config.json'), readFileSync(join(at, 'config.json'), 'utf8').replace('"model_type": "llama"', `"model_type": "${name}"`));
    writeFileSync(join(at, 'package.json'), JSON.stringify({ name, type: 'module', keywords: ['lethe-plugin'] }));
    writeFileSync(join(at, 'index.js'), code.replaceAll('my-model', name));
    return at;
  }

  /** The hash of a model, as another process has it. */
  function hashElsewhere(at: string): string {
    const code = "import { loadModel } from '@lethe/model'; console.log((await loadModel(process.argv[1])).sha256);";
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code, at], { encoding: 'utf8', cwd: root });
    expect(stdout, stderr).to.match(/^[0-9a-f]{64}\n$/);
    return stdout.trim();
  }

  it('trains and scores by its name as the same checkpoint does under the architecture of Lethe', async () => {
    const at = plugin('my-model', EXAMPLE, 'models/my-model');
    const own = await run('own', '--model', 'my-model', '--plugins', join(folder, 'models'));
    expect(own.problem).to.equal('');
    const known = await run('known', '--model', CHECKPOINT);
    const runsOf = (data: string) => (validateResults(JSON.parse(data) as Results)).runs.map((one) => {
      if (one.status !== 'completed') throw new Error(JSON.stringify(one));
      const { method, seed, matrix, predictions, metrics, cost: { trainTokens, trainableParameters } } = one;
      return { method, seed, matrix, predictions, metrics, trainTokens, trainableParameters };
    });
    expect(runsOf(own.data)).to.have.length(1).and.deep.equal(runsOf(known.data));
    const { runs: [{ model }] } = JSON.parse(own.data) as { runs: [Results['runs'][number]] };
    expect(model).to.deep.equal({ id: 'my-model', sha256: hashElsewhere(at) });
    // a run goes on with the code that it began with, and no other
    appendFileSync(join(at, 'index.js'), '// changed\n');
    expect(hashElsewhere(at)).to.be.a('string').that.is.not.equal(model.sha256);
    expect((await lethe('resume', join(folder, 'own'))).problem).to.contain('LETHE_RUN_CHANGED').and.contain('my-model');
  });

  it('has the name of its manifest and the hash of its files alone where it brings no code', async () => {
    const [plain, named] = [await loadModel(CHECKPOINT), await loadModel(plugin('named', null, 'another-name'))];
    expect(named.id).to.equal('named');
    expect(named.sha256).to.equal(plain.sha256);
  });

  it('is listed with what it says of itself, and meant by a name that is near', async () => {
    const at = plugin('listed-model');
    const { data } = await lethe('list', 'models', '--plugins', at);
    expect(data).to.match(/^lethe-nano +1\.0\.0 /m).and.match(/^listed-model +1\.2\.0 +Knows nothing\.$/m);
    const { problem } = await lethe('generate', '--model', 'listed-modal', '--plugins', at, '--prompt', 'a');
    expect(problem).to.contain('LETHE_MODEL_MISSING').and.contain('Did you mean "listed-model"?').and.contain('choose one of: lethe-nano, listed-model');
  });

  it('writes', async () => {
    const asked = ['--prompt', 'the old bird', '--max-tokens', '8', '--device', 'cpu'];
    const own = await lethe('generate', '--model', 'writer', '--plugins', plugin('writer'), ...asked);
    expect(own.problem).to.equal('');
    expect(own.data).to.equal((await lethe('generate', '--model', CHECKPOINT, ...asked)).data);
  });

  it('is found as an npm package', async () => {
    plugin('packaged', EXAMPLE, 'work/node_modules/lethe-packaged');
    const before = process.cwd();
    process.chdir(join(folder, 'work'));
    try {
      expect((await lethe('list', 'models')).data).to.match(/^packaged +1\.2\.0/m);
      expect((await lethe('generate', '--model', 'packaged', '--prompt', 'a', '--max-tokens', '1', '--device', 'cpu')).problem).to.equal('');
    } finally {
      process.chdir(before);
    }
  });

  it('is checked: its files, and what its code computes', async () => {
    const { data, problem } = await lethe('validate', plugin('sound'));
    expect(problem).to.equal('');
    expect(data).to.contain('model sound 1.2.0').and.contain('architecture sound').and.contain('scores do not depend on neighbours').and.contain('not checked: gradients');
    expect((await lethe('validate', plugin('plain', null))).data).to.contain('architecture llama').and.contain('not checked: its architecture, which is one of Lethe');
    const broken = plugin('torn', null);
    writeFileSync(join(broken, 'tokenizer.json'), '{}');
    expect((await lethe('validate', broken)).problem).to.contain('LETHE_MODEL_TOKENIZER').and.contain('tokenizer.json');
  });

  const FAULTS: readonly (readonly [name: string, title: string, from: string, to: string, message: string])[] = [
    ['blind', 'states that are not finite', "return norm(x, 'norm');", "return tf.log(tf.sub(tf.mul(norm(x, 'norm'), 0), 1));", 'A forward pass fails'],
    ['throwing', 'code that throws', "return norm(x, 'norm');", "return norm(x, 'nrom');", '"hidden" of the architecture threw'],
    ['closed', 'a layer that no method reaches', "pass.linear(name('gate'), h)", "tf.reshape(tf.matMul(tf.reshape(h, [-1, h.shape[2]]), pass.weight(name('gate'))), [...h.shape.slice(0, 2), -1])",
      'No method can add to the linear layer layers.0.gate'],
    ['crowded', 'rows that read each other', "const h = norm(x, name('norm2'));", "const h = norm(tf.add(x, tf.mean(x, 0, true)), name('norm2'));", 'changes with its neighbours'],
    ['counting', 'positions that are columns', 'norm1\')), place);', "norm1')), (states, at, kind) => place(states, tf.tile(tf.tensor2d(Int32Array.from({ length: at.shape[1] }, (_, i) => i), "
      + "[1, at.shape[1]], 'int32'), [at.shape[0], 1]), kind));", 'other options'],
    ['leading', 'tokens that read the next one', 'let x = pass.embed();', 'const next = (of) => tf.concat([tf.slice(of, [0, 1]), tf.slice(of, [0, 0], [of.shape[0], 1])], 1); '
      + "const { segments } = pass.batch; let x = pass.embed(); x = tf.add(x, tf.mul(next(x), tf.expandDims(tf.cast(tf.equal(segments, next(segments)), 'float32'), 2)));",
      'changes with those behind it'],
    ['forgetful', 'attention that remembers nothing', '{ config } = pass;', '{ config } = pass; const recall = pass.recall.bind(pass); pass.recall = (at, own) => (recall(at, own), own);',
      '"hidden" of the architecture threw'],
    ['muddled', 'attention that remembers another order', '{ config } = pass;', '{ config } = pass; const recall = pass.recall.bind(pass); pass.recall = (at, own) => '
      + '((read) => (read === own ? own : { ...read, values: tf.reverse(read.values, 2) }))(recall(at, own));', 'remembered keys and values'],
  ];
  for (const [name, title, from, to, message] of FAULTS) {
    it(`is refused by validate for ${title}`, async () => {
      expect(EXAMPLE).to.contain(from);
      const at = plugin(name, EXAMPLE.replace(from, to));
      const { problem } = await lethe('validate', at);
      expect(problem).to.contain('LETHE_MODEL_CODE').and.contain(message).and.contain(join(at, 'index.js')).and.contain('fix ');
    });
  }

  const REFUSED: readonly (readonly [name: string, title: string, code: string, ...texts: string[]])[] = [
    ['seven', 'a module that exports something else', 'export default 7;', 'LETHE_PLUGIN_EXPORT', 'no "types"', 'const architecture: Architecture'],
    ['half', 'an architecture without a function', EXAMPLE.replace('blocks:', 'bricks:'), 'LETHE_PLUGIN_EXPORT', 'no function "blocks"'],
    ['unread', 'a module that cannot be imported', "import '@lethe/harness';", 'LETHE_PLUGIN_EXPORT', '@lethe/harness'],
    ['taker', 'a type that Lethe has', EXAMPLE.replace("types: ['my-model']", "types: ['my-model', 'mistral']"), 'LETHE_PLUGIN_DUPLICATE', '"mistral"', "Lethe's own"],
    ['stranger', 'a type that is not that of its configuration', EXAMPLE.replace("types: ['my-model']", "types: ['strangers']"), 'LETHE_MODEL_CONFIG', 'Models of type strangers', 'Did you mean "strangers"?'],
    ['unnamed', 'a configuration of no type of its own', EXAMPLE.replace("architecture: 'my-model'", "architecture: 'llama'"), 'LETHE_MODEL_CODE', '"architecture" must be one of its types, unnamed, not "llama"'],
    ['sizeless', 'a configuration without a size', EXAMPLE.replace('hiddenSize, intermediateSize', 'intermediateSize'), 'LETHE_MODEL_CODE', '"hiddenSize" must be a whole number'],
    ['falling', 'a function that throws', EXAMPLE.replace('blocks: (config) =>', 'blocks: (config) => config.none.at ??'), 'LETHE_MODEL_CODE', '"blocks" of the architecture threw'],
    ['misspelt', 'a forward pass that throws', EXAMPLE.replace("return norm(x, 'norm');", "return norm(x, 'nrom');"), 'LETHE_MODEL_CODE', '"hidden" of the architecture threw', 'index.js'],
    ['exotic', 'an operation that there is no kernel for', EXAMPLE.replace("return norm(x, 'norm');", "return tf.fft(tf.cast(norm(x, 'norm'), 'complex64'));"), 'LETHE_ENGINE_', 'index.js:'],
    ['leaving', 'a layout without a linear layer', EXAMPLE.replace('...sites.flatMap', '...sites.slice(1).flatMap'), 'LETHE_MODEL_CODE', 'no weight "layers.0.q"'],
  ];
  for (const [name, title, code, ...texts] of REFUSED) {
    it(`is refused with one error for ${title}`, async () => {
      const { problem } = await lethe('generate', '--model', plugin(name, code), '--prompt', 'a');
      for (const text of [...texts, 'fix ']) expect(problem).to.contain(text);
    });
  }

  it('is not blamed for what a method throws at its layers', async () => {
    const model = await loadModel(plugin('innocent'));
    const device = await openDevice({ name: 'cpu' });
    const grid = { shape: [1, 2], dtype: 'int32' } as const;
    const fault = new Error('the method fell');
    const error = await device.compile({
      name: 'falls', inputs: { ids: grid, positions: grid, segments: grid }, constants: model.weights,
      compute: (inputs, weights) => ({ states: model.hidden(inputs as unknown as BatchTensors, weights, () => { throw fault; }) }),
    }).catch((thrown: unknown) => thrown);
    expect(error).to.equal(fault);
    await device.dispose();
  });

  it('is refused where another plugin brought its type, where it is not built, and where the plugin is of another kind', async () => {
    await loadModel(plugin('first'));
    const second = plugin('second', EXAMPLE.replaceAll('my-model', 'first'));
    const problemOf = (model: string) => lethe('generate', '--model', model, '--prompt', 'a').then(({ problem }) => problem);
    expect(await problemOf(second)).to.contain('LETHE_PLUGIN_DUPLICATE').and.contain('another plugin').and.contain(join(second, 'index.js'));
    const unbuilt = plugin('unbuilt');
    renameSync(join(unbuilt, 'index.js'), join(unbuilt, 'index.ts'));
    expect(await problemOf(unbuilt)).to.contain('LETHE_PLUGIN_EXPORT').and.contain('not built').and.contain('npx tsc -p');
    const method = plugin('a-method', null);
    writeFileSync(join(method, 'plugin.json'), manifest('a-method', { kind: 'method' }));
    expect(await problemOf(method)).to.contain('LETHE_PLUGIN_UNKNOWN').and.contain('a method, not a model');
  });

  it('of the hub brings no code', async () => {
    const commit = '0123456789abcdef0123456789abcdef01234567';
    const cache = join(folder, 'hub');
    mkdirSync(join(cache, 'models--someone--strange', 'snapshots'), { recursive: true });
    plugin('strange', EXAMPLE, join('hub', 'models--someone--strange', 'snapshots', commit));
    const names = ['HF_HUB_CACHE', 'HF_HUB_OFFLINE'] as const;
    const before = names.map((name) => process.env[name]);
    Object.assign(process.env, { HF_HUB_CACHE: cache, HF_HUB_OFFLINE: '1' });
    try {
      expect((await lethe('generate', '--model', `someone/strange@${commit}`, '--prompt', 'a')).problem).to.contain('LETHE_MODEL_HUB').and.contain('bring no code');
    } finally {
      names.forEach((name, i) => {
        if (before[i] === undefined) delete process.env[name];
        else process.env[name] = before[i];
      });
    }
  });

  it('may use what the README tells of, which is all there is', () => {
    const section = README.slice(README.indexOf('| of `@lethe/model/parts`'), README.indexOf('`lethe validate FOLDER`'));
    expect(Object.keys(parts).filter((name) => !section.includes(`\`${name}\``))).to.deep.equal([]);
  });
});
