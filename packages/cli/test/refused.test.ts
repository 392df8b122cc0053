import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LETHE_VERSION } from '@lethe/core';
import { expect } from 'chai';
import type { ScorerPlace } from '@lethe/scorers';
import { type Recorded, recordText } from './record.js';
import { call } from './small-runs.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const SUITE = join(root, 'test/fixtures/two-trades');
const MODEL = [join(root, 'packages/model/lethe-nano'), join(root, '../shared/models/english-mini')]
  .find((path) => existsSync(join(path, 'model.safetensors')));

describe('lethe run refuses', () => {
  let folder: string;
  let out: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-refused-')); });
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => { out = join(folder, 'out'); });

  /** What is wrong with a command, in the form that users see. */
  const problem = async (...args: string[]): Promise<string> => (await call(...args)).problem;
  const run = (...args: string[]) => problem('run', SUITE, '--out', out, ...(MODEL ? ['--model', MODEL] : []), ...args);

  /** Files of a name and text in a new folder. */
  function files(name: string, contents: Readonly<Record<string, string>>): string {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    for (const [file, text] of Object.entries(contents)) writeFileSync(join(path, file), text);
    return path;
  }
  const manifest = (extra: string) => `{
  "name": "mine", "kind": "method", "version": "1.0.0", "lethe": "^${LETHE_VERSION}", "description": "Mine.",
  ${extra}
  "options": { "type": "object", "additionalProperties": false, "properties": {} }, "licence": "Apache-2.0"
}\n`;

  // arguments, and what the answer must hold besides a remedy: code, place, what was meant
  const SIMPLE: readonly (readonly [title: string, args: readonly string[], ...texts: string[]])[] = [
    ['an unknown method', ['--methods', 'setta'], 'LETHE_PLUGIN_UNKNOWN', 'Did you mean "seta"?'],
    ['a folder without a plugin', ['--methods', './no-such-plugin'], 'LETHE_PLUGIN_UNKNOWN', 'no-such-plugin'],
    ['an option out of range', ['--methods', 'seta', '--set', 'seta.agreement=1000'], 'LETHE_PLUGIN_OPTIONS', 'from -1 to 1, given 1000', 'plugins/seta/plugin.json', 'fix give agreement a number from -1 to 1; lethe show method seta lists its options'],
    ['an unknown option', ['--methods', 'seta', '--set', 'seta.agrement=1'], 'LETHE_PLUGIN_OPTIONS', 'Did you mean "agreement"?', 'fix known options: budget, '],
    ['a choice that there is not', ['--methods', 'seta', '--set', 'seta.start=none'], 'LETHE_PLUGIN_OPTIONS', 'fix give start one of '],
    ['an option of a method that does not run', ['--methods', 'ewc', '--set', 'seta.agreement=1'], 'LETHE_USAGE', '"seta" is not among the methods'],
    ['an option given twice', ['--methods', 'seta', '--set', 'seta.agreement=1', '--set', 'seta.agreement=0.5'], 'LETHE_USAGE', '--set gives seta.agreement twice'],
    ['two suites', ['--suite', 'domain-mini'], 'LETHE_USAGE', 'Two suites are named', '--suite goes with a config.yaml'],
    ['a setting that is none', ['--set', 'threshold'], 'LETHE_USAGE', 'METHOD.OPTION=VALUE'],
    ['a setting without its method', ['--set', 'keep=0.5'], 'LETHE_USAGE', 'fix name the method as well: --set METHOD.keep=0.5'],
    ['a method named twice', ['--methods', 'ewc,ewc'], 'LETHE_USAGE', 'twice'],
    ['a budget without a value', ['--training', 'rank'], 'LETHE_USAGE', '--training "rank" is not FIELD=VALUE'],
    ['an unknown field of the budget', ['--training', 'learning_rate=1e-4'], 'LETHE_USAGE', 'Did you mean "learningRate"?', 'fix the fields are: epochs, batch, learningRate, '],
    ['a field of the budget twice', ['--training', 'rank=4', '--training', 'rank=16'], 'LETHE_USAGE', '--training gives rank twice'],
    ['half a rank', ['--training', 'rank=1.5'], 'LETHE_USAGE', '"rank" must be a whole number, not 1.5'],
    ['sites that there are not', ['--training', 'sites=q,x'], 'LETHE_USAGE', 'must be one of q, k, v, o, gate, up, down, not "x"'],
    ['devices that give other numbers', ['--methods', 'ewc', '--device', 'cuda:0,webgpu'], 'LETHE_USAGE', '"webgpu" is none', '--device cuda:0,cuda:1'],
    ['GPUs that are not there', ['--methods', 'ewc', '--device', 'cuda:0,cuda:1'], 'LETHE_ENGINE_DEVICE', 'Device "cuda:0"'],
    ['wrong seeds', ['--seeds', '1,x'], 'LETHE_USAGE', '"x"', 'fix write --seeds 1,2,3'],
    ['a range of seeds', ['--seeds', '7,1-3'], 'LETHE_USAGE', '"1-3"', 'fix write --seeds 1,2,3'],
    ['a seed twice, written in two ways', ['--methods', 'ewc', '--seeds', '1,01'], 'LETHE_USAGE', '"seeds" names 1 twice'],
    ['a seed that is too large', ['--seeds', '2147483648'], 'LETHE_USAGE', '--seeds'],
    ['no workers', ['--workers', '0'], 'LETHE_USAGE', '--workers'],
    ['an unknown order', ['--methods', 'ewc', '--orders', '7'], 'LETHE_USAGE', 'no order "7"', 'choose from: 1, 2'],
    ['an unknown size', ['--methods', 'ewc', '--size', 'tinny'], 'LETHE_', 'Did you mean "tiny"?'],
    ['an unknown model', ['--methods', 'ewc', '--model', 'english-maxi'], 'LETHE_MODEL_MISSING', 'english-maxi'],
    ['a chat with a model that has no template', ['--methods', 'ewc', '--chat'], 'LETHE_MODEL_CHAT', 'no chat template', 'chat_template.jinja', '--chat'],
    ['an unknown flag', ['--method', 'ewc'], 'LETHE_USAGE', '--methods'],
  ];
  for (const [title, args, ...texts] of SIMPLE) {
    it(title, async () => {
      const text = await run(...args);
      for (const part of [...texts, 'fix ']) expect(text).to.contain(part);
      expect(existsSync(out)).to.equal(false);
    });
  }

  it('an unknown suite', async () => {
    expect(await problem('run', 'domain-mimi', '--out', out)).to.contain('Did you mean "domain-mini"?');
  });

  it('a manifest with a wrong field, with its line', async () => {
    const plugin = files('wrong-field', { 'plugin.json': manifest('"licens": "MIT",') });
    expect(await run('--methods', plugin)).to.contain('LETHE_PLUGIN_MANIFEST').and.contain('Did you mean "licence"?').and.contain('plugin.json:3');
    expect(existsSync(out)).to.equal(false);
  });

  it('a plugin whose code is no method', async () => {
    const plugin = files('no-method', { 'plugin.json': manifest(''), 'package.json': '{ "type": "module" }', 'index.js': 'export default { run() {} };\n' });
    expect(await run('--methods', plugin)).to.contain('LETHE_PLUGIN_EXPORT').and.contain('index.js').and.contain('create');
    expect(existsSync(out)).to.equal(false);
  });

  it('an order twice, written in two ways, and a sweep that takes what another chose', async () => {
    const config = files('twice', {
      'a.yaml': 'suite: domain-mini\nmethods: [ewc]\norders: [1, "1"]\n', 'b.yaml': 'suite: domain-mini\nmethods: [ewc]\ntuned: [sweep]\n',
    });
    expect(await problem('run', join(config, 'a.yaml'), '--out', out)).to.contain('LETHE_USAGE').and.contain('"orders" names 1 twice').and.contain('fix ');
    expect(await problem('tune', join(config, 'b.yaml'), '--out', out)).to.contain('LETHE_USAGE').and.contain('"tuned" belongs to run, not to tune').and.contain('fix ');
    expect(existsSync(out)).to.equal(false);
  });

  it('orders of other tasks together: a mean over them is of no benchmark', async () => {
    const text = await problem('run', 'domain-mini', '--methods', 'ewc', '--orders', '1,short', '--out', out);
    expect(text).to.contain('LETHE_USAGE').and.contain('"1" and "short"').and.contain('other tasks').and.contain('fix ');
    expect(existsSync(out)).to.equal(false);
  });

  it('a folder of rows that is not there, which those beside the suite would take the place of', async () => {
    const missing = join(folder, 'no-such-rows');
    for (const command of [['run', SUITE, '--methods', 'ewc', '--out', out], ['data', 'verify', SUITE], ['validate', SUITE]]) {
      expect(await problem(...command, '--data-dir', missing), command.join(' ')).to.contain('LETHE_USAGE').and.contain(missing).and.contain('fix ');
    }
    expect(existsSync(out)).to.equal(false);
  });

  it('a label that is given twice, that is the name of a method, or that none could type', async () => {
    const seta = (label: string, agreement: number) => `{ name: seta, label: ${label}, options: { agreement: ${agreement} } }`;
    const config = files('labels', {
      'a.yaml': `suite: domain-mini\nmethods: [${seta('bare', 1)}, ${seta('bare', 0.5)}]\n`,
      'b.yaml': `suite: domain-mini\nmethods: [ewc, ${seta('ewc', 1)}]\n`,
      'own.yaml': `suite: domain-mini\nmethods: [${seta('seta', 1)}]\n`,
      'c.yaml': `suite: domain-mini\nmethods:\n- ${seta('"a,b"', 1)}\n`,
      'd.yaml': `suite: domain-mini\nmethods: [seta, ${seta('bare', 0.25)}]\n`,
    });
    expect(await problem('run', join(config, 'a.yaml'))).to.contain('LETHE_USAGE').and.contain('The label "bare"');
    expect(await problem('run', join(config, 'b.yaml'))).to.contain('LETHE_USAGE').and.contain('The label "ewc"');
    expect(await problem('run', join(config, 'own.yaml'))).to.contain('LETHE_USAGE').and.contain('The label "seta"').and.contain('or none');
    expect(await problem('run', join(config, 'c.yaml'))).to.contain('LETHE_USAGE').and.contain('label').and.contain('c.yaml:3');
    expect(await problem('run', join(config, 'd.yaml'))).to.contain('LETHE_USAGE').and.contain('"seta" and "bare" are one method with the same options');
    expect(await problem('run', join(config, 'a.yaml'), '--methods', 'seta,bar')).to.contain('LETHE_PLUGIN_UNKNOWN').and.contain('"bar"').and.contain('Did you mean "bare"?');
  });

  it('a row cut in half, with its line', async () => {
    const suite = join(folder, 'cut');
    cpSync(SUITE, suite, { recursive: true });
    const file = join(suite, 'kitchen', 'train.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').trimEnd().slice(0, -20));
    const text = await problem('run', suite, '--out', out, '--methods', 'ewc', ...(MODEL ? ['--model', MODEL] : []));
    expect(text).to.contain('LETHE_DATA_ROW').and.contain(`${file}:24`).and.contain('fix ');
    expect(existsSync(out)).to.equal(false);
  });

  describe('with a model', () => {
    before(function () { if (!MODEL) this.skip(); });

    it('weights cut short', async () => {
      const model = join(folder, 'cut-model');
      mkdirSync(model);
      for (const file of ['config.json', 'tokenizer.json', 'model.safetensors']) writeFileSync(join(model, file), readFileSync(join(MODEL!, file)));
      truncateSync(join(model, 'model.safetensors'), 100_000);
      expect(await run('--methods', 'ewc', '--model', model)).to.contain('LETHE_MODEL_WEIGHTS').and.contain('model.safetensors').and.contain('fix ');
      expect(existsSync(out)).to.equal(false);
    });

    it('a suite that adapts layers which the model does not have', async () => {
      const suite = join(folder, 'gated');
      cpSync(SUITE, suite, { recursive: true });
      const file = join(suite, 'suite.yaml');
      writeFileSync(file, readFileSync(file, 'utf8').replace('[q, v]', '[gate]'));
      const text = await problem('run', suite, '--out', out, '--methods', 'ewc', '--model', join(root, 'test/fixtures/architectures/gpt2'));
      expect(text).to.contain('LETHE_MODEL_SITES').and.contain('kind gate; the model has q, k, v, o, up, down').and.contain('fix ');
      expect(existsSync(out)).to.equal(false);
      writeFileSync(file, readFileSync(file, 'utf8').replace('[gate]', '[gates]'));
      expect(await problem('run', suite, '--out', out, '--methods', 'ewc')).to.contain('LETHE_SUITE_INVALID').and.contain('Did you mean "gate"?');
    });

    it('a model whose name no results can hold, before anything is trained', async () => {
      const model = join(folder, 'two\nlines');
      mkdirSync(model);
      for (const file of ['config.json', 'tokenizer.json', 'model.safetensors']) cpSync(join(MODEL!, file), join(model, file));
      const text = await run('--methods', 'ewc', '--model', model);
      expect(text).to.contain('LETHE_USAGE').and.contain('"model.id" must be text on one line').and.contain('"two\\nlines"').and.contain('fix ');
      expect(existsSync(out)).to.equal(false);
    });

    it('a device that is not there', async () => {
      expect(await run('--methods', 'ewc', '--device', 'gpu')).to.contain('LETHE_ENGINE_DEVICE').and.contain('"gpu"').and.contain('fix ');
      expect(existsSync(out)).to.equal(false);
    });

    it('a GPU that is not there, in the words of lethe doctor', async function () {
      const { data } = await call('doctor');
      const said = /^device +cuda:0: not here; (.*)$/m.exec(data)?.[1];
      if (said === undefined) this.skip();
      const text = await run('--methods', 'ewc', '--device', 'cuda:0');
      expect(text).to.contain('LETHE_ENGINE_DEVICE').and.contain(said!.split('. ')[0]);
      expect(existsSync(out)).to.equal(false);
    });

    it('a folder that holds a run of another version, or of another configuration', async () => {
      const old = files('old', { 'run.json': '{ "schema": "lethe.run/1", "lethe": "0.0.9", "configuration": {} }\n' });
      for (const text of [await run('--methods', 'ewc', '--out', old), await problem('resume', old)]) {
        expect(text).to.contain('LETHE_RUN_VERSION').and.contain('0.0.9').and.contain('run.json').and.contain('fix ');
      }
      const other = files('other', { 'run.json': `{ "schema": "lethe.run/1", "lethe": "${LETHE_VERSION}", "configuration": {} }\n` });
      expect(await run('--methods', 'ewc', '--out', other)).to.contain('LETHE_RUN_EXISTS').and.contain('--out');
      expect([readdirSync(old), readdirSync(other)]).to.deep.equal([['run.json'], ['run.json']]);
    });
  });

  it('to export where there is no run, or it is open which one is meant', async () => {
    const path = files('export', { 'run.json': recordText({ methods: [{ id: 'ewc' }, { id: 'lora-sequential' }], seeds: [1, 2] }) });
    const exported = (...args: string[]) => problem('export', ...args, '--out', out);
    expect(await exported(folder)).to.contain('LETHE_RUN_MISSING').and.contain(folder);
    expect(await exported(path)).to.contain('LETHE_USAGE').and.contain('--method is missing').and.contain('ewc, lora-sequential');
    expect(await exported(path, '--method', 'lora-seqential')).to.contain('Did you mean "lora-sequential"?');
    expect(await exported(path, '--method', 'ewc')).to.contain('--seed is missing').and.contain('1, 2');
    expect(await exported(path, '--method', 'ewc', '--seed', '4')).to.contain('"4"');
    expect(await exported(path, '--method', 'ewc', '--order', '2')).to.contain('--order');
    expect(await exported(path, '--step', '0')).to.contain('--step must be a whole number from 1');
    expect(await problem('export', path)).to.contain('LETHE_USAGE').and.contain('--out');
    expect(existsSync(out)).to.equal(false);
  });

  it('to resume a run whose plugin is gone, be it a method or a scorer, or has another version, and says where', async () => {
    const gone = join(folder, 'gone', 'plugin.json');
    const there = join(files('there', { 'plugin.json': manifest('') }), 'plugin.json');
    const reference = { reference: 's', suitesDir: folder, builtDir: folder };
    const resumed = (method: Recorded['methods'], scorers: readonly ScorerPlace[] = []) => problem('resume', files('of-gone', {
      'run.json': recordText({ methods: method!, suite: { reference: { ...reference, scorers } } }),
    }));
    for (const text of [await resumed([{ id: 'held', manifest: gone }]), await resumed([{ manifest: there }], [{ id: 'held', codePath: gone }])]) {
      expect(text).to.contain('LETHE_RUN_CHANGED').and.contain('"held"').and.contain(`at  ${gone}`).and.contain(`lethe resume ${join(folder, 'of-gone')}`).and.contain('--plugins');
    }
    expect(await resumed([{ id: 'mine', version: '0.9.0', manifest: there }])).to.contain('LETHE_RUN_CHANGED').and.contain('mine, 0.9.0 then and 1.0.0 now').and.contain(there);
    const changed = await resumed([{ id: 'mine', version: '1.0.0', manifest: there, options: { strength: 1 } }]);
    expect(changed, 'options that were changed by hand').to.contain('LETHE_PLUGIN_OPTIONS').and.contain('strength').and.contain(there);
  });

  it('to resume, export or publish a run whose record is not as it was written, with the place', async () => {
    const path = files('damaged', { 'run.json': recordText().replace('"seeds":[1]', '"seeds":"1"') });
    for (const args of [['resume', path], ['export', path, '--out', out], ['publish', path, '--entries', out], ['generate', '--run', path, '--prompt', 'a']]) {
      expect(await problem(...args), args[0]).to.match(/^LETHE_RUN_(DAMAGED|MISSING)/);
    }
    expect(await problem('resume', path)).to.contain('"seeds" must be a list, not "1"').and.contain('run.json#/configuration/seeds').and.contain('fix Delete ');
    files('damaged', { 'run.json': recordText({ picked: [0, 1] }) });
    expect(await problem('resume', path)).to.contain('run.json#/configuration/picked/1').and.contain('there is 1 run, counted from 0');
  });

  it('to resume where there is no run', async () => {
    expect(await problem('resume', folder)).to.contain('LETHE_RUN_MISSING').and.contain(folder).and.contain('fix ');
  });
});
