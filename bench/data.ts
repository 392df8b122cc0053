import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import type { Example } from '@lethe/core';
import { loadSuite, readLines } from '@lethe/data';
import { openDevice } from '@lethe/engine';
import { Scorer, encodeRow, forwardOf } from '@lethe/harness';
import { loadModel, parseTokenizer } from '@lethe/model';
import Table from 'cli-table3';
import { type Contender, type Spread, type Taken, race, timed } from './measure.js';

/** Seen from `bench/dist`. */
const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const INSTALLED = { suitesDir: at('suites'), builtDir: at('dist/suites'), cacheDir: tmpdir() };
const MEGABYTES = 64;
/** Rows of the test set of AG News. */
const TEST_ROWS = 7600;
const MAX_TOKENS = 128;

const { values } = parseArgs({
  options: {
    /** What leads here. */
    data: { type: 'boolean' },
    json: { type: 'boolean', default: false },
    rows: { type: 'string' },
    model: { type: 'string', default: at('packages/model/lethe-nano') },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '1' },
    'against-tokenizers': { type: 'string' },
  },
});
const python = values['against-tokenizers'];

interface Text {
  readonly input: string;
  readonly output: string;
}

/** The texts of a file of JSON lines, or those of one task that is made by code. */
async function textsOf(file: string | undefined): Promise<Text[]> {
  if (file !== undefined) return (await readFile(file, 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line) as Text);
  const { tasks: [task] } = await loadSuite({ reference: 'domain-mini', ...INSTALLED });
  return task!.test.map(({ prompt, options, answer }) => ({ input: prompt, output: options[answer]!.trim() }));
}

/** A suite of these texts: so many rows that training rows fill {@link MEGABYTES}, and {@link TEST_ROWS} test rows. */
async function writeSuite(folder: string, texts: readonly Text[]): Promise<{ suite: string; train: string }> {
  const row = (split: string, n: number) => {
    const { input, output } = texts[n % texts.length]!;
    return `${JSON.stringify({ id: `${split}-${n}`, input: `${input} (${split} ${n})`, output })}\n`;
  };
  const train: string[] = [];
  for (let bytes = 0; bytes < MEGABYTES * 1e6;) bytes += Buffer.byteLength(train[train.push(row('train', train.length)) - 1]!);
  await mkdir(join(folder, 'rows'));
  await writeFile(join(folder, 'rows', 'train.jsonl'), train.join(''));
  await writeFile(join(folder, 'rows', 'test.jsonl'), Array.from({ length: TEST_ROWS }, (_, n) => row('test', n)).join(''));
  const definition = {
    id: 'bench', version: '1.0.0', kind: 'general', title: 'Texts', description: 'Texts to be read.', licence: 'see the rows', seed: 1,
    prompt: '{input}\nOne of: {options}\nAnswer:',
    training: { epochs: 1, batch: 8, learningRate: 1e-3, warmup: 0, weightDecay: 0, clip: 1, rank: 8, alpha: 16, sites: ['q'], maxTokens: MAX_TOKENS },
    sizes: { full: { train: 1000, validation: 0, test: 'all' } },
    tasks: [{ id: 'rows', title: 'Rows', labels: [...new Set(texts.map(({ output }) => output))].sort() }],
    orders: { 1: ['rows'] },
  };
  const suite = join(folder, 'suite.yaml');
  await writeFile(suite, JSON.stringify(definition)); // JSON is YAML
  return { suite, train: join(folder, 'rows', 'train.jsonl') };
}

/** A piece of work, and how much of what it gets done. */
interface Work extends Contender {
  readonly name: string;
  readonly amount: number;
  readonly unit: string;
}

async function worksOf(folder: string): Promise<Work[]> {
  const { suite, train } = await writeSuite(folder, await textsOf(values.rows));
  const megabytes = (await stat(train)).size / 1e6;
  const work = (name: string, amount: number, unit: string, run: () => Promise<unknown>): Work => ({ name, amount, unit, repeats: 1, run: timed(run) });
  const read = work('read', megabytes, 'MB', async () => {
    for await (const lines of readLines(train)) if (lines.some(({ fault }) => fault)) throw new Error('a row cannot be read');
  });
  const load = () => loadSuite({ reference: suite, ...INSTALLED });
  const works = [read, work('load', megabytes, 'MB', load)];

  const rows: readonly Example[] = (await load()).tasks[0]!.test;
  const model = await loadModel(values.model);
  const file = join(values.model, 'tokenizer.json');
  const prompts = rows.map(({ prompt }) => prompt);
  const size = prompts.reduce((sum, prompt) => sum + Buffer.byteLength(prompt), 0) / 1e6;
  const settings = await readFile(file, 'utf8');
  const open = () => parseTokenizer(settings, file, model.config.vocabSize, [model.tokenizer.endOfText]);
  // a tokenizer of its own for every run: none has seen the words before
  let tokenizer = open();
  const tokenize = timed(async () => prompts.forEach((prompt) => tokenizer.encode(prompt)));
  const fresh = () => {
    tokenizer = open();
    return tokenize();
  };
  works.push({ name: 'tokenize', amount: size, unit: 'MB', repeats: 1, run: fresh });
  if (python !== undefined) {
    const texts = join(folder, 'texts.json');
    await writeFile(texts, JSON.stringify(prompts));
    const run = async () => JSON.parse((await promisify(execFile)(python, [at('bench/tokenizers_worker.py'), file, texts])).stdout) as Taken;
    works.push({ name: 'tokenize, Python', amount: size, unit: 'MB', repeats: 1, run });
  }

  const encoded = rows.map((row) => encodeRow(model.tokenizer, row, MAX_TOKENS));
  for (const threads of values.threads.split(',').map(Number)) {
    const device = await openDevice({ name: 'cpu', threads });
    works.push(work(`score, ${threads} ${threads === 1 ? 'thread' : 'threads'}`, rows.length, 'rows', async () => {
      const scorer = new Scorer(device, forwardOf(model));
      await scorer.choose(encoded, () => undefined);
      await scorer.dispose();
    }));
  }
  return works;
}

const folder = await mkdtemp(join(tmpdir(), 'lethe-bench-'));
try {
  const all = await worksOf(folder);
  const spreads = await race(all, Number(values.rounds));
  const rows = all.map(({ name, amount, unit }, i) => {
    const milliseconds: Spread = spreads[i]!;
    return { work: name, amount, unit, milliseconds, perProcessorSecond: (1000 * amount) / milliseconds.processor };
  });
  const table = new Table({ head: ['work', 'amount', 's (quartiles)', 'processor s', 'a second of processor'], style: { head: [], border: [] } });
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(2);
  for (const { work, amount, unit, milliseconds: { median, low, high, processor }, perProcessorSecond } of rows) {
    table.push([work, `${amount.toFixed(unit === 'MB' ? 1 : 0)} ${unit}`, `${seconds(median)} (${seconds(low)}-${seconds(high)})`, seconds(processor), `${perProcessorSecond.toPrecision(3)} ${unit}`]);
  }
  process.stdout.write(values.json ? `${JSON.stringify({ schema: 'lethe.bench-data/1', node: process.version, rows }, null, 2)}\n` : `${table.toString()}\n`);
} finally {
  await rm(folder, { recursive: true });
}
