import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { createReadStream, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { inspectSuite, loadSuite, verifyData } from '../src/index.js';
import { OwnSuite, type Row, YAML, errorOf, jsonLines } from './support.js';

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const csv = (rows: readonly Row[]): string => ['input,id,output', ...rows.map(({ id, input, output }) => [quoted(input), id, output].join(','))].join('\r\n');

describe('formats of rows', () => {
  let suite: OwnSuite;
  beforeEach(() => { suite = new OwnSuite(); });
  afterEach(() => rmSync(suite.folder, { recursive: true }));
  const rows = () => readFileSync(join(suite.folder, 'tickets/train.jsonl'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Row);
  const replace = (name: string, content: string | Uint8Array) => {
    unlinkSync(join(suite.folder, 'tickets/train.jsonl'));
    suite.write(`tickets/${name}`, content);
  };

  it('CSV and Parquet give what JSON lines give', async () => {
    const plain = await loadSuite(suite.reference());
    const original = rows();
    replace('train.csv', csv(original));
    expect(await loadSuite(suite.reference())).to.deep.equal(plain);
    unlinkSync(join(suite.folder, 'tickets/train.csv'));
    const column = (name: keyof Row): ColumnSource => ({ name, data: original.map((row) => row[name]), type: 'STRING' });
    suite.write('tickets/train.parquet', new Uint8Array(parquetWriteBuffer({ columnData: [column('id'), column('input'), column('output')], rowGroupSize: 7 })));
    expect(await loadSuite(suite.reference())).to.deep.equal(plain);
  });

  it('a CSV field may hold commas, quotes and line breaks, and a row is found on the line where it begins', async () => {
    const [first, second, ...more] = rows();
    replace('train.csv', `\ufeff${csv([{ ...first!, input: 'one, "two"\nthree' }, second!, { ...more[0]!, output: 'none' }])}`);
    const error = await errorOf(() => loadSuite(suite.reference()));
    expect([error.code, error.where]).to.deep.equal(['LETHE_DATA_ROW', `${join(suite.folder, 'tickets/train.csv')}:5`]);
    const { tasks: [tickets] } = await loadSuite(suite.reference({ skipBadRows: true }));
    expect(tickets!.train[0]!.prompt.startsWith('one, "two"\nthree\n')).to.equal(true);
    expect(tickets!.skippedRows).to.equal(1);
  });

  for (const [name, content, line] of [
    ['line breaks of Windows in quotes', 'id,input,output\r\na,"one\r\ntwo\r\nthree",hardware\r\nb,x,none\r\n', 5],
    ['line ends of several kinds', 'id,input,output\na,"one\r\ntwo",hardware\r\nb,x,software\nc,y,none\n', 5],
    ['empty lines', 'id,input,output\r\n\r\n\na,"one\n\ntwo",hardware\n\n\nb,x,none\n', 9],
    ['carriage returns alone', 'id,input,output\ra,x,hardware\rb,y,none\r', 3],
  ] as const) {
    it(`counts the lines of CSV with ${name}`, async () => {
      replace('train.csv', content);
      const error = await errorOf(() => loadSuite(suite.reference()));
      expect(error.message).to.contain('the output "none" is not a label');
      expect(error.where).to.equal(`${join(suite.folder, 'tickets/train.csv')}:${line}`);
    });
  }

  for (const [name, content, line, message] of [
    ['with too few fields', 'id,input,output\na,b,hardware\nc,d\n', 3, 'has 2 fields, and the first line names 3'],
    ['with an open quote', 'id,input,output\na,b,hardware\nc,"d,software\n', 3, 'not CSV'],
    ['with a quote within a field', 'id,input,output\na,b "c" d,hardware\n', 2, 'a quote is found on field 1'],
    ['without a field', 'id,text,output\na,b,hardware\n', 2, 'no field "input"'],
    ['with semicolons', 'id;input;output\na;b, or c;hardware\n', 1, 'its separator looks like ";", and that of CSV is a comma'],
    ['with tabs', 'id\tinput\toutput\na\tb\thardware\n', 1, 'its separator looks like a tab'],
    ['with semicolons and quotes', '"id";"input";"output"\n"a";"b, or c";"hardware"\n', 1, 'its separator looks like ";"'],
    ['with semicolons and quotes in its rows', 'id;input;output\na;"b, or c";hardware\n', 1, 'its separator looks like ";"'],
    ['of a spreadsheet that writes UTF-16', Buffer.from('\ufeffid,input,output\na,"b",hardware\n', 'utf16le'), 1, 'the file is UTF-16, and not UTF-8'],
    ['with a field twice', 'id,input,input\n', 1, 'two fields are called "input"'],
    ['that is not UTF-8', Buffer.from('id,input,output\na,caf\xe9,hardware\n', 'latin1'), 2, 'not valid UTF-8'],
  ] as const) {
    it(`names the line of CSV ${name}`, async () => {
      replace('train.csv', content);
      const error = await errorOf(() => loadSuite(suite.reference()));
      expect(error.code).to.equal('LETHE_DATA_ROW');
      expect(error.message).to.contain(message).and.not.contain('Buffer');
      expect(error.where).to.equal(`${join(suite.folder, 'tickets/train.csv')}:${line}`);
    });
  }

  it('says how a suite takes fields that are called otherwise', async () => {
    const remedyOf = async (content: string) => {
      writeFileSync(join(suite.folder, 'tickets/train.csv'), content);
      return (await errorOf(() => loadSuite(suite.reference()))).remedy;
    };
    replace('train.csv', '');
    expect(await remedyOf('id,text,output\na,b,hardware\n')).to.contain('inputs: [NAME], and its prompt {NAME}').and.contain('the first line of CSV names the fields');
    expect(await remedyOf('id,input,label\na,b,hardware\n')).to.contain('output: NAME').and.not.contain('inputs');
    expect(await remedyOf('input,output\nb,hardware\n')).to.contain('ids: content').and.not.contain('NAME');
  });

  it('takes the numbers and truth values of a table as the labels that are written so', async () => {
    suite.edit('labels: [hardware, software, accounts]', 'inputs: [text], output: label, ids: content, labels: { "0": hardware, "1": software, "2": accounts }');
    suite.yaml(readFileSync(suite.file, 'utf8').replace('tickets, title: Tickets', 'tickets, prompt: "{text} Answer:", title: Tickets'));
    const file = (texts: readonly string[], labels: readonly bigint[]) => new Uint8Array(parquetWriteBuffer({
      columnData: [{ name: 'text', data: [...texts], type: 'STRING' }, { name: 'label', data: [...labels], type: 'INT64' }],
    }));
    replace('train.parquet', file(['a', 'b', 'c'], [0n, 1n, 2n]));
    unlinkSync(join(suite.folder, 'tickets/test.jsonl'));
    suite.write('tickets/test.parquet', file(['d'], [2n]));
    const { tasks: [tickets] } = await loadSuite(suite.reference());
    expect(tickets!.train.map(({ prompt, answer }) => [prompt, answer])).to.deep.equal([['a Answer:', 0], ['b Answer:', 1], ['c Answer:', 2]]);
    expect(new Set(tickets!.train.map(({ id }) => id))).to.have.property('size', 3);
    suite.write('tickets/test.parquet', file(['d', 'd'], [2n, 1n]));
    const error = await errorOf(() => loadSuite(suite.reference()));
    expect(error.message).to.contain('is taken by').and.contain('test.parquet:1');
  });

  it('keeps ids that are larger than numbers are exact, and refuses those that were rounded', async () => {
    const ids = [2n ** 53n + 1n, 2n ** 53n + 2n, 2n ** 53n + 3n, -(2n ** 62n) - 1n, 7n];
    replace('train.parquet', new Uint8Array(parquetWriteBuffer({
      columnData: [
        { name: 'id', data: ids, type: 'INT64' }, { name: 'input', data: ids.map((id) => `text ${id}`), type: 'STRING' },
        { name: 'output', data: ids.map(() => 'hardware'), type: 'STRING' },
      ],
    })));
    const { tasks: [tickets] } = await loadSuite(suite.reference());
    expect([...tickets!.train, ...tickets!.validation].map(({ id, prompt }) => prompt.startsWith(`text ${id}\n`))).to.deep.equal(ids.map(() => true));
    unlinkSync(join(suite.folder, 'tickets/train.parquet'));
    suite.write('tickets/train.jsonl', '{"id": 9007199254740993, "input": "a", "output": "hardware"}\n');
    const error = await errorOf(() => loadSuite(suite.reference()));
    expect([error.code, error.where]).to.deep.equal(['LETHE_DATA_ROW', `${join(suite.folder, 'tickets/train.jsonl')}:1`]);
    expect(error.message).to.contain('beyond 2^53');
    expect(error.remedy).to.contain('write ids as texts');
  });

  it('shows whole numbers of a list of a table', async () => {
    replace('train.parquet', new Uint8Array(parquetWriteBuffer({
      columnData: [{ name: 'id', data: ['a'] }, { name: 'output', data: ['hardware'] }, { name: 'input', data: [[1n, 2n]] }],
      schema: [
        { name: 'root', num_children: 3 }, { name: 'id', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
        { name: 'output', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
        { name: 'input', repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 }, { name: 'element', type: 'INT64', repetition_type: 'OPTIONAL' },
      ],
    })));
    const error = await errorOf(() => loadSuite(suite.reference()));
    expect([error.code, error.message]).to.deep.equal(['LETHE_DATA_ROW', 'the field "input" is [1,2], not a text']);
  });

  it('names the row of a Parquet file whose text is not UTF-8, where the text is used', async () => {
    const bytes = [Buffer.from('caf\xc3\xa9', 'latin1'), Buffer.from('caf\xe9', 'latin1')];
    const file = (more: readonly ColumnSource[]) => new Uint8Array(parquetWriteBuffer({
      columnData: [{ name: 'id', data: ['a', 'b'] }, { name: 'output', data: ['hardware', 'hardware'] }, ...more], // raw bytes are read as texts, too
    }));
    replace('train.parquet', file([{ name: 'input', data: bytes, type: 'BYTE_ARRAY' }]));
    const error = await errorOf(() => loadSuite(suite.reference()));
    expect([error.code, error.where]).to.deep.equal(['LETHE_DATA_ROW', `${join(suite.folder, 'tickets/train.parquet')}:2`]);
    expect(error.message).to.contain('the field "input" is bytes that are not valid UTF-8');
    suite.write('tickets/train.parquet', file([{ name: 'input', data: ['café', 'tea'] }, { name: 'picture', data: bytes, type: 'BYTE_ARRAY' }]));
    const { tasks: [tickets] } = await loadSuite(suite.reference());
    expect([...tickets!.train, ...tickets!.validation].map(({ prompt }) => prompt.split('\n')[0]).sort()).to.deep.equal(['café', 'tea']);
  });

  it('says that a file is not Parquet', async () => {
    replace('train.parquet', 'PAR1 and nothing of the kind PAR1');
    const error = await errorOf(() => loadSuite(suite.reference()));
    expect(error.code).to.equal('LETHE_DATA_ROW');
    expect(error.message).to.contain('not Parquet');
  });

  it('names a line that is too long, and holds no such line in memory', async () => {
    const [first, second] = rows();
    writeFileSync(join(suite.folder, 'tickets/train.jsonl'), '');
    for (const text of [jsonLines([first]), ...Array.from({ length: 50 }, () => 'x'.repeat(2 ** 20)), `\n${jsonLines([second])}`]) {
      writeFileSync(join(suite.folder, 'tickets/train.jsonl'), text, { flag: 'a' });
    }
    const error = await errorOf(() => loadSuite(suite.reference()));
    expect([error.code, error.where]).to.deep.equal(['LETHE_DATA_ROW', `${join(suite.folder, 'tickets/train.jsonl')}:2`]);
    expect(error.message).to.contain('longer than 16 MB');
    const { tasks: [tickets] } = await loadSuite(suite.reference({ skipBadRows: true }));
    expect(tickets!.train).to.have.length(2);
  });

  const long = 'x'.repeat(2 ** 24 + 1);
  for (const [name, content] of [['train.csv', `id,input,output\na,b,hardware\nc,${long},hardware\n`], ['train.json', JSON.stringify([
    { id: 'a', input: 'b', output: 'hardware' }, { id: 'c', input: long, output: 'hardware' },
  ])]] as const) {
    it(`names a row of ${name} that is too long`, async () => {
      replace(name, content);
      const error = await errorOf(() => loadSuite(suite.reference()));
      expect([error.code, error.where]).to.deep.equal(['LETHE_DATA_ROW', `${join(suite.folder, 'tickets', name)}:${name.endsWith('csv') ? 3 : 2}`]);
      expect(error.message).to.contain('longer than 16 MB');
      expect(error.remedy).to.contain('cut its text');
    });
  }

  it('skips on request what cannot be used, and counts it once', async () => {
    const good = rows();
    const bad = ['{"id": "x"', '[]', JSON.stringify({ ...good[3]!, id: 'y', output: 'none' }), JSON.stringify(good[3]), JSON.stringify({ ...good[3]!, input: '' })];
    suite.write('tickets/train.jsonl', [...good.map((row) => JSON.stringify(row)), ...bad].join('\n'));
    const { suite: data, notes } = await inspectSuite(suite.reference({ skipBadRows: true }));
    expect(data.tasks.map(({ skippedRows }) => skippedRows)).to.deep.equal([5, undefined]);
    expect(notes).to.deep.equal(['5 rows of task "tickets" cannot be used and are left out']);
    suite.write('tickets/train.jsonl', jsonLines(good));
    const whole = await loadSuite(suite.reference());
    expect(data.tasks[0]).to.deep.equal({ ...whole.tasks[0]!, skippedRows: 5 });
    expect(whole).to.deep.equal(await loadSuite(suite.reference({ skipBadRows: true })));
  });

  it('verifies files: what they hold, what is wrong with them, which are not there', async () => {
    const good = rows();
    suite.write('tickets/train.jsonl', `${jsonLines(good)}{"id"\n`);
    unlinkSync(join(suite.folder, 'mails/test.jsonl'));
    suite.yaml(YAML.replace('title: Mails', `sha256: { train: ${'a'.repeat(64)}, test: ${'a'.repeat(64)} }, title: Mails`));
    const files = await verifyData(suite.reference());
    expect(files.map(({ task, kind, state, rows: count, faulty }) => [task, kind, state, count, faulty])).to.deep.equal([
      ['tickets', 'train', 'unpinned', 60, 1], ['tickets', 'test', 'unpinned', 12, 0], ['mails', 'train', 'changed', 60, 0], ['mails', 'test', 'missing', 0, 0],
    ]);
    expect(files[0]!.faults[0]).to.include({ where: `${join(suite.folder, 'tickets/train.jsonl')}:61`, remedy: 'write one JSON object on each line' });
  });

  it('keeps a sample and no file in memory', async function () {
    this.timeout(120_000);
    const filler = 'lorem '.repeat(2_500);
    const file = join(suite.folder, 'tickets/train.jsonl');
    writeFileSync(file, '');
    for (let part = 0; part < 16; part++) {
      writeFileSync(file, jsonLines(Array.from({ length: 500 }, (_, i) => ({ id: `r${part}-${i}`, input: `${part} ${i} ${filler}`, output: i % 2 ? 'hardware' : 'software' }))), { flag: 'a' });
    }
    let bytes = 0;
    for await (const chunk of createReadStream(file)) bytes += (chunk as Buffer).length;
    expect(bytes).to.be.greaterThan(100_000_000);
    // a process of its own, whose heap is smaller than the file: the peak of this one tells of all tests before
    const code = `import { existsSync, readFileSync } from 'node:fs';
      import { loadSuite } from ${JSON.stringify(new URL('../src/index.js', import.meta.url).href)};
      const { tasks } = await loadSuite(${JSON.stringify(suite.reference({ size: 'mini' }))});
      // not maxRSS, which begins with the peak of the process that started this one
      const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
      const peak = Number(/VmHWM:\\s+(\\d+)/.exec(status)?.[1] ?? process.resourceUsage().maxRSS);
      console.log(tasks[0].train.length, peak * 1024);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=64', '--input-type=module', '--eval', code]);
    const [rows, peak] = stdout.trim().split(' ').map(Number);
    expect(rows).to.equal(20);
    // Node itself takes some 60 MB, and a file in memory would come on top
    expect(peak).to.be.lessThan(1.4 * bytes);
  });
});
