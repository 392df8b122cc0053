import { type CompletedRun, type Method, type RunEvent, type SuiteData, type TaskData, type TextPredictions, sha256 } from '@lethe/core';
import type { Device } from '@lethe/engine';
import { type Job, forwardOf, generate, runStream } from '@lethe/harness';
import { resultsHash, validateResults } from '@lethe/metrics';
import type { LanguageModel } from '@lethe/model';
import { expect } from 'chai';
import { type Opened, openFixture } from './fixtures.js';

const WRITTEN = { scorer: 'exact-match', maxTokens: 6, stop: ['.'] };
const ROWS = [['the sea is', 'blue'], ['a stone can not', 'fly'], ['where is the bird?', 'on the wall'], ['1 and 2 make', '3']] as const;

/** A task whose answers are written, and one whose answers are options. */
function suite(): SuiteData {
  const rows = (split: string, options: (answer: string) => { options: string[]; answer: number }) =>
    ROWS.map(([prompt, answer], i) => ({ id: `${split}-${i}`, prompt, ...options(answer) }));
  const task = (id: string, extra: Partial<TaskData>, options: (answer: string) => { options: string[]; answer: number }): TaskData => {
    const splits = { train: rows('train', options), validation: [], test: rows('test', options) };
    return { id, title: id, ...splits, ...extra, sha256: sha256({ splits, extra }) };
  };
  const tasks = [
    task('text', { written: WRITTEN }, (answer) => ({ options: [` ${answer}`, ` it: ${answer}`], answer: 0 })),
    task('options', {}, (answer) => ({ options: [` ${answer}`, ' house'], answer: 1 })),
  ];
  return {
    id: 'mixed', version: '1.0.0', kind: 'general', title: 'Mixed', size: 'full', tasks,
    probes: [{ ...task('probe', { written: { ...WRITTEN, scorer: 'rouge-l' } }, (answer) => ({ options: [` ${answer}`], answer: 0 })), train: [] }],
    orders: [{ id: '1', tasks: ['text', 'options'] }],
    training: { epochs: 60, batch: 4, learningRate: 0.02, warmup: 0.1, weightDecay: 0, clip: 1, rank: 8, alpha: 16, sites: ['q', 'v', 'up', 'down'], maxTokens: 48 },
  };
}

describe('a task that is answered by writing', () => {
  let model: LanguageModel;
  let device: Device;
  let folder: string;
  let close: Opened['close'];
  before(async () => { ({ model, device, folder, close } = await openFixture('llama/tied')); });
  after(() => close());

  async function run(id: string): Promise<{ run: CompletedRun; events: RunEvent[] }> {
    const data = suite();
    const { default: method } = (await import(new URL(`../../plugins/${id}/index.js`, import.meta.url).href)) as { default: Method };
    const job: Job = {
      identity: {
        suite: { id: data.id, version: data.version, size: data.size },
        method: { id, version: '1.0.0', options: { start: 'random' }, capabilities: { rehearsal: false, taskIdentity: false, growth: 'none', bound: false } },
        model: { id: model.id, sha256: model.sha256 }, order: data.orders[0]!, seed: 1, training: data.training,
      },
      codePath: '', stream: 'continual', suite: { reference: '', suitesDir: '', builtDir: '' }, modelDir: '', device: 'cpu', threads: 1, outDir: folder,
      origin: { lethe: '0.1.0', git: null },
    };
    const events: RunEvent[] = [];
    const result = await runStream(job, { device, model, suite: data, method }, (event) => events.push(event));
    expect(result.status).to.equal('completed');
    return { run: result as CompletedRun, events };
  }
  const textOf = (completed: CompletedRun, task: string) => completed.predictions[task] as TextPredictions;

  it('is scored by what the model writes, learned, and can be checked afterwards', async () => {
    const { run: result } = await run('lora-sequential');
    validateResults({ schema: 'lethe.results/1', sha256: resultsHash([result]), runs: [result] });
    const { scorer, references, written } = textOf(result, 'text');
    expect(scorer).to.equal('exact-match');
    expect(references).to.deep.equal(ROWS.map(([, answer]) => [answer, `it: ${answer}`]));
    const base = await generate(device, forwardOf(model), ROWS.map(([prompt]) => prompt), { maxTokens: WRITTEN.maxTokens, stop: WRITTEN.stop });
    expect(written[0]).to.deep.equal(base.map(({ text }) => text));
    expect(written[1]!.map((text) => text.trim())).to.deep.equal(ROWS.map(([, answer]) => answer));
    expect(result.matrix.map((row) => row[0])).to.deep.equal([0, 1, result.matrix[2]![0]]);
    expect(textOf(result, 'probe').scorer).to.equal('rouge-l');
    expect(result.general.base['probe']).to.be.within(0, 0.5);
    expect('chosen' in result.predictions['options']!).to.equal(true);

    const again = await run('lora-sequential');
    expect(again.run.predictions).to.deep.equal(result.predictions);
    expect(again.events.filter((event) => event.type === 'step-finished').every((event) => 'reused' in event && event.reused)).to.equal(true);
  });

  it('is not written again where nothing was added to the model', async () => {
    const { run: result, events } = await run('zero-shot');
    const { written } = textOf(result, 'text');
    expect(written[1]).to.deep.equal(written[0]);
    expect(written[2]).to.deep.equal(written[0]);
    expect(events.some((event) => event.type === 'score-progress' && event.step > 0)).to.equal(false);
  });
});
