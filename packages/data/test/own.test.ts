import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Example, sha256 } from '@lethe/core';
import { inspectSuite, loadSuite } from '../src/index.js';
import { OwnSuite, YAML, errorOf, jsonLines, lineOf, rowsOf } from './support.js';

const ids = (rows: readonly Example[]): string[] => rows.map(({ id }) => id);
const shares = (rows: readonly Example[]): number[] => [0, 1, 2].map((answer) => rows.filter((row) => row.answer === answer).length);

describe('a suite of your own', () => {
  let suite: OwnSuite;
  beforeEach(() => { suite = new OwnSuite(); });
  afterEach(() => rmSync(suite.folder, { recursive: true }));

  it('loads by the path of its file or folder, with its rows beside it', async () => {
    const data = await loadSuite(suite.reference());
    expect(await loadSuite(suite.reference({ reference: suite.file }))).to.deep.equal(data);
    expect(data).to.include({ id: 'my-suite', version: '1.0.0', kind: 'domain', title: 'Tickets and mails', size: 'full' });
    expect(data.training.learningRate).to.equal(1e-3);
    expect(data.probes).to.deep.equal([]);
    expect(data.tasks.map(({ id, title }) => [id, title])).to.deep.equal([['tickets', 'Tickets'], ['mails', 'Mails']]);
  });

  it('fills in prompts and offers the answers that the labels stand for', async () => {
    const [tickets, mails] = (await loadSuite(suite.reference())).tasks;
    expect(tickets!.test[1]).to.deep.equal({
      id: 't-test-1', prompt: 't test message 1\nWho answers this: hardware, software, accounts?\nAnswer:',
      options: [' hardware', ' software', ' accounts'], answer: 1,
    });
    expect(mails!.test[0]!.prompt).to.contain('Who answers this: personnel, finance?');
    expect(mails!.test[0]).to.deep.include({ options: [' personnel', ' finance'], answer: 0 });
  });

  it('takes an input as it is, whatever it looks like', async () => {
    const input = 'costs $& and $1 for {options} of {input}\u2028';
    suite.write('tickets/test.jsonl', jsonLines([{ id: 'x', input, output: 'hardware', note: { more: 1 } }]));
    const { tasks: [tickets] } = await loadSuite(suite.reference());
    expect(tickets!.test[0]!.prompt).to.equal(`${input}\nWho answers this: hardware, software, accounts?\nAnswer:`);
  });

  it('reads Windows line ends, a byte order mark, empty lines and a last line without an end', async () => {
    const plain = await loadSuite(suite.reference());
    const text = readFileSync(join(suite.folder, 'tickets/test.jsonl'), 'utf8');
    suite.write('tickets/test.jsonl', `\ufeff${text.trimEnd().replaceAll('\n', '\r\n\r\n')}`);
    expect(await loadSuite(suite.reference())).to.deep.equal(plain);
  });

  it('reads rows longer than one chunk of a file', async () => {
    const input = 'long '.repeat(50_000);
    suite.write('tickets/test.jsonl', jsonLines([{ id: 'x', input, output: 'hardware' }]));
    const { tasks: [tickets] } = await loadSuite(suite.reference());
    expect(tickets!.test[0]!.prompt).to.contain(input);
  });

  it('holds out a tenth of the training rows for validation, the same in every size, and leaves test rows alone', async () => {
    const full = (await loadSuite(suite.reference())).tasks[0]!;
    const mini = (await loadSuite(suite.reference({ size: 'mini' }))).tasks[0]!;
    expect([full.train.length, full.validation.length, full.test.length]).to.deep.equal([54, 6, 12]);
    expect(ids(full.validation).every((id) => id.startsWith('t-train-'))).to.equal(true);
    expect(new Set([...ids(full.train), ...ids(full.validation)])).to.have.property('size', 60);
    expect([mini.train.length, mini.validation.length, mini.test.length]).to.deep.equal([20, 4, 6]);
    expect(ids(full.train)).to.include.members(ids(mini.train));
    expect(ids(full.validation)).to.include.members(ids(mini.validation));
  });

  it('holds out nothing where no size wants validation rows', async () => {
    suite.yaml(YAML.replace('validation: all', 'validation: 0').replace('validation: 4', 'validation: 0'));
    const { tasks: [tickets] } = await loadSuite(suite.reference());
    expect([tickets!.train.length, tickets!.validation.length]).to.deep.equal([60, 0]);
  });

  it('prefers a validation file', async () => {
    suite.write('tickets/validation.jsonl', jsonLines(rowsOf('t', 'validation', 5, ['hardware', 'software', 'accounts'])));
    const { tasks: [tickets] } = await loadSuite(suite.reference());
    expect(tickets!.train).to.have.length(60);
    expect(ids(tickets!.validation)).to.deep.equal([0, 1, 2, 3, 4].map((i) => `t-validation-${i}`));
  });

  it('never holds out a text that is trained on under another id', async () => {
    const rows = rowsOf('t', 'train', 60, ['hardware', 'software', 'accounts']);
    suite.write('tickets/train.jsonl', jsonLines([...rows, ...rows.map((row) => ({ ...row, id: `${row.id}-again` }))]));
    const { tasks: [tickets] } = await loadSuite(suite.reference());
    const trained = new Set(tickets!.train.map(({ prompt }) => prompt));
    expect(tickets!.train).to.have.length(108);
    expect(tickets!.validation.some(({ prompt }) => trained.has(prompt))).to.equal(false);
  });

  it('samples by answer: every one keeps its share', async () => {
    const { tasks: [tickets, mails] } = await loadSuite(suite.reference({ size: 'mini' }));
    expect(shares(tickets!.test)).to.deep.equal([3, 2, 1]);
    expect(shares(mails!.test)).to.deep.equal([3, 3, 0]);
    expect(shares(tickets!.train)[0]).to.be.within(9, 11);
  });

  it('samples the same rows whatever their order in the file, and others under another seed of the suite', async () => {
    const load = async () => (await loadSuite(suite.reference({ size: 'mini' }))).tasks[0]!;
    const before = await load();
    const lines = readFileSync(join(suite.folder, 'tickets/train.jsonl'), 'utf8').trimEnd().split('\n');
    suite.write('tickets/train.jsonl', `${lines.reverse().join('\n')}\n`);
    const after = await load();
    expect(ids(after.train)).to.have.members(ids(before.train));
    suite.edit('seed: 1', 'seed: 2');
    expect(ids((await load()).train)).not.to.have.members(ids(before.train));
  });

  it('states the hash of the rows as they are used', async () => {
    const [full, mini] = [await loadSuite(suite.reference()), await loadSuite(suite.reference({ size: 'mini' }))];
    for (const { train, validation, test, sha256: stated } of full.tasks) expect(stated).to.equal(sha256({ train, validation, test }));
    expect(mini.tasks[0]!.sha256).not.to.equal(full.tasks[0]!.sha256);
  });

  it('finds its rows in a data folder, and says the same of them there', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'lethe-rows-'));
    try {
      const beside = await loadSuite(suite.reference());
      for (const task of ['tickets', 'mails']) {
        cpSync(join(suite.folder, task), join(elsewhere, task), { recursive: true });
        rmSync(join(suite.folder, task), { recursive: true });
      }
      expect(await loadSuite(suite.reference({ dataDir: elsewhere }))).to.deep.equal(beside);
      const error = await errorOf(() => loadSuite(suite.reference()));
      expect(error.code).to.equal('LETHE_DATA_MISSING');
      expect(error.where).to.equal(suite.folder);
      for (const file of ['tickets/train.jsonl', 'tickets/test.jsonl', 'mails/train.jsonl', 'mails/test.jsonl']) expect(error.message).to.contain(join(file));
      expect(error.remedy).to.contain('--data-dir DIR');
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('takes the rows of its probes from a data folder and its own from beside it, and mixes no task of the two', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'lethe-rows-'));
    try {
      suite.write('watched/suite.yaml', YAML.replace('id: my-suite', 'id: watched').replaceAll('mails', 'facts').replaceAll('tickets', 'skills'));
      suite.yaml(`${YAML.replaceAll(' }\n  mini', ', probe: 4 }\n  mini').replace('test: 6 }', 'test: 6, probe: 2 }')}probes: { suite: ./watched }\n`);
      const put = (path: string, rows: readonly unknown[]) => {
        mkdirSync(join(elsewhere, path, '..'), { recursive: true });
        writeFileSync(join(elsewhere, path), jsonLines(rows));
      };
      put('skills/test.jsonl', [{ id: 's', input: 'a skill', output: 'hardware' }]);
      put('facts/test.jsonl', [{ id: 'f', input: 'a fact', output: 'hr' }]);
      const data = await loadSuite(suite.reference({ dataDir: elsewhere }));
      expect(data.probes.map(({ test }) => ids(test))).to.deep.equal([['s'], ['f']]);
      expect(data.tasks.map(({ train, test }) => [train.length, test.length])).to.deep.equal([[54, 12], [54, 12]]);
      put('tickets/train.jsonl', [{ id: 'n', input: 'another ticket', output: 'hardware' }]);
      const error = await errorOf(() => loadSuite(suite.reference({ dataDir: elsewhere })));
      expect([error.code, error.where]).to.deep.equal(['LETHE_DATA_MISSING', elsewhere]);
      expect(error.message).to.contain(join('tickets', 'test.jsonl')).and.not.contain('mails');
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('leaves rows out by the ids that they have, which may be made of their places or inputs, and names those that no row has', async () => {
    const text = readFileSync(join(suite.folder, 'tickets/train.jsonl'), 'utf8').trimEnd().split('\n');
    suite.write('tickets/train.jsonl', ['not JSON', ...text].join('\n'));
    const content = sha256(['t test message 3']).slice(0, 16);
    const load = async (more: string) => {
      suite.edit('title: Tickets,', `${more}, title: Tickets,`);
      const { suite: { tasks: [tickets] }, notes } = await inspectSuite(suite.reference());
      return [tickets!.train.length + tickets!.validation.length, tickets!.test.length, notes];
    };
    expect(await load('ids: place, without: [train-1, train-2, test-12, t-train-5]')).to.deep.equal(
      [59, 11, ['no row of task "tickets" has an id that is to be left out: t-train-5']]);
    suite.write('tickets/train.jsonl', text.join('\n'));
    expect(await load(`ids: content, without: ["${content}"]`)).to.deep.equal([60, 11, []]);
    expect(await load('without: [t-train-5, t-train-60]')).to.deep.equal([59, 12, ['no row of task "tickets" has an id that is to be left out: t-train-60']]);
  });

  it('notes rows that stand more than once in one part of a task, whatever they are answered, but not the same prompt with other options', async () => {
    const twice = (folder: string, letter: string, labels: readonly string[], ...more: readonly object[]) => {
      const rows = rowsOf(letter, 'train', 60, labels);
      suite.write(`${folder}/train.jsonl`, jsonLines([...rows, { ...rows[4], id: 'again' }, ...more]));
      return join(suite.folder, folder, 'train.jsonl');
    };
    const tickets = twice('tickets', 't', ['hardware', 'software', 'accounts'], { ...rowsOf('t', 'train', 60, ['hardware'])[4], id: 'otherwise', output: 'accounts' });
    const mails = twice('mails', 'm', ['hr', 'fin']);
    expect((await inspectSuite(suite.reference())).notes).to.deep.equal([
      `2 train rows of task "tickets" ask what earlier ones ask (${tickets}:5 and ${tickets}:61)`,
      `1 train row of task "mails" asks what an earlier one asks (${mails}:5 and ${mails}:61)`,
    ]);
    suite.edit('labels: { hr: personnel, fin: finance }', 'choices: texts');
    const asked = (id: string, input: string, ...choices: string[]) => ({ id, input, choices, answer: 0 });
    suite.write('mails/train.jsonl', jsonLines([asked('a', 'who', 'you', 'he'), asked('b', 'who', 'she', 'I'), asked('c', 'who', 'you', 'he')]));
    suite.write('mails/test.jsonl', jsonLines([asked('d', 'what', 'this', 'that')]));
    expect((await inspectSuite(suite.reference())).notes[1]).to.equal(`1 train row of task "mails" asks what an earlier one asks (${mails}:1 and ${mails}:3)`);
  });

  it('says which size was meant', async () => {
    const error = await errorOf(() => loadSuite(suite.reference({ size: 'mimi' })));
    expect(error.code).to.equal('LETHE_SUITE_UNKNOWN');
    expect(error.message).to.contain('Did you mean "mini"?');
    expect(error.where).to.equal(`${suite.file}:${lineOf(YAML, 'sizes:')}`);
    expect(error.remedy).to.contain('full, mini');
  });

  it('takes pinned files and refuses others', async () => {
    const hash = (path: string) => createHash('sha256').update(readFileSync(join(suite.folder, path))).digest('hex');
    suite.edit('title: Mails', `sha256: { train: ${hash('mails/train.jsonl')}, test: ${hash('mails/test.jsonl')} }, title: Mails`);
    const { tasks } = await loadSuite(suite.reference());
    suite.write('mails/validation.jsonl', jsonLines(rowsOf('m', 'validation', 5, ['hr', 'fin'])));
    expect((await loadSuite(suite.reference())).tasks).to.deep.equal(tasks);
    suite.write('mails/test.jsonl', jsonLines(rowsOf('m', 'test', 13, ['hr', 'fin'])));
    const error = await errorOf(() => loadSuite(suite.reference()));
    expect(error.code).to.equal('LETHE_DATA_CHANGED');
    expect(error.where).to.equal(join(suite.folder, 'mails/test.jsonl'));
  });

  it('makes rows by a generate.mjs beside it', async () => {
    suite.yaml(YAML.replace('labels: { hr: personnel, fin: finance }', 'generator: true')
      .replace('full: { train: all, validation: all, test: all }', 'full: { train: 8, validation: 0, test: 4 }'));
    suite.write('generate.mjs', `export const generate = (task, split, count, seed) => Array.from({ length: count }, (_, i) =>
      ({ id: split + i, prompt: [task, split, seed, i].join(' '), options: [' a', ' b'], answer: i % 2 }));`);
    const [, mails] = (await loadSuite(suite.reference())).tasks;
    expect(mails!.train.map(({ prompt }) => prompt)).to.include('mails train 1 7').and.have.length(8);
  });
});
