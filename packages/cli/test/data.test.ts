import { expect } from 'chai';
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LocalHub } from '@lethe/hub/testing';
import type { Results } from '@lethe/core';
import pc from 'picocolors';
import { createProgram, explained } from '../src/index.js';
import { typed } from '../src/paths.js';

describe('lethe new suite, data and --skip-bad-rows', () => {
  let folder: string;
  let suite: string;
  let notes: string[];
  /** Runs a command in this process: its exit status and what it wrote to stdout, or the problem that ended it. */
  async function lethe(...args: string[]): Promise<{ status: number; lines: string[]; problem?: string }> {
    const lines: string[] = [];
    notes = [];
    const output = { data: (text: string) => void lines.push(...text.split('\n')), note: (text: string) => void notes.push(text), colour: pc.createColors(false) };
    try {
      await createProgram(output).parseAsync(args, { from: 'user' });
      return { status: Number(process.exitCode ?? 0), lines };
    } catch (error) {
      return { status: 2, lines, problem: explained(error)!.describe() };
    } finally {
      process.exitCode = 0;
    }
  }
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lethe-data-'));
    suite = join(folder, 'my-suite');
    expect((await lethe('new', 'suite', suite)).problem).to.equal(undefined);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('writes a suite that validates, in about twenty lines', async () => {
    expect(readFileSync(join(suite, 'suite.yaml'), 'utf8').trimEnd().split('\n').length).to.be.within(18, 24);
    const { lines, problem } = await lethe('validate', suite);
    expect(problem).to.equal(undefined);
    expect(lines.join('\n')).to.contain('2 tasks, orders 1, 2').and.contain('rows of full read and checked');
    expect(notes).to.deep.equal([]);
    const [, schema] = /\$schema=(.*)/.exec(readFileSync(join(suite, 'suite.yaml'), 'utf8'))!;
    expect(existsSync(join(suite, schema!))).to.equal(true);
  });

  it('validates a suite of any file name as lethe run takes it, and a configuration', async () => {
    renameSync(join(suite, 'suite.yaml'), join(suite, 'january.yaml'));
    expect((await lethe('validate', join(suite, 'january.yaml'))).lines.join()).to.contain('2 tasks, orders 1, 2; rows of full read and checked');
    const file = join(folder, 'run.yaml');
    writeFileSync(file, 'suite: ./my-suite/january.yaml\nseeds: [1]\n');
    expect((await lethe('validate', file)).lines.join()).to.contain(`configuration of lethe run, for suite ${join(suite, 'january.yaml')}`);
    writeFileSync(file, 'suite: ./my-suite/january.yaml\nseed: [1]\n');
    expect((await lethe('validate', file)).problem).to.contain('LETHE_USAGE').and.contain(`${file}:2`).and.contain('Did you mean "seeds"?');
  });

  it('writes over nothing, and no suite of an impossible name', async () => {
    const before = readFileSync(join(suite, 'suite.yaml'), 'utf8');
    expect((await lethe('new', 'suite', suite)).problem).to.contain('LETHE_FOLDER_EXISTS').and.contain(suite);
    expect(readFileSync(join(suite, 'suite.yaml'), 'utf8')).to.equal(before);
    expect((await lethe('new', 'suite', join(folder, 'My Suite'))).problem).to.contain(`fix lethe new suite ${join(folder, 'my-suite')}`);
    expect((await lethe('new', 'suite', join(folder, 'my tickets', 'v 1'))).problem).to.contain(`fix lethe new suite '${join(folder, 'my tickets', 'v-1')}'`);
    expect((await lethe('new', 'suite', 'v 1')).problem).to.match(/fix lethe new suite v-1$/);
    expect((await lethe('new', 'method', 'My Method', '--dir', folder)).problem).to.contain(`fix lethe new method my-method --dir ${folder}`);
    for (const name of ['S\u00fcite', 'Su\u0308ite']) expect((await lethe('new', 'suite', join(folder, name))).problem).to.contain('LETHE_USAGE').and.match(/fix lethe new suite \S+\/suite$/);
    expect((await lethe('new', 'suite', join(suite, 'suite.yaml', 'x'))).problem).to.contain('LETHE_USAGE').and.contain('cannot be written');
  });

  it('verifies its files, and says by the exit status whether they can be used', async () => {
    const sound = await lethe('data', 'verify', suite);
    expect([sound.status, sound.lines.length]).to.deep.equal([0, 4]);
    expect(sound.lines[0]).to.match(/^tickets train\s+unpinned\s+12 rows/);
    appendFileSync(join(suite, 'mails/train.jsonl'), '{"id": "x", "input": "y", "output": "z"}\n');
    unlinkSync(join(suite, 'tickets/test.jsonl'));
    const { status, lines } = await lethe('data', 'verify', suite);
    expect(status).to.equal(1);
    expect(lines[1]).to.match(/^tickets test\s+missing\s+tickets\/test.jsonl$/);
    expect(lines[2]).to.contain('12 rows, 1 that cannot be used');
    expect(lines[3]).to.contain('mails/train.jsonl:13: the output "z" is not a label');
    expect(lines[4]).to.equal('    fix the labels are: hr, fin');
    const json = JSON.parse((await lethe('data', 'verify', suite, '--json')).lines.join('\n')) as { files: { state: string }[] };
    expect(json.files.map(({ state }) => state)).to.deep.equal(['unpinned', 'missing', 'unpinned', 'unpinned']);
    expect((await lethe('data', 'verify', 'domain-mimi')).problem).to.contain('Did you mean "domain-mini"?');
  });

  it('validates no suite of which rows are there that are not all', async () => {
    const file = join(suite, 'tickets/test.jsonl');
    const rows = readFileSync(file, 'utf8');
    writeFileSync(file, '');
    expect((await lethe('validate', suite)).problem).to.contain('LETHE_DATA_MISSING').and.contain('task "tickets" has no test rows').and.contain(file);
    unlinkSync(file);
    mkdirSync(file);
    expect((await lethe('validate', suite)).problem).to.contain('LETHE_DATA_MISSING').and.contain('the file cannot be read').and.contain(file);
    rmSync(file, { recursive: true });
    expect((await lethe('validate', suite)).problem).to.contain('LETHE_DATA_MISSING').and.contain(join('tickets', 'test.jsonl'));
    for (const task of ['tickets', 'mails']) rmSync(join(suite, task), { recursive: true });
    const { status, lines } = await lethe('validate', suite);
    expect([status, lines.length]).to.deep.equal([0, 1]);
    expect(lines[0]).to.contain('rows not checked');
    mkdirSync(join(suite, 'mails'));
    writeFileSync(join(suite, 'mails/test.jsonl'), rows);
    expect((await lethe('validate', suite)).problem).to.contain('LETHE_DATA_MISSING').and.contain(join('mails', 'train.jsonl'));
  });

  it('says of many bad rows what is wrong with the first, how to mend them once, and how many there are; and names a file without rows', async () => {
    appendFileSync(join(suite, 'mails/train.jsonl'), '{"id": "x"}\n'.repeat(7));
    writeFileSync(join(suite, 'tickets/test.jsonl'), '');
    const { status, lines } = await lethe('data', 'verify', suite);
    expect(status).to.equal(1);
    expect(lines[1]).to.match(/^tickets test\s+empty\s+0 rows/);
    expect(lines[2]).to.contain('test.jsonl: task "tickets" has no test rows');
    const faults = lines.slice(5, 12);
    expect(faults.filter((line) => line.includes('the row has no fields "input", "output"'))).to.have.length(5);
    expect(faults[5]).to.contain('    fix a row is {"id": "…", "input": "…", "output": "…"}');
    expect(faults[6]).to.equal('  and 2 more');
  });

  it('names commands that can be typed: the path of the suite, where its rows are, in quotes where a space is', async () => {
    const spaced = join(folder, 'my suites', 'my-suite');
    expect((await lethe('new', 'suite', spaced)).problem).to.equal(undefined);
    expect(typed(resolve('-dash')), 'no flag').to.equal('./-dash');
    expect(notes[0]).to.contain(`npm run lethe -- validate '${spaced}'`).and.contain(`npm run lethe -- run '${spaced}/suite.yaml'`);
    const file = join(spaced, 'suite.yaml');
    const probes = readFileSync(file, 'utf8').replace(/^training:.*\n/m, '').replace(/^sizes:\n( .*\n)+/m, '').replace(/^orders:\n( .*\n?)+/m, '');
    writeFileSync(file, probes);
    expect((await lethe('validate', spaced)).lines.join()).to.contain(`2 probes; rows: lethe data verify '${file}'`);
    expect((await lethe('validate', spaced, '--data-dir', folder)).lines.join()).to.contain(`lethe data verify '${file}' --data-dir ${folder}`);
  });

  it('takes a name for no path, and says how the path of a folder of that name is written', async () => {
    const from = process.cwd();
    expect((await lethe('new', 'suite', join(folder, 'office'))).problem).to.equal(undefined);
    cpSync(join(folder, 'office'), join(folder, 'office desk'), { recursive: true });
    process.chdir(folder);
    try {
      for (const [name, written] of [['office', './office'], ['office desk', "'./office desk'"]] as const) {
        for (const command of [['data', 'verify'], ['show', 'suite'], ['run']]) {
          expect((await lethe(...command, name)).problem).to.contain(`LETHE_SUITE_UNKNOWN: there is no suite called "${name}". Did you mean the folder ${written}?`);
        }
        expect((await lethe('data', 'verify', `./${name}`)).status).to.equal(0);
      }
    } finally {
      process.chdir(from);
    }
  });

  it('names rows that stand in two places', async () => {
    const text = 'the coffee machine in the hall has been broken since the party of last week';
    appendFileSync(join(suite, 'mails/train.jsonl'), `${JSON.stringify({ id: 'x', input: text, output: 'hr' })}\n`);
    appendFileSync(join(suite, 'tickets/test.jsonl'), `${JSON.stringify({ id: 'x', input: `${text}!`, output: 'hardware' })}\n`);
    const { status, lines } = await lethe('data', 'verify', suite);
    expect(status).to.equal(0);
    expect(lines.at(-1)).to.contain('1 of 7 test rows of task "tickets" stand, nearly the same, in train rows of task "mails"').and.contain('train.jsonl:13');
  });

  it('says that there is nothing to pull where rows are made by code, and where files that are missing go', async () => {
    expect(await lethe('data', 'pull', 'domain-mini')).to.deep.equal({ status: 0, lines: [] });
    expect(notes).to.deep.equal(['the rows of this suite are made by its code: there are no files']);
    unlinkSync(join(suite, 'mails/test.jsonl'));
    expect((await lethe('data', 'verify', suite)).status).to.equal(1);
    expect(notes.at(-1)).to.equal('1 of them is missing: give the folder that holds them with --data-dir DIR');
    expect((await lethe('data', 'verify', suite, '--data-dir', folder)).status).to.equal(1);
    expect(notes.at(-1)).to.contain(`put them below ${folder}`).and.contain('suites/README.md');
  });

  it('pulls what the suite names a source for, and says what to do without a network', async () => {
    const hub = new LocalHub();
    const before = process.env['LETHE_CACHE'];
    process.env['LETHE_CACHE'] = join(folder, 'cache');
    try {
      const file = join(suite, 'suite.yaml');
      let yaml = readFileSync(file, 'utf8').replace('prompt: |-', 'source: { repo: datasets/someone/rows, revision: abc }\nprompt: |-');
      for (const task of ['tickets', 'mails']) {
        const [train, test] = ['train', 'test'].map((split) => {
          const path = join(suite, task, `${split}.jsonl`);
          const bytes = readFileSync(path);
          hub.files.set(`/datasets/someone/rows/resolve/abc/${task}/${split}.jsonl`, bytes);
          unlinkSync(path);
          return createHash('sha256').update(bytes).digest('hex');
        });
        yaml = yaml.replace(`id: ${task},`, `id: ${task}, sha256: { train: ${train}, test: ${test} },`);
      }
      writeFileSync(file, yaml);
      expect((await lethe('data', 'verify', suite)).status).to.equal(1);
      expect(notes.at(-1)).to.contain('4 of them are missing').and.contain('--data-dir DIR').and.contain(`lethe data pull ${suite}`);
      process.env['HF_ENDPOINT'] = 'http://127.0.0.1:1';
      expect((await lethe('data', 'pull', suite)).problem).to.contain('LETHE_HUB_UNREACHABLE').and.contain('tickets/train.jsonl');
      delete process.env['HF_ENDPOINT'];
      await hub.open();
      const { status, lines } = await lethe('data', 'pull', suite);
      expect([status, lines.length]).to.deep.equal([0, 4]);
      expect(notes.at(-1)).to.contain('4 files were downloaded and checked');
      expect((await lethe('data', 'verify', suite)).status).to.equal(0);
      expect((await lethe('data', 'pull', suite)).lines).to.deep.equal([]);
      expect(notes).to.deep.equal(['all files are there already']);
    } finally {
      hub.close();
      if (before === undefined) delete process.env['LETHE_CACHE'];
      else process.env['LETHE_CACHE'] = before;
    }
  });

  it('stops before anything is written at a bad row, or runs without it and counts it in the results', async function () {
    this.timeout(180_000);
    appendFileSync(join(suite, 'mails/train.jsonl'), '{"id": "x", "input": "y"');
    const out = join(folder, 'run');
    const run = (...args: string[]) => lethe('run', join(suite, 'suite.yaml'), '--methods', 'lora-sequential', '--seeds', '1', '--device', 'cpu', '--out', out, ...args);
    expect((await run()).problem).to.contain('LETHE_DATA_ROW').and.contain('mails/train.jsonl:13');
    expect(existsSync(out)).to.equal(false);
    const { status, problem } = await run('--skip-bad-rows');
    expect([status, problem]).to.deep.equal([0, undefined]);
    expect(notes[0]).to.equal('1 row of task "mails" cannot be used and is left out');
    const { runs: [result] } = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Results;
    expect(result!.status).to.equal('completed');
    expect(result!.environment.skippedRows).to.deep.equal({ mails: 1 });
  });
});
