import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SuiteData } from '@lethe/core';
import { listSuites, loadSuite, readSuiteFile } from '../src/index.js';
import { DATA, INSTALLED, YAML, errorOf } from './support.js';

const prompts = (suite: SuiteData, split: 'train' | 'validation' | 'test'): Set<string> =>
  new Set(suite.tasks.flatMap((task) => task[split].map(({ prompt }) => prompt)));

describe('installed suites', () => {
  it('are listed with what one must know to run them', () => {
    const suites = listSuites(INSTALLED.suitesDir);
    expect(suites.map(({ id }) => id)).to.include.members(['domain-mini', 'general-mini', 'standard-cl']);
    expect(suites.find(({ id }) => id === 'domain-mini')).to.include({ kind: 'domain', needsData: false });
    const standard = suites.find(({ id }) => id === 'standard-cl')!;
    expect(standard).to.include({ kind: 'general', needsData: true, file: join(INSTALLED.suitesDir, 'standard-cl', 'suite.yaml') });
    expect(standard.sizes).to.deep.equal(['full', 'mini']);
    expect(standard.tasks).to.deep.equal(['dbpedia', 'amazon', 'yahoo', 'agnews']);
    expect(standard.orders).to.deep.equal(['1', '2', '3']);
    expect(listSuites(join(INSTALLED.suitesDir, 'absent'))).to.deep.equal([]);
  });

  it('are found by their folder and file alone', async () => {
    const error = await errorOf(() => loadSuite({ ...INSTALLED, reference: join(INSTALLED.suitesDir, 'domain-mini', 'nosuch') }));
    expect([error.code, error.where]).to.deep.equal(['LETHE_SUITE_UNKNOWN', join(INSTALLED.suitesDir, 'domain-mini', 'nosuch')]);
  });

  it('name the schema that an editor checks them with', () => {
    for (const { file } of listSuites(INSTALLED.suitesDir)) {
      const [, path] = /^# yaml-language-server: \$schema=(.*)$/m.exec(readFileSync(file, 'utf8').split('\n')[0]!) ?? [];
      expect(existsSync(join(file, '..', path!)), file).to.equal(true);
    }
  });

  for (const id of ['domain-mini', 'general-mini', 'skills-mini', 'twins-mini']) {
    it(`${id} makes the rows that its sizes ask for, twice the same`, async () => {
      const suite = await loadSuite({ ...INSTALLED, reference: id });
      expect(await loadSuite({ ...INSTALLED, reference: join(INSTALLED.suitesDir, id) })).to.deep.equal(suite);
      const { train, validation, test } = readSuiteFile(join(INSTALLED.suitesDir, id, 'suite.yaml')).sizes['full']!;
      for (const task of suite.tasks) expect([task.train.length, task.validation.length, task.test.length]).to.deep.equal([train, validation, test]);
      for (const order of suite.orders.filter((one) => one.id !== 'short')) expect(order.tasks).to.have.members(suite.tasks.map((task) => task.id));
      const hashes = [...suite.tasks, ...suite.probes].map((task) => task.sha256);
      expect(new Set(hashes)).to.have.property('size', hashes.length);
    });
  }

  it('twins-mini asks of two offices for opposite answers to the same notes, for the same ones, and for some of both', async () => {
    const { tasks } = await loadSuite({ ...INSTALLED, reference: 'twins-mini' });
    const said = (id: string) => new Map(tasks.find((task) => task.id === id)!.train.map(({ prompt, options, answer }) =>
      [/.*\b(the .+) (?:in report|in case|after) \d/.exec(prompt)![1]!, options[answer]!.trim()]));
    const pairs = (first: string, second: string) => {
      const [one, other] = [said(first), said(second)];
      return [...new Set([...one].filter(([note]) => other.has(note)).map(([note, label]) => `${label} ${other.get(note)}`))].sort();
    };
    expect(pairs('long-desk', 'short-desk')).to.deep.equal(['better worse', 'unchanged unchanged', 'worse better']);
    expect(pairs('web', 'phone')).to.deep.equal(['later later', 'soon soon', 'urgent urgent']);
    expect(pairs('bread', 'cake')).to.deep.equal(['bake wait', 'throw throw', 'wait bake']);
  });

  it('domain-mini, skills-mini and twins-mini are probed with all tasks of general-mini', async () => {
    const general = await loadSuite({ ...INSTALLED, reference: 'general-mini' });
    const trained = prompts(general, 'train');
    for (const reference of ['domain-mini', 'skills-mini', 'twins-mini']) {
      const suite = await loadSuite({ ...INSTALLED, reference });
      expect(suite.probes.map(({ id }) => id), reference).to.deep.equal(general.tasks.map(({ id }) => id));
      expect(suite.probes.some(({ test }) => test.some(({ prompt }) => trained.has(prompt))), reference).to.equal(false);
    }
  });

  it('are named in the error about one that there is not', async () => {
    const error = await errorOf(() => loadSuite({ ...INSTALLED, reference: 'domain-mimi' }));
    expect(error.code).to.equal('LETHE_SUITE_UNKNOWN');
    expect(error.message).to.contain('Did you mean "domain-mini"?');
    expect(error.remedy).to.contain('general-mini').and.contain('standard-cl');
  });

  describe('in a folder of their own', () => {
    let root: string;
    const generated = YAML.replace(/prompt: \|-\n( .*\n)+/, '').replace(/labels: [[{].*[\]}] }/g, 'generator: true }')
      .replaceAll('all', '4');
    const add = (folder: string, code?: string) => {
      mkdirSync(join(root, folder), { recursive: true });
      writeFileSync(join(root, folder, 'suite.yaml'), generated);
      writeFileSync(join(root, 'package.json'), '{"type": "module"}');
      if (code !== undefined) writeFileSync(join(root, folder, 'generate.js'), code);
    };
    const load = () => loadSuite({ reference: 'my-suite', suitesDir: root, builtDir: root });
    beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'lethe-suites-')); });
    afterEach(() => rmSync(root, { recursive: true }));

    const rows = (row: string) => `export const generate = (task, split, count) => Array.from({ length: count }, (_, i) => (${row}));`;
    for (const [name, code, errorCode, message] of [
      ['that is not built', undefined, 'LETHE_DATA_MISSING', 'not built'],
      ['that cannot be imported', 'import "no-such-package";', 'LETHE_SUITE_INVALID', 'cannot be imported'],
      ['without the function', 'export const generator = 1;', 'LETHE_SUITE_INVALID', 'does not export a function "generate"'],
      ['that throws', 'export function generate() { throw new RangeError("too few"); }', 'LETHE_SUITE_INVALID', 'too few'],
      ['that makes too few rows', 'export const generate = () => [];', 'LETHE_SUITE_INVALID', 'made 0 train rows of task "tickets", not 4'],
      ['with an answer that is no option', rows('{ id: split + i, prompt: task + split + i, options: [" a", " b"], answer: 2 }'), 'LETHE_DATA_ROW', 'its answer, 2'],
      ['with one option', rows('{ id: split + i, prompt: task + split + i, options: [" a"], answer: 0 }'), 'LETHE_DATA_ROW', 'two or more different options'],
      ['with an id twice', rows('{ id: "x", prompt: task + split + i, options: [" a", " b"], answer: 0 }'), 'LETHE_DATA_ROW', 'its id is taken'],
      ['whose splits share a prompt', rows('{ id: split + i, prompt: task + i, options: [" a", " b"], answer: 0 }'), 'LETHE_SUITE_INVALID', 'train of task "tickets" and in validation of task "tickets"'],
    ] as const) {
      it(`refuse code ${name}`, async () => {
        add('my-suite', code);
        const error = await errorOf(load);
        expect(error.code).to.equal(errorCode);
        expect(error.message).to.contain(message);
        expect(error.where).to.be.a('string').that.is.not.empty;
      });
    }

    it('refuse code that throws while it is imported, with its line', async () => {
      add('my-suite', '\nthrow new Error("no words");\n');
      expect(await errorOf(load)).to.include({ code: 'LETHE_SUITE_INVALID', where: `${join(realpathSync(root), 'my-suite', 'generate.js')}:2` });
    });

    const written = (answer: string, scorer = 'exact-match', source = '') => {
      add('my-suite', rows(`{ id: split + i, prompt: task + split + i, answer: ${answer}${source} }`));
      writeFileSync(join(root, 'my-suite', 'suite.yaml'), generated.replaceAll('generator: true', `generator: true, written: { scorer: ${scorer}, maxTokens: 8 }`));
    };

    it('may have answers that are written', async () => {
      written('i % 2 ? "yes " + i : ["no", "never", "no"]');
      const { tasks: [tickets] } = await load();
      expect(tickets!.written).to.deep.equal({ scorer: 'exact-match', maxTokens: 8, stop: ['\n'] });
      expect(tickets!.test.slice(0, 2)).to.deep.equal([
        { id: 'test0', prompt: 'ticketstest0', options: [' no', ' never'], answer: 0 }, { id: 'test1', prompt: 'ticketstest1', options: [' yes 1'], answer: 0 },
      ]);
    });

    it('may bring what written answers rewrite', async () => {
      written('"yes"', 'sari', ', source: "yes, " + i');
      expect((await load()).tasks[0]!.test[1]).to.include({ source: 'yes, 1' });
    });

    for (const [name, answer, scorer, message] of [
      ['without an answer', '""', 'exact-match', 'neither a text nor a list of texts'],
      ['with an index for an answer', '0', 'exact-match', 'neither a text nor a list of texts'],
      ['with no answers', '[]', 'exact-match', 'neither a text nor a list of texts'],
      ['without the source that its scorer needs', '"yes"', 'sari', 'no source'],
    ] as const) {
      it(`refuse written rows ${name}`, async () => {
        written(answer, scorer);
        const error = await errorOf(load);
        expect(error.code).to.equal('LETHE_DATA_ROW');
        expect(error.message).to.contain(message);
      });
    }

    it('refuse a field as the source of rows that are made', async () => {
      written('"yes"', 'sari, source: input');
      expect((await errorOf(load)).message).to.contain('they bring their source');
    });

    it('refuse a folder of another name', async () => {
      add('other-suite');
      const error = await errorOf(() => listSuites(root));
      expect(error.message).to.contain('the suite in folder "other-suite" calls itself "my-suite"');
      expect(error.where).to.equal(`${join(root, 'other-suite', 'suite.yaml')}:2`);
    });
  });
});

describe('standard-cl on real rows (of ../shared/data/standard_cl_5, where that is)', () => {
  let full: SuiteData;
  let mini: SuiteData;
  before(async function () {
    if (!existsSync(DATA)) this.skip();
    const reference = { ...INSTALLED, reference: 'standard-cl', dataDir: DATA };
    [full, mini] = [await loadSuite(reference), await loadSuite({ ...reference, size: 'mini' })];
  });

  it('takes as many rows of every task', () => {
    expect(full.tasks.map(({ id, train, validation, test }) => [id, train.length, validation.length, test.length])).to.deep.equal(
      ['dbpedia', 'amazon', 'yahoo', 'agnews'].map((id) => [id, 880, 96, 496]));
  });

  it('has a mini size within the full one, and no prompt in two splits', () => {
    for (const split of ['train', 'validation', 'test'] as const) {
      const all = prompts(full, split);
      expect([...prompts(mini, split)].every((prompt) => all.has(prompt))).to.equal(true);
    }
    const tested = prompts(full, 'test');
    expect([...prompts(full, 'train'), ...prompts(full, 'validation')].some((prompt) => tested.has(prompt))).to.equal(false);
  });

  it('asks as O-LoRA does, without saying which task it is', () => {
    const [, amazon, , agnews] = mini.tasks;
    for (const { prompt, options } of agnews!.test) {
      expect(prompt.startsWith('What is the topic of the following paragraph? Choose one from the option.\n'
        + 'Option: World, Sports, Business, Science or Technology\nTitle: ')).to.equal(true);
      expect(prompt.endsWith('\nAnswer:')).to.equal(true);
      expect(options).to.deep.equal([' World', ' Sports', ' Business', ' Science or Technology']);
    }
    expect(amazon!.test[0]!.options).to.deep.equal([' very negative', ' negative', ' neutral', ' positive', ' very positive']);
  });

  it('labels rows as their file does', () => {
    for (const { id, test } of mini.tasks) {
      const outputs = new Map(readFileSync(join(DATA, id, 'test.jsonl'), 'utf8').trimEnd().split('\n')
        .map((line) => JSON.parse(line) as { id: string; output: string }).map((row) => [row.id, row.output]));
      expect(test.map(({ options, answer }) => options[answer])).to.deep.equal(test.map((row) => ` ${outputs.get(row.id)!}`));
    }
  });
});
