import { expect } from 'chai';
import { mkdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { loadSuite, verifyData } from '../src/index.js';
import { OwnSuite, YAML, errorOf, rowsOf } from './support.js';

const LABELS = ['hardware', 'software', 'accounts'];

describe('rows in a JSON file', () => {
  let suite: OwnSuite;
  beforeEach(() => { suite = new OwnSuite(); });
  afterEach(() => rmSync(suite.folder, { recursive: true }));
  const replace = (split: string, content: string | Uint8Array) => {
    unlinkSync(join(suite.folder, `tickets/${split}.jsonl`));
    suite.write(`tickets/${split}.json`, content);
  };
  const tickets = async () => (await loadSuite(suite.reference())).tasks[0]!;
  const where = (split: string, row?: number) => `${join(suite.folder, `tickets/${split}.json`)}${row === undefined ? '' : `:${row}`}`;

  it('are those of its list, as they would be on lines', async () => {
    const plain = await loadSuite(suite.reference());
    replace('train', `\ufeff${JSON.stringify(rowsOf('t', 'train', 60, LABELS), null, 2)}`);
    expect(await loadSuite(suite.reference())).to.deep.equal(plain);
  });

  it('are the instances of a task of Natural Instructions, each with its definition', async () => {
    suite.yaml(YAML.replace('id: tickets,', 'id: tickets, inputs: [definition, input], prompt: "{definition}\\n{input}",'));
    for (const split of ['train', 'test']) {
      replace(split, JSON.stringify({ Contributors: ['x'], Definition: ['Who answers this?', 'Another wording.'], Instances: rowsOf('t', split, 12, LABELS) }));
    }
    expect((await tickets()).test[0]!.prompt).to.equal('Who answers this?\nt test message 0');
  });

  it('need no ids: their places stand for them, also where inputs are the same', async () => {
    suite.yaml(YAML.replace('tasks:', 'rows: { ids: place }\ntasks:'));
    for (const split of ['train', 'test']) replace(split, JSON.stringify(Array.from({ length: 12 }, (_, i) => ({ input: `${split} ${i % 6}`, output: LABELS[i % 3] }))));
    const { test } = await tickets();
    expect(test.map(({ id }) => id)).to.deep.equal(Array.from({ length: 12 }, (_, i) => `test-${i + 1}`));
    const [file] = await verifyData(suite.reference());
    expect([file!.rows, file!.faulty]).to.deep.equal([12, 0]);
  });

  it('that are known to be unusable are left out by their ids', async () => {
    const rows = rowsOf('t', 'train', 60, LABELS);
    replace('train', JSON.stringify([...rows, { id: 'x', input: 'no answer', output: '' }]));
    expect((await errorOf(tickets)).where).to.equal(where('train', 61));
    suite.yaml(YAML.replace('id: tickets,', 'id: tickets, without: [x],'));
    expect((await tickets()).train.length).to.equal(54);
    expect((await tickets())).to.not.have.property('skippedRows');
  });

  for (const [title, content, message, row] of [
    ['is no JSON', '[{"id": ', 'not JSON', undefined],
    ['is not UTF-8', Buffer.from('["caf\xe9"]', 'latin1'), 'not valid UTF-8', undefined],
    ['is no list', '{"rows": []}', 'neither a list of rows nor a task', undefined],
    ['is a task without a definition', '{"Instances": [], "Definition": []}', 'neither a list of rows nor a task', undefined],
    ['holds something else than rows', '[1]', 'not an object', 1],
    ['lacks a field in a row', '[{"id": "a", "input": "b", "output": "hardware"}, {"id": "b", "output": "hardware"}]', 'no field "input"', 2],
  ] as const) {
    it(`that ${title} is refused`, async () => {
      replace('train', content);
      const error = await errorOf(tickets);
      expect([error.code, error.where]).to.deep.equal(['LETHE_DATA_ROW', where('train', row)]);
      expect(error.message).to.contain(message);
    });
  }

  it('that cannot be read is refused', async () => {
    const file = join(suite.folder, 'tickets/train.jsonl');
    renameSync(file, `${file}.old`);
    mkdirSync(where('train'));
    const error = await errorOf(tickets);
    expect([error.code, error.where]).to.deep.equal(['LETHE_DATA_MISSING', where('train')]);
  });
});
