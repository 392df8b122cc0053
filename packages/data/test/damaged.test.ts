import { LetheError } from '@lethe/core';
import { fraction, replaceAt, soundly } from '@lethe/core/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { inspectSuite, loadSuite, readSuiteFile, verifyData } from '../src/index.js';
import { OwnSuite, YAML, jsonLines } from './support.js';

/** Cases of each kind: a thousand in all. */
const BYTES = 300;
const VALUES = 300;
const FIELDS = 200;
const TABLES = 200;

const CODES = /^LETHE_(SUITE|DATA)_/;

/** Damage to bytes: cut off, a bit turned, a piece doubled, taken away or overwritten. */
const damage = fc.record({ kind: fc.constantFrom('cut', 'flip', 'double', 'drop', 'noise'), at: fraction, size: fc.nat(40), bit: fc.nat(7), noise: fc.uint8Array({ minLength: 1, maxLength: 20 }) });
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function damaged(bytes: Buffer, { kind, at, size, bit, noise }: Damage): Buffer {
  const start = Math.min(bytes.length - 1, Math.floor(at * bytes.length));
  const [before, piece, after] = [bytes.subarray(0, start), bytes.subarray(start, start + size), bytes.subarray(start + size)];
  switch (kind) {
    case 'cut': return Buffer.from(before);
    case 'flip': {
      const copy = Buffer.from(bytes);
      copy[start]! ^= 1 << bit;
      return copy;
    }
    case 'double': return Buffer.concat([before, piece, piece, after]);
    case 'drop': return Buffer.concat([before, after]);
    default: return Buffer.concat([before, noise, after]);
  }
}

/** Values of any type, and names that a file system or an object might stumble over. */
const hostile = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 1e308, '', ' ', '\0', '__proto__', 'constructor', '../../../etc/passwd', '/etc/passwd', 'C:\\x', 'a\0b', '{input}', '\ud800', 'x'.repeat(5_000)),
  fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: 'binary', maxLength: 20 }),
);

describe('damaged suites and rows', function () {
  this.timeout(120_000);
  let suite: OwnSuite;
  const originals = new Map<string, Buffer>();
  const FILES = ['suite.yaml', 'tickets/train.jsonl', 'tickets/test.jsonl', 'mails/train.jsonl', 'mails/test.jsonl'];
  beforeEach(() => {
    suite = new OwnSuite();
    harmed = '';
    for (const file of FILES) originals.set(file, readFileSync(join(suite.folder, file)));
  });
  afterEach(() => rmSync(suite.folder, { recursive: true }));
  let harmed = '';
  /** Puts other bytes into one file; the one before is as it was. */
  const put = (file: string, bytes: string | Uint8Array) => {
    const original = originals.get(harmed);
    if (original) suite.write(harmed, original);
    suite.write(file, bytes);
    harmed = file;
  };

  it(`${BYTES} files with bytes cut, turned, doubled and lost give data or one error`, async () => {
    let refused = 0;
    await fc.assert(fc.asyncProperty(fc.constantFrom(...FILES), damage, async (file, harm) => {
      put(file, damaged(originals.get(file)!, harm));
      const outcome = await soundly(() => loadSuite(suite.reference()), CODES);
      if (outcome !== 'used') refused++;
      // what one error stopped, skipping gets past, unless the suite itself or a whole file is at fault
      if (outcome instanceof LetheError && outcome.code === 'LETHE_DATA_ROW') await soundly(() => inspectSuite(suite.reference({ skipBadRows: true })), CODES);
    }), { numRuns: BYTES, seed: 1 });
    expect(refused).to.be.greaterThan(BYTES / 4);
  });

  it(`${VALUES} suite files with a value of another kind or none give a suite or one error`, async () => {
    const document: unknown = parse(YAML);
    const refused = new Set<string>();
    await fc.assert(fc.asyncProperty(fraction, hostile, fc.boolean(), async (place, value, remove) => {
      put('suite.yaml', stringify(replaceAt(document, place, value, remove)));
      const outcome = await soundly(() => loadSuite(suite.reference()), CODES);
      if (outcome !== 'used') refused.add(outcome.message);
      await soundly(() => verifyData(suite.reference()), CODES);
    }), { numRuns: VALUES, seed: 2 });
    expect(refused.size).to.be.greaterThan(VALUES / 10);
  });

  it(`${FIELDS} rows with a value of another kind or none give rows or one error with file:line`, async () => {
    const rows = originals.get('tickets/train.jsonl')!.toString().trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
    await fc.assert(fc.asyncProperty(fraction, hostile, fc.boolean(), async (place, value, remove) => {
      put('tickets/train.jsonl', jsonLines(replaceAt(rows, place, value, remove) as unknown[]));
      const outcome = await soundly(() => loadSuite(suite.reference()), CODES);
      if (outcome !== 'used') expect(outcome.where).to.match(/train\.jsonl:\d+/);
    }), { numRuns: FIELDS, seed: 3 });
  });

  it(`${TABLES} damaged tables give rows or one error`, async () => {
    const rows = originals.get('tickets/train.jsonl')!.toString().trimEnd().split('\n').map((line) => JSON.parse(line) as Record<'id' | 'input' | 'output', string>);
    const parquet = Buffer.from(parquetWriteBuffer({
      columnData: (['id', 'input', 'output'] as const).map((name) => ({ name, data: rows.map((row) => row[name]), type: 'STRING' as const })), rowGroupSize: 20,
    }));
    const csv = Buffer.from(`id,input,output\n${rows.map(({ id, input, output }) => `${id},"${input}",${output}\n`).join('')}`);
    rmSync(join(suite.folder, 'tickets/train.jsonl'));
    originals.delete('tickets/train.jsonl');
    await fc.assert(fc.asyncProperty(fc.constantFrom('csv', 'csv', 'csv', 'parquet'), damage, async (format, harm) => {
      for (const other of ['csv', 'parquet']) rmSync(join(suite.folder, `tickets/train.${other}`), { force: true });
      suite.write(`tickets/train.${format}`, damaged(format === 'csv' ? csv : parquet, harm));
      await soundly(() => loadSuite(suite.reference()), CODES);
    }), { numRuns: TABLES, seed: 4 });
  });

  it('reads nothing outside of the folders it was given', async () => {
    const secret = mkdtempSync(join(tmpdir(), 'lethe-secret-'));
    try {
      for (const split of ['train', 'test']) writeFileSync(join(secret, `${split}.jsonl`), '');
      const depth = suite.folder.split('/').length;
      for (const folder of [secret, `x/${'../'.repeat(depth)}${secret.slice(1)}`, `..${secret}`, './x', 'x/./y', 'x/..']) {
        suite.yaml(YAML.replace('title: Mails', `folder: "${folder}", title: Mails`));
        const outcome = await soundly(() => readSuiteFile(suite.file), CODES);
        expect(outcome, folder).to.be.instanceOf(LetheError);
      }
      expect(readdirSync(secret)).to.have.length(2);
    } finally {
      rmSync(secret, { recursive: true });
    }
  });
});
