import {
  type Capabilities, type Plugin, type Row, type TrainingBudget, bytesOfState, capabilitiesOf, createRandom, loadMethod, resolveOptions,
} from '@lethe/core';
import type { Device } from '@lethe/engine';
import { Host, countOf, stepsFor, trainTask } from '@lethe/harness';
import type { LanguageModel, LlamaConfig } from '@lethe/model';
import { median } from './measure.js';

/** A model as small as adapters can sit on: what grows with tasks is to be seen, not what a model costs. */
export const STREAM_MODEL: LlamaConfig = {
  architecture: 'llama', vocabSize: 512, hiddenSize: 64, intermediateSize: 128, layers: 2, heads: 2, keyValueHeads: 2, headSize: 32,
  maxPositions: 64, normEpsilon: 1e-5, ropeTheta: 1e4, tiedHead: true,
};

const BUDGET: TrainingBudget = {
  epochs: 1, batch: 8, learningRate: 1e-3, warmup: 0.1, weightDecay: 0, clip: 1, rank: 4, alpha: 8, sites: ['q', 'v'], maxTokens: 64,
};
const [ROWS, PROMPT, LABELS, WORDS] = [64, 20, 4, 24] as const;

/** What one task cost. Times are milliseconds of processor. */
export interface TaskCost {
  /** Median of the optimizer steps after the first, which compiles. */
  readonly step: number;
  /** `begin` and `end` of the method. */
  readonly between: number;
  /** The first optimizer step: tracing and compiling. */
  readonly compile: number;
  /** Bytes of all that the method keeps. */
  readonly storedBytes: number;
  /** Values that the optimizer updates. */
  readonly trainable: number;
  /** Resident memory of the process, in MB. */
  readonly resident: number;
}

export interface MethodCost {
  readonly method: string;
  readonly growth: Capabilities['growth'];
  readonly tasks: readonly TaskCost[];
}

/** Rows of a task: prompts of the task's own words and a few that all tasks have, answered by one of four labels that the last word decides. */
function rowsOf(task: number): Row[] {
  const random = createRandom(1, 'stream', task);
  const words = Array.from({ length: WORDS }, () => 64 + random.below(STREAM_MODEL.vocabSize - 64));
  return Array.from({ length: ROWS }, () => {
    const prompt = Array.from({ length: PROMPT }, (_, i) => (i % 4 === 0 ? 8 + random.below(32) : words[random.below(WORDS)]!));
    return { prompt, answer: [1 + ((prompt.at(-1)! + task) % LABELS)] };
  });
}

/** Milliseconds of processor since the last call. */
function stopwatch(): () => number {
  let before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    return (user + system) / 1000;
  };
}


/**
 * Trains a method, with the defaults of its manifest, on a stream of short tasks, as the harness trains it, without scoring.
 *
 * @param onTask told of every task when it has ended
 */
export async function streamCost(plugin: Plugin, device: Device, model: LanguageModel, tasks: number, onTask: (done: number) => void): Promise<MethodCost> {
  const options = resolveOptions(plugin, {});
  const capabilities = capabilitiesOf(plugin.manifest, options);
  const host = new Host(device, model, BUDGET, createRandom(1, 'method'), capabilities);
  const learner = (await loadMethod(plugin.codePath)).create(host, options);
  host.learner = learner;
  const forward = { model, learner, sites: host.sites, told: capabilities.taskIdentity };
  const costs: TaskCost[] = [];
  for (let index = 1; index <= tasks; index++) {
    const rows = rowsOf(index);
    const view = { index, rows: rows.length, steps: stepsFor(rows.length, BUDGET) };
    host.show(rows);
    const lap = stopwatch();
    await learner.begin(view);
    const begin = lap();
    const steps: number[] = [];
    if (countOf(learner.trainable) > 0) {
      const random = createRandom(1, 'train', index);
      await trainTask({
        device, forward, rows, index, budget: BUDGET, makesRows: capabilities.pseudoRehearsal ?? false, name: plugin.manifest.name, random,
        stageOf: () => index, stop: () => false, onStep: () => steps.push(lap()),
      });
    }
    lap();
    await learner.end(view);
    const end = lap();
    host.show(undefined);
    costs.push({
      step: steps.length > 1 ? median(steps.slice(1)) : 0, between: begin + end, compile: steps[0] ?? 0,
      storedBytes: bytesOfState(learner.save()), trainable: countOf(learner.trainable),
      resident: process.memoryUsage.rss() / 2 ** 20,
    });
    onTask(index);
  }
  return { method: plugin.manifest.name, growth: capabilities.growth, tasks: costs };
}
