import { Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import type { RunEvent, RunIdentity } from '@lethe/core';
import { expect } from 'chai';
import { LiveProgress } from '../src/run/live.js';
import { PlainProgress } from '../src/run/plain.js';
import { cutNotes, duration, runLine } from '../src/run/progress.js';

const labels = ['ewc   seed 1', 'seta  seed 1'];
const events: readonly RunEvent[] = [
  { type: 'run-started', run: 'ewc', identity: {} as RunIdentity, steps: 3 },
  { type: 'step-started', run: 'ewc', step: 0, task: null },
  { type: 'step-finished', run: 'ewc', step: 0, scores: [0.5, 0.25], reused: true },
  { type: 'step-started', run: 'ewc', step: 1, task: 'triage' },
  ...Array.from({ length: 20 }, (_, i): RunEvent => ({ type: 'train-progress', run: 'ewc', step: 1, done: i + 1, total: 20, loss: 1.25 })),
  { type: 'score-progress', run: 'ewc', step: 1, done: 4, total: 8 },
  { type: 'step-finished', run: 'ewc', step: 1, scores: [0.75, null], reused: false },
];

describe('progress', () => {
  it('is one line a finished step and little else where there is no terminal', () => {
    const lines: string[] = [];
    const progress = new PlainProgress((line) => lines.push(line), labels, () => 90);
    for (const event of events) progress.hear(event, 0);
    expect(lines).to.deep.equal([
      'ewc   seed 1  base model  scores 50 25  (already there)  2 min left',
      'ewc   seed 1  1/2 triage  scores 75 –  2 min left',
    ]);
  });

  it('is a bar for each worker and one for all on a terminal, with the lines that stay above them', () => {
    let text = '';
    const stream = new Writable({ write: (chunk, _, done) => { text += String(chunk); done(); } });
    const terminal = Object.assign(stream, { isTTY: true, columns: 100, rows: 30 }) as unknown as WriteStream;
    const progress = new LiveProgress(terminal, 2, 6, labels, () => 40);
    for (const event of events.slice(0, -2)) progress.hear(event, 0);
    progress.hear({ ...events[0]!, run: 'seta' } as RunEvent, 1);
    progress.hear({ type: 'step-started', run: 'seta', step: 0, task: null }, 1);
    progress.line('a line that stays');
    progress.close();
    expect(text).to.contain('ewc   seed 1  1/2 triage  step 20/20  loss 1.250');
    expect(text).to.contain('seta  seed 1  base model').and.contain('1/6 steps  40 s left').and.contain('a line that stays\n');
  });

  it('tells once of the rows of a task that are cut, whatever run they are of', () => {
    const note = cutNotes();
    const cut: RunEvent = { type: 'rows-cut', run: 'ewc', task: 'triage', split: 'train', of: 300, prompts: 12, maxTokens: 128, answers: 3, answerTokens: 16 };
    expect([...events, cut, { ...cut, run: 'seta' }, { ...cut, split: 'test' as const, of: 40, prompts: 1, answers: 0 }, { ...cut, run: 'l2p', maxTokens: 88, virtualTokens: 40, answers: 0 }].map(note).filter(Boolean)).to.deep.equal([
      'task "triage": 12 of 300 training rows lose the middle of their prompt, to fit into 128 tokens; 3 of 300 training rows lose the end of their answer, to fit into 16 tokens',
      'task "triage": 1 of 40 scored rows lose the middle of their prompt, to fit into 128 tokens',
      'task "triage": 12 of 300 training rows lose the middle of their prompt, to fit into 88 tokens behind 40 virtual ones',
    ]);
  });

  it('says durations as exactly as they are known', () => {
    expect([0.2, 59, 61, 3599, 7260].map(duration)).to.deep.equal(['1 s', '59 s', '1 min', '1 h 0 min', '2 h 1 min']);
  });

  it('says why a run failed', () => {
    expect(runLine('ewc', { status: 'failed', error: { code: 'LETHE_METHOD_FAILED', message: 'no' } } as never)).to.equal('ewc  failed: LETHE_METHOD_FAILED: no');
  });
});
