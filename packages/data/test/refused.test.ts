import { expect } from 'chai';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadSuite, verifyData } from '../src/index.js';
import { OwnSuite, YAML, errorOf, jsonLines, lineOf, rowsOf } from './support.js';

const ROWS = rowsOf('t', 'train', 60, ['hardware', 'software', 'accounts']);

describe('rows that cannot be used', () => {
  let suite: OwnSuite;
  let file: string;
  beforeEach(() => {
    suite = new OwnSuite();
    file = join(suite.folder, 'tickets', 'train.jsonl');
  });
  afterEach(() => rmSync(suite.folder, { recursive: true }));

  /** Puts a line at the third place of the training rows. */
  const third = (line: string | Uint8Array) => {
    suite.write('tickets/train.jsonl', Buffer.concat([
      Buffer.from(jsonLines(ROWS.slice(0, 2))), Buffer.from(line), Buffer.from(`\n${jsonLines(ROWS.slice(3))}`),
    ]));
  };
  const good = ROWS[2]!;

  for (const [name, line, message] of [
    ['not JSON', '{"id": "x", "input": }', 'not JSON'],
    ['cut in half in the middle of a file', JSON.stringify(good).slice(0, 20), 'not JSON'],
    ['that is a list', '["x", "y", "hardware"]', 'the row is a list'],
    ['not an object', '"x"', 'not an object'],
    ['without an input', JSON.stringify({ id: 'x', inputs: 'y', output: 'hardware' }), 'no field "input"; it has ["id","inputs","output"]. Did you mean "inputs"?'],
    ['with an empty input', JSON.stringify({ ...good, input: ' ' }), '"input" is " "'],
    ['with an output that is no text', JSON.stringify({ ...good, output: 1 }), '"output" is 1'],
    ['with an unknown label', JSON.stringify({ ...good, output: 'Hardware' }), 'not a label of task "tickets". Did you mean "hardware"?'],
    ['with the id of another row', JSON.stringify({ ...good, id: 't-train-1' }), 'tickets/train.jsonl:2'],
    ['with characters that a terminal obeys', '\x1b[31m', 'Unexpected token \'\\x1b\''],
    ['with a label of great length', JSON.stringify({ ...good, output: 'x'.repeat(1000) }), `the output "${'x'.repeat(79)}… is not a label`],
    ['not UTF-8', Buffer.from([...Buffer.from('{"id": "x", "input": "caf'), 0xe9, ...Buffer.from('", "output": "hardware"}')]), 'not valid UTF-8'],
  ] as const) {
    it(`names the line of a row ${name}`, async () => {
      third(line);
      const error = await errorOf(() => loadSuite(suite.reference()));
      expect(error.code).to.equal('LETHE_DATA_ROW');
      expect(error.message).to.contain(message);
      expect(error.where).to.equal(`${file}:3`);
      expect(error.remedy).to.match(/.; --skip-bad-rows leaves such rows out, and lethe data verify counts them$/);
    });
  }

  it('names all that a row of another shape lacks at once, and what the suite may say instead', async () => {
    third(JSON.stringify({ text: 'y', label: 'hardware' }));
    const error = await errorOf(() => loadSuite(suite.reference()));
    expect(error.message).to.contain('no fields "id", "input", "output"; it has ["text","label"]');
    for (const said of ['ids: content', 'inputs: [NAME], and its prompt {NAME}', 'where "output" has another name, the task in suite.yaml says output: NAME']) expect(error.remedy).to.contain(said);
  });

  it('reads lines that end as those of Windows do, behind a byte order mark', async () => {
    const whole = await loadSuite(suite.reference());
    suite.write('tickets/train.jsonl', `\ufeff${jsonLines(ROWS).replaceAll('\n', '\r\n')}`);
    expect(await loadSuite(suite.reference())).to.deep.equal(whole);
  });

  it('refuses a split in two formats: nobody knows which is meant', async () => {
    suite.write('tickets/train.csv', 'id,input,output\nx,y,hardware\n');
    const error = await errorOf(() => loadSuite(suite.reference()));
    expect(error.code).to.equal('LETHE_DATA_AMBIGUOUS');
    expect(error.message).to.contain('train.jsonl, train.csv');
    expect(error.where).to.equal(join(suite.folder, 'tickets'));
    expect(error.remedy).to.contain('Keep the one');
  });

  it('says that a file was cut off', async () => {
    const text = readFileSync(file, 'utf8');
    suite.write('tickets/train.jsonl', text.slice(0, -10));
    const error = await errorOf(() => loadSuite(suite.reference()));
    expect(error.code).to.equal('LETHE_DATA_ROW');
    expect(error.message).to.contain('cut off');
    expect(error.where).to.equal(`${file}:60`);
  });

  it('refuses one id in two files of a task', async () => {
    suite.write('tickets/test.jsonl', jsonLines([{ id: 't-train-4', input: 'new', output: 'hardware' }]));
    const error = await errorOf(() => loadSuite(suite.reference()));
    expect(error.code).to.equal('LETHE_DATA_ROW');
    expect(error.message).to.contain(`${file}:5`);
    expect(error.where).to.equal(`${join(suite.folder, 'tickets', 'test.jsonl')}:1`);
    const [, verified] = await verifyData(suite.reference());
    expect(verified).to.include({ kind: 'test', rows: 0, faulty: 1 });
    expect(verified!.faults.map(({ where, message }) => ({ where, message }))).to.deep.equal([{ where: error.where, message: error.message }]);
  });

  for (const [name, content] of [['without a byte', ''], ['of blank lines', '\n\r\n \n']] as const) {
    it(`names a file ${name}`, async () => {
      suite.write('tickets/train.jsonl', content);
      const error = await errorOf(() => loadSuite(suite.reference()));
      expect(error.code).to.equal('LETHE_DATA_MISSING');
      expect(error.message).to.contain('no train rows');
      expect(error.where).to.equal(file);
      const [verified] = await verifyData(suite.reference());
      expect(verified).to.include({ state: 'empty', rows: 0, faulty: 0 });
      expect(verified!.faults).to.deep.equal([{ where: file, message: error.message, remedy: error.remedy }]);
    });
  }

  it('says that a file cannot be read', async () => {
    rmSync(file);
    mkdirSync(file);
    const error = await errorOf(() => loadSuite(suite.reference()));
    expect(error.code).to.equal('LETHE_DATA_MISSING');
    expect(error.where).to.equal(file);
  });
});

describe('leaks', () => {
  let suite: OwnSuite;
  beforeEach(() => { suite = new OwnSuite(); });
  afterEach(() => rmSync(suite.folder, { recursive: true }));

  /** Where a piece of the suite file stands. */
  const inFile = (piece: string) => `${suite.file}:${lineOf(readFileSync(suite.file, 'utf8'), piece)}`;
  const refused = async (...wheres: readonly string[]) => {
    const error = await errorOf(() => loadSuite(suite.reference()));
    expect(error.code).to.equal('LETHE_SUITE_INVALID');
    for (const where of wheres) expect(error.where).to.contain(where);
    return error.message;
  };

  it('refuses a prompt in training and test rows of a task, even where it is sampled in neither', async () => {
    suite.write('tickets/test.jsonl', jsonLines([...rowsOf('t', 'test', 3, ['hardware', 'software', 'accounts']), { ...ROWS[7]!, id: 'x' }]));
    const message = await refused(`${join(suite.folder, 'tickets', 'train.jsonl')}:8`, `${join(suite.folder, 'tickets', 'test.jsonl')}:4`);
    expect(message).to.contain('test of task "tickets"').and.not.contain('more');
  });

  it('says how many prompts stand in two splits, and where the first is', async () => {
    const leaked = [7, 8, 9].map((i) => ({ ...ROWS[i]!, id: `x${i}` }));
    suite.write('tickets/test.jsonl', jsonLines([...rowsOf('t', 'test', 3, ['hardware', 'software', 'accounts']), ...leaked]));
    expect(await refused('train.jsonl:8', 'test.jsonl:4')).to.match(/test of task "tickets", and 2 more in two splits$/);
  });

  it('refuses a prompt in training rows of one task and test rows of another', async () => {
    suite.yaml(YAML.replaceAll(', labels', ', prompt: "{input} Answer:", labels').replace(/prompt: \|-\n( .*\n)+/, ''));
    suite.write('mails/test.jsonl', jsonLines([{ id: 'x', input: ROWS[0]!.input, output: 'hr' }]));
    expect(await refused('train.jsonl:1', 'mails')).to.contain('task "mails"');
  });

  it('refuses a prompt in validation rows and test rows', async () => {
    suite.write('tickets/validation.jsonl', jsonLines([{ id: 'x', input: 't test message 4', output: 'hardware' }]));
    await refused('validation.jsonl:1', 'test.jsonl:5');
  });

  describe('through probes', () => {
    const probes = (more: string) => suite.yaml(YAML.replaceAll(' }\n  mini', ', probe: 4 }\n  mini').replace('test: 6 }', 'test: 6, probe: 2 }') + more);
    const watched = (input: string) => {
      suite.write('watched/suite.yaml', YAML.replace('id: my-suite', 'id: watched').replaceAll('mails', 'facts').replaceAll('tickets', 'skills'));
      for (const task of ['facts', 'skills']) suite.write(`watched/${task}/test.jsonl`, jsonLines([{ id: task, input: `${input} ${task}`, output: task === 'facts' ? 'hr' : 'hardware' }]));
    };

    it('scores tasks of a suite at another path, and wants nothing but their test rows', async () => {
      watched('something else');
      probes('probes: { suite: ./watched }\n');
      const data = await loadSuite(suite.reference());
      expect(data.probes.map(({ id, train, validation, test }) => [id, train.length, validation.length, test.length]))
        .to.deep.equal([['skills', 0, 0, 1], ['facts', 0, 0, 1]]);
    });

    it('takes those probes that are named, and says which was meant', async () => {
      watched('something else');
      probes('probes:\n  suite: ./watched\n  tasks: [facts]\n');
      expect((await loadSuite(suite.reference())).probes.map(({ id }) => id)).to.deep.equal(['facts']);
      probes('probes:\n  suite: ./watched\n  tasks: [facts, skill]\n');
      expect(await refused(inFile('tasks: [facts'))).to.contain('Did you mean "skills"?');
    });

    it('refuses a probe that a task of the suite trains on', async () => {
      watched('t train message 9');
      suite.write('tickets/train.jsonl', jsonLines([...ROWS, { id: 'x', input: 't train message 9 skills', output: 'accounts' }]));
      probes('probes: { suite: ./watched }\n');
      expect(await refused('train.jsonl:61', join('watched', 'skills', 'test.jsonl:1'))).to.contain('probe "skills"');
    });

    it('refuses a probe with the name of a task', async () => {
      watched('something else');
      suite.write('watched/suite.yaml', YAML.replace('id: my-suite', 'id: watched'));
      probes('probes: { suite: ./watched, tasks: [mails] }\n');
      expect(await refused(inFile('tasks: [mails]'))).to.contain('"mails" is a task of the suite and a probe');
    });

    it('refuses generated probes without end', async () => {
      suite.yaml(YAML.replaceAll(' }\n  mini', ', probe: all }\n  mini').replace('test: 6 }', 'test: 6, probe: 2 }') + 'probes: { suite: general-mini }\n');
      expect(await refused(inFile('full:'))).to.contain('no end to the generated rows');
    });
  });
});
