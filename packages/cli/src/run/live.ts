import type { WriteStream } from 'node:tty';
import type { RunEvent } from '@lethe/core';
import { MultiBar, type SingleBar } from 'cli-progress';
import { type Progress, timeLeft } from './progress.js';

interface Lane {
  readonly bar: SingleBar;
  /** The run it shows now. */
  index: number | null;
  of: number;
  place: string;
}

/** Progress on a terminal: a bar for each worker and one for all, in place; lines that stay scroll above them. */
export class LiveProgress implements Progress {
  private readonly bars: MultiBar;
  private readonly lanes: Lane[];
  private readonly total: SingleBar;

  /**
   * @param labels what to call each run
   * @param steps steps of all runs together
   * @param left seconds to go
   */
  constructor(
    stream: WriteStream, workers: number, steps: number,
    private readonly labels: readonly string[],
    private readonly left: () => number | null,
  ) {
    this.bars = new MultiBar({
      stream, format: ' {bar} {text}', barsize: 16, barCompleteChar: '█', barIncompleteChar: '░',
      hideCursor: true, clearOnComplete: true, forceRedraw: true, emptyOnZero: true, fps: 8,
    });
    this.lanes = Array.from({ length: workers }, () => ({ bar: this.bars.create(1, 0, { text: 'waiting' }), index: null, of: 0, place: '' }));
    this.total = this.bars.create(steps, 0, { text: '' }, { format: ' {bar} {value}/{total} steps{text}' });
  }

  hear(event: RunEvent, index: number): void {
    let lane = this.lanes.find((l) => l.index === index);
    if (event.type === 'run-started' && !lane) {
      lane = this.lanes.find((l) => l.index === null);
      if (lane) Object.assign(lane, { index, of: event.steps - 1 });
    }
    if (!lane) return;
    const label = `${this.labels[index]}  `;
    switch (event.type) {
      case 'step-started':
        lane.place = `${label}${event.step === 0 ? 'base model' : `${event.step}/${lane.of} ${event.task}`}`;
        show(lane.bar, 0, 1, lane.place);
        break;
      case 'train-progress':
        show(lane.bar, event.done, event.total, `${lane.place}  step ${event.done}/${event.total}  loss ${event.loss.toFixed(3)}`);
        break;
      case 'score-progress':
        show(lane.bar, event.done, event.total, `${lane.place}  scored ${event.done}/${event.total}`);
        break;
      case 'step-finished':
        this.total.increment();
        break;
      default:
    }
    this.total.update({ text: timeLeft(this.left()) });
  }

  ended(index: number): void {
    const lane = this.lanes.find((l) => l.index === index);
    if (!lane) return;
    lane.index = null;
    show(lane.bar, 0, 1, 'waiting');
  }

  line(text: string): void {
    this.bars.log(`${text}\n`);
  }

  close(): void {
    this.bars.update();
    this.bars.stop();
  }
}

function show(bar: SingleBar, done: number, total: number, text: string): void {
  bar.setTotal(total);
  bar.update(done, { text });
}
