import { expect } from 'chai';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { writeResults } from '@lethe/harness';
import { PATHS } from '../src/paths.js';
import { recordText } from './record.js';
import { ofKind, plugin } from './small-plugins.js';
import { call, run } from './small-runs.js';

describe('lethe validate, of a plugin', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-validate-')); });
  after(() => rmSync(folder, { recursive: true }));

  it('says what it checked of a method and what not', async () => {
    const { data, problem } = await call('validate', join(PATHS.plugins, 'lora-sequential'));
    expect(problem).to.equal('');
    expect(data).to.contain('method lora-sequential').and.match(/checked: conformance .*same-seed, resumes/).and.contain('not checked: its own tests');
  });

  it('names every rule that is broken, with what was seen and the remedy', async () => {
    const at = plugin(folder, 'broken', 'broken', 'report: () => [new Date(0), Math.random(), () => 1],');
    const { data, problem } = await call('validate', at);
    expect(data).to.equal('');
    expect(problem).to.contain('LETHE_PLUGIN_CONFORMANCE').and.match(/breaks \d rules/).and.contain(join(at, 'index.js'));
    expect(problem).to.match(/^ {2}no-ambient: the method reads Math\.random .*index\.js:\d+/m).and.match(/^ {2}json-state: after stage 1 report\(\)/m);
    expect(problem).to.match(/fix .*host\.random/);
  });

  it('checks a method with other options than its defaults, and says with which', async () => {
    expect((await call('validate', join(PATHS.plugins, 'ewc'), '--set', 'penalties=separate', '--set', 'lambda=3')).data)
      .to.match(/checked: conformance with penalties="separate", lambda=3 and the defaults of its other options: .*same-seed, resumes/);
    // what it reports with its default is sound
    const at = plugin(folder, 'restless', 'restless', 'report: () => (options.calm ? [] : [new Date(0)]),');
    expect((await call('validate', at)).data).to.contain('conformance with the defaults of its options').and.contain('not checked: its own tests (mocha), its options with other values (--set OPTION=VALUE)');
    const { data, problem } = await call('validate', at, '--set', 'calm=false');
    expect(data).to.equal('');
    expect(problem).to.contain('LETHE_PLUGIN_CONFORMANCE').and.contain('method "restless" with calm=false breaks a rule').and.match(/^ {2}json-state: /m);
  });

  it('judges a method by what its manifest declares of it with the options that are given', async () => {
    const { data, problem } = await call('validate', join(PATHS.plugins, 'seta'), '--set', 'oracle=true');
    expect(problem).to.equal('');
    expect(data).to.contain('conformance with oracle=true').and.match(/not checked: conformance: task-blind, because/);
  });

  for (const [title, settings, ...texts] of [
    ['an unknown option', ['lamda=3'], 'LETHE_PLUGIN_OPTIONS', 'Did you mean "lambda"?', join('plugins', 'ewc', 'plugin.json'), 'known options: lambda, ', 'lethe show method ewc lists its options'],
    ['a value out of range', ['gamma=2'], 'LETHE_PLUGIN_OPTIONS', 'from 0 to 1, given 2', 'fix give gamma a number from 0 to 1'],
    ['a choice that there is not', ['penalties=none'], 'LETHE_PLUGIN_OPTIONS', 'fix give penalties one of '],
    ['an option given twice', ['lambda=3', 'lambda=4'], 'LETHE_USAGE', '--set gives lambda twice'],
    ['a setting that is none', ['lambda'], 'LETHE_USAGE', '--set "lambda" is not OPTION=VALUE'],
    ['a setting with its method', ['ewc.lambda=0.5'], 'LETHE_USAGE', 'fix leave it out: --set lambda=0.5'],
  ] as const) {
    it(`refuses ${title}`, async () => {
      const { data, problem } = await call('validate', join(PATHS.plugins, 'ewc'), ...settings.flatMap((setting) => ['--set', setting]));
      expect(data).to.equal('');
      for (const text of texts) expect(problem).to.contain(text);
    });
  }

  it('takes no options for what is no method', async () => {
    const scorer = ofKind(folder, 'still', 'scorer', "export default { id: 'still', needs: 'text', needsSource: false, score: () => 1 };");
    for (const [at, file] of [[join(PATHS.suites, 'domain-mini'), 'suite.yaml'], [scorer, 'plugin.json']] as const) {
      const { data, problem } = await call('validate', at, '--set', 'lambda=3');
      expect(data).to.equal('');
      expect(problem).to.contain('LETHE_USAGE').and.contain('no plugin of a method').and.contain(join(at, file)).and.contain('fix leave --set out');
    }
  });

  it('says where what it tested is older than what is written, and how it is built', async () => {
    const at = plugin(folder, 'stale', 'stale');
    const source = join(at, 'index.ts');
    writeFileSync(source, 'export default {};\n');
    utimesSync(source, 1, 1);
    expect((await call('validate', at)).data).to.contain('method stale').and.not.contain('npx tsc');
    utimesSync(join(at, 'index.js'), 1, 1);
    utimesSync(source, 2, 2);
    const { data, problem } = await call('validate', at);
    expect(problem).to.equal('');
    expect(data).to.contain('method stale').and.match(/not checked: .*index\.ts as it is now, which is newer .*: npx tsc -p .*stale, and validate again$/);
    writeFileSync(join(at, 'tsconfig.tsbuildinfo'), '{}');
    expect((await call('validate', at)).data).to.not.contain('npx tsc');
    rmSync(join(at, 'tsconfig.tsbuildinfo'));
    const broken = plugin(folder, 'stale-broken', 'stale-broken', 'report: () => [Math.random()],');
    writeFileSync(join(broken, 'index.ts'), 'export default {};\n');
    utimesSync(join(broken, 'index.js'), 1, 1);
    expect((await call('validate', broken)).problem).to.contain('LETHE_PLUGIN_CONFORMANCE').and.match(/fix .*index\.ts as it is now/);
  });

  it('holds a scorer to the rules of scorers, and to the name of its plugin', async () => {
    const at = ofKind(folder, 'fickle', 'scorer', "export default { id: 'fickle', needs: 'text', needsSource: false, score: () => Math.random() * 2 };");
    const { problem } = await call('validate', at, '--plugins', at);
    expect(problem).to.contain('LETHE_PLUGIN_CONFORMANCE').and.contain('scorer "fickle" breaks').and.match(/^ {2}no-ambient: it reads Math\.random/m);
    const other = ofKind(folder, 'one', 'scorer', "export default { id: 'another', needs: 'text', needsSource: false, score: () => 1 };");
    expect((await call('list', 'scorers', '--plugins', other)).notes).to.contain('LETHE_PLUGIN_EXPORT').and.contain('"one"').and.contain('"another"');
    const none = ofKind(folder, 'none', 'scorer', 'export default { id: \'none\', needs: \'text\', score: () => 1 };');
    expect((await call('validate', none)).problem).to.contain('LETHE_PLUGIN_EXPORT').and.contain('no "needsSource"').and.contain('const scorer: Scorer');
    const taken = ofKind(folder, 'rouge-l', 'scorer', "export default { id: 'rouge-l', needs: 'text', needsSource: false, score: () => 1 };");
    expect((await call('list', 'suites', '--plugins', taken)).notes).to.contain('LETHE_PLUGIN_DUPLICATE').and.contain('another scorer called "rouge-l"');
  });

  it('runs no code that came along with a run which is only looked at', async () => {
    const stranger = join(folder, 'of a stranger');
    mkdirSync(stranger);
    const codePath = join(stranger, 'evil.mjs');
    writeFileSync(codePath, "globalThis.evil = true;\nexport default { id: 'evil', needs: 'text', needsSource: false, score: () => 1 };");
    for (const place of [codePath, relative(process.cwd(), codePath)]) {
      const reference = { reference: 's', suitesDir: folder, builtDir: folder, scorers: [{ id: 'evil', codePath: place }] };
      writeFileSync(join(stranger, 'run.json'), recordText({ suite: { reference } }));
      for (const args of [['show', stranger], ['table', join(stranger, 'results.json')], ['publish', `${stranger}/../of a stranger`, '--entries', join(folder, 'entries')]]) {
        expect((await call(...args)).problem, args.join(' ')).to.match(/^LETHE_RUN_/);
        expect(globalThis).not.to.have.property('evil');
      }
    }
  });

  it('makes no run again of a method that results name by a path', async () => {
    const at = plugin(folder, 'posted', 'posted');
    writeFileSync(join(at, 'index.js'), 'globalThis.evil = true;');
    const results = join(folder, 'posted-results');
    mkdirSync(results);
    await writeResults(results, [run(at, 1, 3, 4)]);
    expect((await call('reproduce', results)).problem).to.contain('LETHE_RESULTS_INVALID').and.contain(`"${at}", which is a path`).and.contain('fix ');
    expect(globalThis).not.to.have.property('evil');
  });

  it('tells whoever names a broken scorer what is wrong with it', async () => {
    const unsound = ofKind(folder, 'unsound', 'scorer', '');
    const manifest = JSON.parse(readFileSync(join(unsound, 'plugin.json'), 'utf8')) as Record<string, unknown>;
    writeFileSync(join(unsound, 'plugin.json'), JSON.stringify({ ...manifest, version: 'one' }));
    const silent = ofKind(folder, 'silent', 'scorer', 'export const nothing = 1;');
    for (const [scorer, at, code] of [['silent', silent, 'LETHE_PLUGIN_EXPORT'], ['unsound', unsound, 'LETHE_PLUGIN_MANIFEST']] as const) {
      const suite = join(folder, `of-${scorer}`);
      cpSync(join(PATHS.suites, 'domain-mini'), suite, { recursive: true });
      const file = join(suite, 'suite.yaml');
      const text = readFileSync(file, 'utf8').replace('id: domain-mini', `id: of-${scorer}`);
      writeFileSync(file, text.replace('title: Triage notes,', `$& written: { scorer: ${scorer}, maxTokens: 4, stop: [] },`));
      const { problem } = await call('show', 'suite', suite, '--plugins', at);
      expect(problem, scorer).to.contain(code).and.contain(at).and.not.contain('LETHE_SUITE_INVALID');
    }
  });

  it('holds the suite of a plugin to the name and version of its manifest', async () => {
    const at = ofKind(folder, 'trades', 'suite', '');
    expect((await call('validate', at)).problem).to.contain('LETHE_SUITE_UNKNOWN').and.contain(join(at, 'suite.yaml'));
    cpSync(join(PATHS.suites, 'domain-mini', 'suite.yaml'), join(at, 'suite.yaml'));
    const { problem } = await call('run', 'trades', '--plugins', at, '--out', join(folder, 'untrue'));
    expect(problem).to.contain('LETHE_SUITE_INVALID').and.contain('The plugin is trades 1.0.0').and.contain('domain-mini');
    expect(existsSync(join(folder, 'untrue'))).to.equal(false);
  });

  it('names a manifest before it runs any code', async () => {
    const at = plugin(folder, 'unsound', 'unsound', 'report() {},');
    writeFileSync(join(at, 'index.js'), 'throw new Error(\'was run\');\n');
    expect((await call('validate', at)).problem).to.contain('LETHE_PLUGIN_EXPORT').and.contain('was run');
    writeFileSync(join(at, 'plugin.json'), readFileSync(join(at, 'plugin.json'), 'utf8').replace('"licence"', '"license"'));
    expect((await call('validate', at)).problem).to.contain('LETHE_PLUGIN_MANIFEST').and.contain('Did you mean "licence"?');
  });
});
