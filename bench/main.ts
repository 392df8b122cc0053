import { parseArgs } from 'node:util';
import { openDevice } from '@lethe/engine';
import Table from 'cli-table3';
import { scoringFlops, trainingFlops } from './flops.js';
import { race, type Spread } from './measure.js';
import { ROOF_SIZE, randomModel, roofRunner, scoringRunner, trainingRunner } from './programs.js';
import { shapesOf } from './shapes.js';

interface Row {
  readonly model: string;
  readonly parameters: number;
  readonly work: string;
  readonly device: string;
  readonly threads: number;
  readonly milliseconds: Spread;
  readonly tokensPerSecond: number | null;
  readonly gflops: number;
  /** Rate of products over that of one large product with the same threads in the same run. */
  readonly ofRoof: number | null;
  /** Seconds to trace, write and open the program. */
  readonly compileSeconds: number | null;
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    models: { type: 'string', default: '' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '8' },
    repeats: { type: 'string', default: '4' },
    wasm: { type: 'boolean', default: true },
    tokens: { type: 'string' },
  },
  allowNegative: true,
});

const [rounds, repeats] = [Number(values.rounds), Number(values.repeats)];
const rows: Row[] = [];

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const start = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - start) / 1000 };
}

for (const chosen of await shapesOf(values.models.split(',').filter(Boolean))) {
  const shape = values.tokens === undefined ? chosen : { ...chosen, tokens: Number(values.tokens) };
  const model = randomModel(shape);
  const perRun = shape.batch * shape.tokens;
  const rowOf = (
    row: Pick<Row, 'work' | 'device' | 'threads' | 'milliseconds'>,
    flops: number,
    roof?: number,
    compileSeconds?: number,
  ): Row => {
    const gflops = flops / row.milliseconds.median / 1e6;
    return {
      ...row,
      model: shape.id,
      parameters: model.parameters,
      gflops,
      tokensPerSecond: row.work === 'roof' ? null : (1000 * perRun) / row.milliseconds.median,
      ofRoof: roof === undefined ? null : gflops / roof,
      compileSeconds: compileSeconds ?? null,
    };
  };
  for (const threads of values.threads.split(',').map(Number)) {
    const device = await openDevice({ name: 'cpu', threads });
    const roof = await roofRunner(device);
    const train = await timed(() => trainingRunner(device, model, shape));
    const score = await timed(() => scoringRunner(device, model, shape));
    const [roofTime, trainTime, scoreTime] = (await race(
      [
        { run: roof.run, repeats },
        { run: train.result.run, repeats },
        { run: score.result.run, repeats },
      ],
      rounds,
    )) as [Spread, Spread, Spread];
    const on = { device: 'cpu', threads };
    const roofRow = rowOf({ ...on, work: 'roof', milliseconds: roofTime }, 2 * ROOF_SIZE ** 3);
    rows.push(
      roofRow,
      rowOf({ ...on, work: 'train', milliseconds: trainTime }, trainingFlops(shape), roofRow.gflops, train.seconds),
      rowOf({ ...on, work: 'score', milliseconds: scoreTime }, scoringFlops(shape), roofRow.gflops, score.seconds),
    );
    await device.dispose();
  }
  if (values.wasm) {
    const device = await openDevice({ name: 'wasm' });
    const { run } = await trainingRunner(device, model, shape);
    const [time] = await race([{ run, repeats: 1 }], 3);
    rows.push(rowOf({ work: 'train', device: 'wasm', threads: device.threads, milliseconds: time! }, trainingFlops(shape)));
    await device.dispose();
  }
}

/** A single thread that is not disturbed has the processor nearly all the time. */
const UNDISTURBED = 0.9;
const disturbed = rows.filter(({ threads, milliseconds }) => threads === 1 && milliseconds.processors < UNDISTURBED);
if (disturbed.length > 0) {
  const least = Math.min(...disturbed.map(({ milliseconds }) => milliseconds.processors));
  process.stderr.write(
    `The machine was busy with other things (${(100 * least).toFixed(0)} % of a processor): rates are not to be trusted.\n`,
  );
}

if (values.json) process.stdout.write(`${JSON.stringify({ schema: 'lethe.bench/1', node: process.version, rows }, null, 2)}\n`);
else {
  const table = new Table({
    head: ['model', 'work', 'device', 'threads', 'ms (quartiles)', 'tokens/s', 'GFLOP/s', 'of roof', 'compile s'],
    style: { head: [], border: [] },
  });
  const digits = (value: number | null, places: number) => (value === null ? '' : value.toFixed(places));
  for (const row of rows) {
    const { median, low, high } = row.milliseconds;
    table.push([
      `${row.model} (${digits(row.parameters / 1e6, 1)} M)`,
      row.work,
      row.device,
      row.threads,
      `${median.toFixed(1)} (${low.toFixed(1)}-${high.toFixed(1)})`,
      digits(row.tokensPerSecond, 0),
      digits(row.gflops, 1),
      row.ofRoof === null ? '' : `${(100 * row.ofRoof).toFixed(0)} %`,
      digits(row.compileSeconds, 2),
    ]);
  }
  process.stdout.write(`${table.toString()}\n`);
}
