import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { inspectSuite, loadSuite, readSuiteFile } from '../src/index.js';
import { OwnSuite, YAML, errorOf, jsonLines, lineOf } from './support.js';

const ROWS = [
  { id: 'a', input: 'The printer is on fire.', output: 'Call the fire brigade' },
  { id: 'b', input: 'How many desks?', output: ['12', 'twelve', '12'] },
  { id: 'c', input: 'How many chairs?', output: 30 },
];
const MAILS = '- { id: mails, title: Mails, labels: { hr: personnel, fin: finance } }';

describe('a task that is answered by writing', () => {
  let suite: OwnSuite;
  let text: string;
  beforeEach(() => { suite = new OwnSuite(); });
  afterEach(() => rmSync(suite.folder, { recursive: true }));
  const write = (written: string, rows: readonly unknown[] = ROWS, prompt = '"{input}\\nReply:"') => {
    text = YAML.replace(MAILS, `- id: mails\n    title: Mails\n    prompt: ${prompt}\n    ${written}`);
    suite.yaml(text);
    for (const split of ['train', 'test']) suite.write(`mails/${split}.jsonl`, jsonLines(rows.map((row) => ({ ...row as object, id: `${split}-${(row as { id: string }).id}`, input: `${split}: ${(row as { input: string }).input}` }))));
  };
  const mails = async () => (await loadSuite(suite.reference())).tasks[1]!;

  it('has right answers instead of options, the first of them to train on', async () => {
    write('written: { scorer: exact-match, maxTokens: 8 }');
    const { test, written } = await mails();
    expect(written).to.deep.equal({ scorer: 'exact-match', maxTokens: 8, stop: ['\n'] });
    expect(test).to.deep.equal([
      { id: 'test-a', prompt: 'test: The printer is on fire.\nReply:', options: [' Call the fire brigade'], answer: 0 },
      { id: 'test-b', prompt: 'test: How many desks?\nReply:', options: [' 12', ' twelve'], answer: 0 },
      { id: 'test-c', prompt: 'test: How many chairs?\nReply:', options: [' 30'], answer: 0 },
    ]);
    const [tickets] = (await loadSuite(suite.reference())).tasks;
    expect(tickets).to.not.have.property('written');
  });

  it('has another hash when its answers are judged or limited otherwise', async () => {
    const hashes = new Set<string>();
    for (const written of ['scorer: exact-match, maxTokens: 8', 'scorer: rouge-l, maxTokens: 8', 'scorer: exact-match, maxTokens: 9', 'scorer: exact-match, maxTokens: 8, stop: []']) {
      write(`written: { ${written} }`);
      hashes.add((await mails()).sha256);
    }
    expect(hashes.size).to.equal(4);
  });

  it('brings what its answers rewrite, where the scorer compares with it', async () => {
    write('written: { scorer: sari, maxTokens: 8, source: input }');
    expect((await mails()).test[0]).to.deep.include({ source: 'test: The printer is on fire.' });
  });

  for (const [title, written, message, piece] of [
    ['an unknown scorer', 'written: { scorer: exact-mach, maxTokens: 8 }', 'Did you mean "exact-match"?', 'written'],
    ['a scorer of options', 'written: { scorer: accuracy, maxTokens: 8 }', 'no scorer of text called "accuracy"', 'written'],
    ['a scorer without the source that it needs', 'written: { scorer: sari, maxTokens: 8 }', 'compares with the text that was rewritten', 'written'],
    ['a source that no scorer needs', 'written: { scorer: rouge-l, maxTokens: 8, source: input }', 'takes no source', 'written'],
    ['no limit', 'written: { scorer: rouge-l }', 'maxTokens', 'written'],
    ['a limit of nothing', 'written: { scorer: rouge-l, maxTokens: 0 }', 'maxTokens', 'written'],
    ['an unknown field', 'written: { scorer: rouge-l, maxTokens: 4, stops: [x] }', 'Did you mean "stop"?', 'written'],
    ['labels as well', 'written: { scorer: rouge-l, maxTokens: 8 }\n    labels: [a, b]', 'twice', 'id: mails'],
  ] as const) {
    it(`refuses ${title}, with its line`, async () => {
      write(written);
      const error = await errorOf(() => readSuiteFile(suite.file));
      expect(error.code).to.equal('LETHE_SUITE_INVALID');
      expect(error.message).to.contain(message);
      expect(error.where).to.equal(`${suite.file}:${lineOf(text, piece)}`);
    });
  }

  it('refuses a prompt that offers options', async () => {
    write('written: { scorer: rouge-l, maxTokens: 8 }', ROWS, '"{input} {options}"');
    expect((await errorOf(() => readSuiteFile(suite.file))).message).to.contain('{options}');
  });

  it('notes rows of which no right answer can be written whole, as the model stops before', async () => {
    const lines = [{ id: 'a', input: 'x', output: 'one\ntwo' }, { id: 'b', input: 'y', output: ['three\nfour', 'five'] }, { id: 'c', input: 'z', output: 'six' }];
    const notes = async (written: string) => {
      write(`written: { ${written} }`, lines);
      return (await inspectSuite(suite.reference())).notes;
    };
    const [note, ...others] = await notes('scorer: exact-match, maxTokens: 8');
    expect(others).to.deep.equal([]);
    expect(note).to.contain('task "mails": 1 of 3 test rows').and.contain('"\\n"').and.contain('full score of exact-match').and.contain('written.stop');
    expect(await notes('scorer: rouge-l, maxTokens: 8')).to.have.length(1);
    // whose first letter is right has all there is
    expect(await notes('scorer: first-character, maxTokens: 8')).to.deep.equal([]);
    expect(await notes('scorer: exact-match, maxTokens: 8, stop: []')).to.deep.equal([]);
    expect(await notes('scorer: exact-match, maxTokens: 8, stop: [six]')).to.have.length(1);
  });

  it('refuses rows without a right answer, with their line', async () => {
    for (const output of ['', '  ', [], ['x', ''], null, { text: 'x' }, undefined]) {
      write('written: { scorer: rouge-l, maxTokens: 8 }', [ROWS[0], { id: 'x', input: 'y', output }]);
      const error = await errorOf(mails);
      expect(error.code).to.equal('LETHE_DATA_ROW');
      expect(error.where).to.equal(`${join(suite.folder, 'mails', 'train.jsonl')}:2`);
    }
  });
});
