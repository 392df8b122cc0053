import { expect } from 'chai';
import { existsSync, mkdirSync, readFileSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { SuiteData } from '@lethe/core';
import { inspectSuite, isForProbes, loadSuite, readSuiteFile, verifyData } from '../src/index.js';
import { INSTALLED, OwnSuite, SHARED, YAML, errorOf, jsonLines } from './support.js';

const QUESTIONS = [
  { id: 'q1', question: 'Two and two?', choices: ['four', 'five', 'six'], answer: 0, subject: 'sums' },
  { id: 'q2', question: 'Largest planet?', choices: ['Mars', 'Jupiter'], answer: 1, subject: 'stars' },
];
const SHOTS = [
  { id: 's1', question: 'One and one?', choices: ['two', 'three'], answer: 0, subject: 'sums' },
  { id: 's2', question: 'Nearest star?', choices: ['Sirius', 'the Sun'], answer: 1, subject: 'stars' },
  { id: 's3', question: 'Three and one?', choices: ['four', 'eight'], answer: 0, subject: 'sums' },
];
const PROBES = (more: string) => `id: quiz
version: 1.0.0
kind: general
title: A quiz
description: Questions.
licence: CC0-1.0
seed: 1
tasks:
  - id: facts
    title: Facts
    inputs: [question]
    prompt: |-
      {question}
      {options}
      Answer:
    ${more}
`;

describe('rows with choices of their own', () => {
  let suite: OwnSuite;
  beforeEach(() => { suite = new OwnSuite(); });
  afterEach(() => rmSync(suite.folder, { recursive: true }));
  const quiz = (more: string, optional = '') => {
    suite.write('quiz/suite.yaml', PROBES(more));
    suite.write('quiz/facts/test.jsonl', jsonLines(QUESTIONS));
    suite.write('quiz/facts/fewshot.jsonl', jsonLines(SHOTS));
    suite.yaml(`${YAML.replaceAll(' }\n  mini', ', probe: 4 }\n  mini').replace('test: 6 }', 'test: 6, probe: 2 }')}probes: { suite: ./quiz${optional} }\n`);
  };
  const facts = async () => (await loadSuite(suite.reference())).probes[0]!.test;

  it('are answered by letter', async () => {
    quiz('choices: letters');
    const [first, second] = await facts();
    expect(first).to.deep.equal({ id: 'q1', prompt: 'Two and two?\nA. four\nB. five\nC. six\nAnswer:', options: [' A', ' B', ' C'], answer: 0 });
    expect(second).to.deep.include({ options: [' A', ' B'], answer: 1 });
  });

  it('are answered by text, and those with a long one can be left out', async () => {
    quiz('choices: texts');
    expect((await facts())[1]).to.deep.include({ prompt: 'Largest planet?\nMars, Jupiter\nAnswer:', options: [' Mars', ' Jupiter'] });
    quiz('choices: texts\n    longestChoice: 4');
    expect((await facts()).map(({ id }) => id)).to.deep.equal(['q1']);
  });

  it('may stand after answered rows of the same subject', async () => {
    quiz('choices: letters\n    shots: { count: 1, by: subject }');
    const [first, second] = await facts();
    expect(first!.prompt).to.equal('One and one?\nA. two\nB. three\nAnswer: A\n\nTwo and two?\nA. four\nB. five\nC. six\nAnswer:');
    expect(second!.prompt).to.contain('Nearest star?').and.not.contain('One and one?');
    quiz('choices: letters\n    shots: { count: 2 }');
    expect((await facts())[1]!.prompt.match(/Answer:/g)).to.have.length(3);
    quiz('choices: letters\n    shots: { count: 2, by: subject }');
    const error = await errorOf(facts);
    expect(error.message).to.contain('not enough few-shot rows for "stars"');
    expect(error.where).to.equal(`${join(suite.folder, 'quiz/facts/test.jsonl')}:2`);
  });

  it('may not stand answered in their own prompts, but in those of another subject', async () => {
    quiz('choices: letters\n    shots: { count: 1, by: subject }');
    const [sums] = SHOTS;
    suite.write('quiz/facts/test.jsonl', jsonLines([...QUESTIONS, { ...sums, id: 'q3', subject: 'stars' }]));
    expect(await facts()).to.have.length(3);
    suite.write('quiz/facts/test.jsonl', jsonLines([...QUESTIONS, { ...sums, id: 'q3' }]));
    const error = await errorOf(facts);
    expect([error.code, error.where]).to.deep.equal(
      ['LETHE_SUITE_INVALID', `${join(suite.folder, 'quiz/facts/fewshot.jsonl')}:1 and ${join(suite.folder, 'quiz/facts/test.jsonl')}:3`]);
    expect(error.message).to.contain('probe "facts"').and.contain('few-shot');
    // the third shot is not used
    suite.write('quiz/facts/test.jsonl', jsonLines([...QUESTIONS, { ...SHOTS[2], id: 'q3' }]));
    expect(await facts()).to.have.length(3);
  });

  for (const [name, row, message] of [
    ['without choices', { choices: undefined }, 'no field "choices"'],
    ['with one choice', { choices: ['a'] }, 'not a list of 2 to 26 texts'],
    ['with a choice that is no text', { choices: ['a', 2] }, 'not a list of 2 to 26 texts'],
    ['with a choice twice', { choices: ['a', 'a '] }, 'two choices are "a"'],
    ['with an answer out of range', { answer: 3 }, '"answer" is 3, not the place of a choice from 0 to 2'],
    ['with an answer that is no place', { answer: 'four' }, '"answer" is "four"'],
  ] as const) {
    it(`are refused ${name}`, async () => {
      quiz('choices: texts');
      suite.write('quiz/facts/test.jsonl', jsonLines([{ ...QUESTIONS[0], ...row }]));
      const error = await errorOf(facts);
      expect(error.code).to.equal('LETHE_DATA_ROW');
      expect(error.message).to.contain(message);
      expect(error.where).to.equal(`${join(suite.folder, 'quiz/facts/test.jsonl')}:1`);
    });
  }

  it('in a suite of probes are no stream', async () => {
    quiz('choices: letters');
    const reference = suite.reference({ reference: join(suite.folder, 'quiz') });
    expect(await isForProbes(reference)).to.equal(true);
    expect((await verifyData(reference)).map(({ kind, rows }) => [kind, rows])).to.deep.equal([['test', 2]]);
    const error = await errorOf(() => loadSuite(reference));
    expect(error.code).to.equal('LETHE_SUITE_INVALID');
    expect(error.remedy).to.contain('probes: { suite: quiz }');
  });

  it('that are not there end a run only where probes were asked for', async () => {
    quiz('choices: letters', ', optional: true');
    unlinkSync(join(suite.folder, 'quiz/facts/test.jsonl'));
    const { suite: data, notes } = await inspectSuite(suite.reference());
    expect(data.probes).to.deep.equal([]);
    expect(notes[0]).to.contain('no probes of general ability').and.contain(join('facts', 'test.jsonl'));
    expect((await errorOf(() => loadSuite(suite.reference({ probes: 'required' })))).code).to.equal('LETHE_DATA_MISSING');
    quiz('choices: letters');
    unlinkSync(join(suite.folder, 'quiz/facts/test.jsonl'));
    expect((await errorOf(() => loadSuite(suite.reference()))).code).to.equal('LETHE_DATA_MISSING');
  });

  for (const [name, more, message] of [
    ['choices and labels', 'choices: letters\n    labels: [a, b]', 'says twice where its rows come from'],
    ['choices and an output', 'choices: letters\n    output: label', 'fields are called choices and answer'],
    ['labels and a longest choice', 'labels: [a, b]\n    longestChoice: 4', 'bring no choices'],
    ['few-shot rows without their hash', `choices: letters\n    shots: { count: 1 }\n    sha256: { test: ${'a'.repeat(64)} }`, 'few-shot rows of task "facts" have no hash'],
    ['a source without hashes', 'choices: letters\n    source: { repo: datasets/a/b, revision: abc }', 'have a source and no sha256'],
    ['a source without a revision', `choices: letters\n    source: { repo: datasets/a/b }\n    sha256: { test: ${'a'.repeat(64)} }`, 'lacks its repository or revision'],
    ['a path that leaves the repository', `choices: letters\n    source: { repo: datasets/a/b, revision: abc, test: ../x.csv }\n    sha256: { test: ${'a'.repeat(64)} }`, 'source.test'],
    ['a folder that leaves the data', 'choices: letters\n    folder: a/../../b', '"tasks.0.folder"'],
  ] as const) {
    it(`refuse a suite file with ${name}`, async () => {
      quiz(more);
      const error = await errorOf(() => readSuiteFile(join(suite.folder, 'quiz/suite.yaml')));
      expect(error.code).to.equal('LETHE_SUITE_INVALID');
      expect(error.message).to.contain(message);
    });
  }
});

describe('rows in a data folder', () => {
  it('are found by the whole folder of a task or by its last part', async () => {
    const suite = new OwnSuite();
    try {
      const plain = await loadSuite(suite.reference());
      suite.edit('title: Mails', 'folder: office/mails, title: Mails');
      expect(await loadSuite(suite.reference())).to.deep.equal(plain);
      mkdirSync(join(suite.folder, 'office/mails'), { recursive: true });
      for (const split of ['train', 'test']) {
        suite.write(`office/mails/${split}.jsonl`, readFileSync(join(suite.folder, `mails/${split}.jsonl`), 'utf8').replaceAll('message', 'letter'));
      }
      expect((await loadSuite(suite.reference())).tasks[1]!.test[0]!.prompt).to.contain('letter');
    } finally {
      rmSync(suite.folder, { recursive: true });
    }
  });
});

describe('rows that are nearly the same in two places', () => {
  let suite: OwnSuite;
  beforeEach(() => { suite = new OwnSuite(); });
  afterEach(() => rmSync(suite.folder, { recursive: true }));
  const story = 'Once upon a time there was a printer that wanted nothing but paper and a little quiet';

  it('are reported with the first pair, whatever their case, punctuation and frame', async () => {
    suite.write('tickets/test.jsonl', jsonLines([{ id: 'x', input: story, output: 'hardware' }, { id: 'y', input: 'quite another story of eleven words about a fan and its noise', output: 'hardware' }]));
    suite.write('mails/train.jsonl', jsonLines([{ id: 'a', input: 'short', output: 'hr' }, { id: 'b', input: `Dear all: ${story.toUpperCase().replace('TIME', 'time,')}!`, output: 'fin' }]));
    const { overlaps } = await inspectSuite(suite.reference());
    expect(overlaps).to.deep.equal([{
      rows: 'test rows of task "tickets"', within: 'train rows of task "mails"', count: 1, of: 2,
      example: [`${join(suite.folder, 'tickets/test.jsonl')}:1`, `${join(suite.folder, 'mails/train.jsonl')}:2`],
    }]);
  });

  it('are not rows that share a few words', async () => {
    suite.write('tickets/test.jsonl', jsonLines([{ id: 'x', input: `${story} and then came the night and all of the people went home`, output: 'hardware' }]));
    suite.write('mails/train.jsonl', jsonLines([{ id: 'b', input: `${story.slice(0, 60)} but no more`, output: 'fin' }]));
    expect((await inspectSuite(suite.reference())).overlaps).to.deep.equal([]);
  });

  it('hold four fifths of the runs of eight words of a row, and no less', async () => {
    suite.write('tickets/test.jsonl', jsonLines([{ id: 'x', input: story, output: 'hardware' }]));
    const held = async (words: number) => {
      suite.write('mails/train.jsonl', jsonLines([{ id: 'b', input: `${story.split(' ').slice(0, words).join(' ')} but no more`, output: 'fin' }]));
      return (await inspectSuite(suite.reference())).overlaps.map(({ count }) => count);
    };
    // the seventeen words of the story have ten runs, fifteen words eight of them and fourteen seven
    expect(await held(15)).to.deep.equal([1]);
    expect(await held(14)).to.deep.equal([]);
  });

  it('are not rows that the same question is put to', async () => {
    const ask = (text: string, id: string) => ({ id, input: `What is the stance of the bank on the rates of the market in this very document: ${text}`, output: 'hardware' });
    suite.write('tickets/test.jsonl', jsonLines(['up', 'down', 'neither', 'both', story].map((text, i) => ask(text, `x${i}`))));
    suite.write('tickets/train.jsonl', jsonLines([ask('sideways', 'a'), ask(story.toUpperCase(), 'b')]));
    expect((await inspectSuite(suite.reference())).overlaps.map(({ count, of }) => [count, of])).to.deep.equal([[1, 5]]);
  });

  it('are found in the few-shot rows that stand before them', async () => {
    suite.edit('title: Tickets,', 'title: Tickets, shots: { count: 1 },');
    suite.write('tickets/fewshot.jsonl', jsonLines([{ id: 's', input: `${story.toUpperCase()}!`, output: 'hardware' }, { id: 't', input: 'unused', output: 'software' }]));
    suite.write('tickets/test.jsonl', jsonLines([{ id: 'x', input: story, output: 'hardware' }]));
    suite.write('mails/test.jsonl', jsonLines([{ id: 'y', input: story, output: 'hr' }]));
    expect((await inspectSuite(suite.reference())).overlaps).to.deep.equal([{
      rows: 'test rows of task "tickets"', within: 'few-shot rows of task "tickets"', count: 1, of: 1,
      example: [`${join(suite.folder, 'tickets/test.jsonl')}:1`, `${join(suite.folder, 'tickets/fewshot.jsonl')}:1`],
    }]);
  });

  it('are found between a stream and its probes, trained on or not', async () => {
    suite.write('quiz/suite.yaml', PROBES('choices: letters'));
    suite.write('quiz/facts/test.jsonl', jsonLines([{ ...QUESTIONS[0], question: story }]));
    suite.yaml(`${YAML.replaceAll(' }\n  mini', ', probe: 4 }\n  mini').replace('test: 6 }', 'test: 6, probe: 2 }')}probes: { suite: ./quiz }\n`);
    suite.write('mails/test.jsonl', jsonLines([{ id: 'b', input: story, output: 'fin' }]));
    expect((await inspectSuite(suite.reference())).overlaps.map(({ rows, within }) => [rows, within])).to.deep.equal([
      ['test rows of probe "facts"', 'test rows of task "mails"'],
    ]);
  });
});

describe('long-sequence and its probes on real rows (of ../shared/data, where that is)', () => {
  let mini: SuiteData;
  before(async function () {
    this.timeout(180_000);
    if (!existsSync(join(SHARED, 'long_sequence_15'))) this.skip();
    mini = await loadSuite({ ...INSTALLED, reference: 'long-sequence', size: 'mini', dataDir: SHARED });
  });

  it('takes as many rows of every task, in the three orders of fifteen', () => {
    expect(mini.tasks).to.have.length(15);
    for (const { train, validation, test } of mini.tasks) expect([train.length, validation.length, test.length]).to.deep.equal([80, 16, 30]);
    expect(mini.orders.map(({ id }) => id)).to.deep.equal(['4', '5', '6']);
    for (const { tasks } of mini.orders) expect(tasks).to.have.members(mini.tasks.map(({ id }) => id));
  });

  it('asks alike for alike, and names no task', () => {
    const heads = new Map(mini.tasks.map(({ id, test }) => [id, test[0]!.prompt.split('\n')[0]]));
    expect(heads.get('mnli')).to.equal(heads.get('cb')).and.equal(heads.get('rte'));
    expect(heads.get('yelp')).to.equal(heads.get('imdb')).and.equal(heads.get('sst2'));
    expect(mini.tasks.find(({ id }) => id === 'copa')!.test[0]!.options).to.deep.equal([' A', ' B']);
  });

  it('is probed with rows that it does not train on', () => {
    expect(mini.probes.map(({ id }) => id)).to.deep.equal(['mmlu', 'arc-easy', 'hellaswag', 'piqa', 'winogrande', 'openbookqa']);
    for (const { test } of mini.probes) expect(test).to.have.length(10);
    expect(mini.probes[0]!.test[0]!.options).to.deep.equal([' A', ' B', ' C', ' D']);
  });
});
