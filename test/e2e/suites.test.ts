import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createProgram } from '@lethe/cli';
import type { CompletedRun, Results, TextPredictions } from '@lethe/core';
import { expect } from 'chai';
import pc from 'picocolors';
import { parse, stringify } from 'yaml';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** Untrained, and without capitals. */
const TINY = join(root, 'test/fixtures/llama/tied');
/** Reads any text. */
const NANO = join(root, 'packages/model/lethe-nano');
const DATA = join(root, '../shared/data');

interface SuiteText {
  readonly tasks: { folder: string; sha256?: unknown; without?: unknown }[];
  readonly orders: Readonly<Record<string, string[]>>;
  source?: unknown;
}

/** Runs a command in this process. */
async function lethe(...args: string[]): Promise<void> {
  const said: string[] = [];
  const output = { data: (text: string) => void said.push(text), note: (text: string) => void said.push(text), colour: pc.createColors(false) };
  await createProgram(output).parseAsync(args, { from: 'user' });
  expect(process.exitCode ?? 0, said.join('\n')).to.equal(0);
}

describe('the suites of the field, from their rows to results', () => {
  let folder: string;
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-suites-')); });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    process.exitCode = 0;
  });

  /** A copy of an installed suite that is not pinned to the files it was made with, which are not here: these rows are the test's. */
  function unpinned(id: string, rowsOf: (task: number, split: string) => unknown): { suite: string; text: SuiteText } {
    const text = parse(readFileSync(join(root, 'suites', id, 'suite.yaml'), 'utf8')) as SuiteText;
    delete text.source;
    for (const [i, task] of text.tasks.entries()) {
      delete task.sha256;
      delete task.without;
      mkdirSync(join(folder, task.folder), { recursive: true });
      for (const split of ['train', 'test']) writeFileSync(join(folder, task.folder, `${split}.json`), JSON.stringify(rowsOf(i, split)));
    }
    const suite = join(folder, 'suite.yaml');
    writeFileSync(suite, stringify(text));
    return { suite, text };
  }

  /** An untrained model and, unless the methods say otherwise, one trained on all tasks at once: every task is trained on and answered. */
  async function run(suite: string, model: string, args: readonly string[] = [], methods = 'zero-shot,joint'): Promise<readonly CompletedRun[]> {
    const out = join(folder, 'run');
    await lethe('run', suite, '--size', 'quick', '--methods', methods, '--seeds', '1', '--workers', '1', '--device', 'cpu', '--model', model, '--out', out, ...args);
    await lethe('validate', out);
    const { runs } = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Results;
    return runs.map((result) => {
      expect(result.status, JSON.stringify(result)).to.equal('completed');
      return result as CompletedRun;
    });
  }
  const scorers = ({ predictions, order }: CompletedRun) => order.tasks.map((task) => (predictions[task] as TextPredictions).scorer);

  it('superni: fifteen tasks of Natural Instructions', async () => {
    const { suite, text } = unpinned('superni', (task, split) => ({
      Definition: [`This is kind ${task} of work.`],
      Instances: Array.from({ length: 9 }, (_, i) => ({ id: `${split}-${i}`, input: `the ${split} input ${i}`, output: task % 2 ? `an answer ${i}` : [` one ${i} `, 'another'] })),
    }));
    const [zero, joint] = await run(suite, TINY, ['--orders', '2']);
    expect(zero!.order.tasks).to.deep.equal(text.orders['2']);
    expect(new Set(scorers(joint!))).to.deep.equal(new Set(['rouge-l-stemmed']));
    expect((joint!.predictions['task1572'] as TextPredictions).references[0]!.length).to.be.within(1, 2);
  });

  it('TRACE: eight tasks of prompt and answer, with their epochs and scores', async () => {
    const { suite } = unpinned('trace', (task, split) =>
      Array.from({ length: 9 }, (_, i) => ({ prompt: `${split} ${task}: say ${i} in a text that is not short. `.repeat(6), answer: `${'ABC'[i % 3]!}\nbecause ${'so '.repeat(99)}` })));
    const [zero, joint] = await run(suite, TINY);
    expect(zero!.order.tasks).to.deep.equal(['c-stance', 'fomc', 'meetingbank', 'py150', 'scienceqa', 'numglue-cm', 'numglue-ds', '20minuten']);
    expect(scorers(joint!)).to.deep.equal(['verbatim', 'verbatim', 'rouge-l-trace', 'edit-similarity-py150', 'first-character', 'verbatim', 'verbatim', 'sari']);
  });

  describe('on real rows (of ../shared/data, where that is)', () => {
    before(function () {
      if (existsSync(DATA)) return;
      this.test!.title = `there are no rows at ${DATA}`;
      this.skip();
    });
    /** A data folder with some of the rows: without probes that are not asked for. */
    const link = (...paths: string[]) => paths.forEach((path) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      symlinkSync(join(DATA, path), join(folder, path));
    });

    it('trace-like: chosen and written answers', async () => {
      link('trace');
      const [, joint] = await run('trace-like', NANO, ['--data-dir', folder]);
      expect(Object.keys(joint!.predictions)).to.deep.equal(['stance', 'policy', 'code', 'science', 'sums']);
      expect((joint!.predictions['sums'] as TextPredictions).scorer).to.equal('numeric-answer');
    });

    it('long-sequence: fifteen tasks, and under leaky prompts another table', async () => {
      link('long_sequence_15', 'standard_cl_5');
      const [zero] = await run('long-sequence', NANO, ['--data-dir', folder, '--prompts', 'leaky'], 'zero-shot');
      expect(zero!.suite).to.deep.equal({ id: 'long-sequence', version: '1.0.0', size: 'quick', prompts: 'leaky' });
      expect(zero!.matrix[0]).to.have.length(15);
    });

    it('GSM8K: written answers of a probe, with worked examples and without', async () => {
      cpSync(join(root, 'test/fixtures/two-trades'), folder, { recursive: true });
      link('general/gsm8k');
      const file = join(folder, 'suite.yaml');
      const { sizes, ...text } = parse(readFileSync(file, 'utf8')) as { sizes: { full: object } };
      writeFileSync(file, stringify({
        ...text, probes: { suite: 'general-ability', tasks: ['gsm8k', 'gsm8k-five-shot'] },
        sizes: { full: { ...sizes.full, probe: 3 }, quick: { ...sizes.full, probe: 3, answerTokens: 8, training: { epochs: 1, maxTokens: 128 } } },
      }));
      const [zero, joint] = await run(file, TINY, ['--data-dir', folder, '--probes']);
      for (const id of ['gsm8k', 'gsm8k-five-shot']) {
        const { scorer, references, written } = joint!.predictions[id] as TextPredictions;
        expect([scorer, references.length, written.at(-1)!.length]).to.deep.equal(['numeric-answer', 3, 3]);
        expect(references.flat().every((answer) => /^-?[\d,.]+$/.test(answer)), references.join()).to.equal(true);
        expect(Object.keys(zero!.general.base)).to.include(id);
      }
    });
  });
});
