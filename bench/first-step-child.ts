import { openDevice } from '@lethe/engine';
import { loadModel } from '@lethe/model';
import type { FirstStep } from './first-step.js';
import { peakBytes } from './memory.js';
import { trainingRunner } from './programs.js';
import { shapesOf } from './shapes.js';

const [id, folder, threads] = process.argv.slice(2) as [string, string, string];
const [shape] = shapesOf([id]);
const stages: FirstStep['stages'][number][] = [];
const reached = (stage: string) => {
  const { user, system } = process.cpuUsage();
  stages.push({ stage, seconds: performance.now() / 1000, processorSeconds: (user + system) / 1e6, peakBytes: peakBytes() });
};
reached('process started, code read');
const model = await loadModel(folder);
reached('weights read and hashed, tokenizer read');
const device = await openDevice({ name: 'cpu', threads: Number(threads) });
const { run } = await trainingRunner(device, model, shape!);
reached('step traced and compiled');
await run();
reached('first step finished');
for (let step = 1; step < 3; step++) await run();
reached('third step finished');
await device.dispose();
process.stdout.write(JSON.stringify(stages));
