import { createRandom } from '@lethe/core';
import { openDevice } from '@lethe/engine';
import { trainTask } from '@lethe/harness';
import { loadModel } from '@lethe/model';
import { peakBytes } from './memory.js';
import type { Trained } from './micro-batches.js';
import { loraLearner } from './programs.js';
import { BUDGET, shapesOf } from './shapes.js';

/** The first compiles. */
const STEPS = 4;

const [id, folder, threads, size] = process.argv.slice(2) as [string, string, string, string];
const { config: { vocabSize, maxPositions }, targets } = shapesOf([id])[0]!;
const model = await loadModel(folder);
const device = await openDevice({ name: 'cpu', threads: Number(threads) });
const { learner, sites } = loraLearner(model);
const random = createRandom(1, 'rows');
const tokens = (count: number) => Array.from({ length: count }, () => random.below(vocabSize));
const rows = Array.from({ length: STEPS * BUDGET.batch }, () => ({ prompt: tokens(maxPositions - targets), answer: tokens(targets - 1) }));
const held = peakBytes();
const ends: number[] = [];
await trainTask({
  device, forward: { model, learner, sites, microBatch: Number(size) }, rows, index: 1, stageOf: () => 1, budget: BUDGET, makesRows: false, random, name: id,
  stop: () => false, onStep: () => ends.push(performance.now()),
});
await device.dispose();
process.stdout.write(JSON.stringify({ size: Number(size), heldBytes: held, peakBytes: peakBytes(), milliseconds: ends.slice(1).map((end, i) => end - ends[i]!) } satisfies Trained));
