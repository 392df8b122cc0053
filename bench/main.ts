import { parseArgs } from 'node:util';
import { openDevice } from '@lethe/engine';
import { loadModel } from '@lethe/model';
import { withRandomCheckpoint } from './checkpoint.js';
import { type FirstStep, firstStepText, measureFirstStep } from './first-step.js';
import { scoringFlops, trainingFlops } from './flops.js';
import { measureMicroBatches, microBatchesText } from './micro-batches.js';
import { type Contender, type Spread, race, timed } from './measure.js';
import { ROOF_PRODUCTS, ROOF_SIZE, roofRunner, scoringRunner, trainingRunner } from './programs.js';
import { OPTIONS, type Shape, promptOf, shapesOf } from './shapes.js';
import { type Row, tableOf } from './table.js';
import { openTorch } from './torch.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    models: { type: 'string', default: 'nano,10m' },
    threads: { type: 'string', default: '1,2' },
    device: { type: 'string', default: 'cpu' },
    rounds: { type: 'string', default: '8' },
    repeats: { type: 'string', default: '4' },
    wasm: { type: 'boolean', default: true },
    compile: { type: 'boolean', default: true },
    'against-torch': { type: 'string' },
    'first-step': { type: 'string' },
    'micro-batches': { type: 'string' },
    dtype: { type: 'string', default: 'F32' },
  },
  allowNegative: true,
});
const [rounds, repeats] = [Number(values.rounds), Number(values.repeats)];
const python = values['against-torch'];
/** Numbers of threads to measure with; what is measured with one number alone takes the largest. */
const counts = values.threads.split(',').map(Number);
const threads = Math.max(...counts);

/** What one run of a kind of work needs: products, and tokens as the usual loop counts them, which reads the prompt with each option. */
function needs(work: Row['work'], shape: Shape): { flops: number; tokens: number | null } {
  const { batch, tokens, targets } = shape;
  if (work === 'roof') return { flops: 2 * ROOF_PRODUCTS * ROOF_SIZE ** 3, tokens: null };
  if (work === 'train') return { flops: trainingFlops(shape), tokens: batch * tokens };
  return { flops: scoringFlops({ ...shape, targets: OPTIONS * targets }), tokens: batch * OPTIONS * (promptOf(shape) + targets) };
}

interface Entry extends Contender, Pick<Row, 'work' | 'device' | 'compileSeconds'> {}

/** A program of this process and the seconds to trace, write and open it. */
async function entryOf(work: Row['work'], device: string, open: () => Promise<{ run: () => Promise<unknown> }>, times: number): Promise<Entry> {
  const start = performance.now();
  const { run } = await open();
  return { work, device, repeats: times, run: timed(run), compileSeconds: (performance.now() - start) / 1000 };
}

/** Times everything that is asked for on one model and number of threads. */
async function measure(shape: Shape, folder: string, threads: number): Promise<Row[]> {
  const model = await loadModel(folder);
  const device = await openDevice({ name: values.device, threads });
  const entries: Entry[] = [
    await entryOf('roof', device.name, () => roofRunner(device), repeats),
    await entryOf('train', device.name, () => trainingRunner(device, model, shape), repeats),
    await entryOf('score', device.name, () => scoringRunner(device, model, shape), repeats),
  ];
  const torch = python === undefined ? null : await openTorch(python, folder, shape, { device: torchDevice(device.name), threads });
  if (torch) {
    const add = (work: 'train' | 'score', name: string, word: 'train' | 'compiled' | 'score') =>
      entries.push({ work, device: name, repeats, run: () => torch.run(word), compileSeconds: null });
    add('train', 'torch', 'train');
    if (values.compile) add('train', 'torch.compile', 'compiled');
    add('score', 'torch', 'score');
  }
  const wasm = values.wasm && threads === 1 && device.name === 'cpu' ? await openDevice({ name: 'wasm' }) : null;
  if (wasm) entries.push(await entryOf('train', 'wasm', () => trainingRunner(wasm, model, shape), 1));
  const spreads = await race(entries, rounds).finally(() => torch?.close());
  await device.dispose();
  const rowOf = ({ work, device: name, compileSeconds }: Entry, milliseconds: Spread, roof: Spread): Row => {
    const { flops, tokens } = needs(work, shape);
    const share = (time: (spread: Spread) => number) => (flops / time(milliseconds)) / (needs('roof', shape).flops / time(roof));
    return {
      model: shape.id,
      parameters: model.parameters,
      work,
      device: name,
      threads,
      milliseconds,
      tokensPerSecond: tokens === null ? null : (1000 * tokens) / milliseconds.median,
      gflops: flops / milliseconds.median / 1e6,
      ofRoof: work === 'roof' ? null : share(({ median }) => median),
      ofRoofByProcessor: work === 'roof' ? null : share(({ processor }) => processor),
      compileSeconds,
      versions: name.startsWith('torch') ? torch!.versions : null,
    };
  };
  return entries.map((entry, i) => rowOf(entry, spreads[i]!, spreads[0]!));
}

/** Where PyTorch runs beside a device: on the same GPU, which it knows as CUDA's. */
const torchDevice = (name: string): string => (name === 'webgpu' ? 'cuda' : name);

/** A single thread that is not disturbed has the processor nearly all the time. */
const UNDISTURBED = 0.9;

/** Times all models with all numbers of threads. One that fails is told on stderr, so that a long run keeps what the others gave. */
async function raceModels(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const shape of shapesOf(values.models.split(','))) {
    try {
      await withRandomCheckpoint(shape.config, 'F32', async (folder) => {
        for (const count of counts) {
          process.stderr.write(`${shape.id}, threads: ${count}\n`);
          rows.push(...(await measure(shape, folder, count)));
        }
      });
    } catch (error) {
      process.stderr.write(`${shape.id} failed: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  }
  // the processor of one that waits for its GPU is idle by rights
  const alone = rows.filter(({ threads, device }) => threads === 1 && device === 'cpu');
  const least = Math.min(...alone.map(({ milliseconds }) => milliseconds.processors));
  if (least < UNDISTURBED) {
    const share = (100 * least).toFixed(0);
    process.stderr.write(`The machine was busy with other things (${share} % of a processor): trust the times of the processor alone.\n`);
  }
  return rows;
}

/** Measures one model after the other. */
async function eachOf<T>(models: string, measured: (shape: Shape) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (const shape of shapesOf(models.split(','))) results.push(await measured(shape));
  return results;
}

/** Starts each of the models anew, with the largest number of threads. */
async function startModels(models: string, dtype: string): Promise<FirstStep[]> {
  if (dtype !== 'F32' && dtype !== 'BF16') throw new RangeError(`there is no dtype "${dtype}"; choose F32 or BF16`);
  return eachOf(models, (shape) => measureFirstStep(shape, dtype, threads));
}

const print = (schema: string, content: object, text: string) =>
  process.stdout.write(values.json ? `${JSON.stringify({ schema, node: process.version, ...content }, null, 2)}\n` : `${text}\n`);
const { 'first-step': started, 'micro-batches': divided } = values;
if (started !== undefined) {
  const starts = await startModels(started, values.dtype);
  print('lethe.bench.first-step/1', { starts }, starts.map(firstStepText).join('\n\n'));
} else if (divided !== undefined) {
  const models = await eachOf(divided, (shape) => measureMicroBatches(shape, threads, rounds));
  print('lethe.bench.micro-batches/1', { models }, models.map(microBatchesText).join('\n\n'));
} else {
  const rows = await raceModels();
  print('lethe.bench/2', { rows }, tableOf(rows));
}
