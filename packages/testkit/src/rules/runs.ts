import { type Arrays, type Gates, type Learner, LetheError, type Scope, type Site, sizeOf } from '@lethe/core';
import type { Tensor } from '@tensorflow/tfjs';
import { type Rule, STEPS, type Subject, landmarkOf } from '../rule.js';
import type { TestedMethod } from '../tested.js';
import { ToyStream } from '../toy-stream.js';
import { TASKS, WIDTH, keepable } from '../toy-world.js';
import { visited } from '../visit.js';

/** What a method may use only if it declares it. */
const DECLARED = ['rehearsal', 'taskIdentity'] as const;

/** What a learner reaches for beyond what it is allowed, on a short stream; null where it stays within, undefined where it fails. */
async function reaches(tested: TestedMethod): Promise<string | null | undefined> {
  const { rehearsal } = tested.manifest.capabilities;
  const stream = await ToyStream.of(tested);
  try {
    for (let stage = 1; stage <= stream.stages; stage++) {
      if (!rehearsal && stream.learner.batch) return 'it chooses the rows of a step (batch)';
      await stream.learn(stage, 1);
      const { state } = landmarkOf(stream);
      if (!rehearsal && state.rows?.length) return `it saves ${state.rows.length} rows`;
    }
  } catch (error) {
    // other failures are the next rule's
    return error instanceof LetheError && error.code === 'LETHE_METHOD_CAPABILITY' ? error.message : undefined;
  }
  return null;
}

export const capabilities: Rule = {
  id: 'capabilities',
  title: 'uses what its manifest declares, no more and no less',
  remedy: 'Set rehearsal and taskIdentity in the capabilities of plugin.json to what the method does; what is told the task is a bound.',
  prerequisite: true,
  async check({ tested }: Subject) {
    const more = await reaches(tested);
    if (more) return more;
    const { manifest } = tested;
    for (const capability of DECLARED.filter((name) => manifest.capabilities[name])) {
      // the task comes with the prompt too, where nothing tells whether it is read
      if (capability === 'taskIdentity' && (await ToyStream.of(tested)).learner.prompt) continue;
      const without = await reaches({ ...tested, manifest: { ...manifest, capabilities: { ...manifest.capabilities, [capability]: false } } });
      if (without === null) return `it declares ${capability}, but does without`;
    }
    return null;
  },
};

/** What is wrong with the arrays of a learner; null where nothing is. */
function malformed(group: string, arrays: Arrays): string | null {
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    if (!(data instanceof Float32Array)) return `${group} array "${name}" is no Float32Array`;
    if (data.length !== sizeOf(shape)) return `${group} array "${name}" has ${data.length} values, but shape [${shape.join(', ')}]`;
    if (!data.every(Number.isFinite)) return `${group} array "${name}" holds a value that is not finite`;
  }
  return null;
}

const shapeOf = (result: unknown) => `[${(result as Tensor).shape.join(', ')}]`;

/**
 * What is wrong with what a call gave, if anything.
 *
 * @param virtual how many virtual tokens the learner says there are
 */
function misshapen(name: string, given: readonly unknown[], result: unknown, virtual: number): string | null {
  if (result === null) return null;
  if (name === 'prefix') {
    const wanted = `[${[(given[0] as Scope).batch, virtual, WIDTH].join(', ')}]`;
    return shapeOf(result) === wanted ? null : `prefix gives ${shapeOf(result)} instead of ${wanted}`;
  }
  if (name === 'adapt') {
    const [site, x] = given as [Site, Tensor];
    const wanted = `[${[...x.shape.slice(0, 2), site.out].join(', ')}]`;
    return shapeOf(result) === wanted ? null : `adapt gives ${shapeOf(result)} at ${site.name} instead of ${wanted}`;
  }
  if (name === 'gates') {
    const { parts, open } = result as Gates;
    const wanted = `[${(given[0] as Scope).batch}, ${parts.length}]`;
    return shapeOf(open) === wanted ? null : `gates gives ${shapeOf(open)} for ${parts.length} parts instead of ${wanted}`;
  }
  if (name === 'penalty') return (result as Tensor).rank === 0 ? null : `penalty gives ${shapeOf(result)} instead of a scalar`;
  if (name === 'batch') {
    const [got, wanted] = [(result as unknown[]).length, (given[0] as unknown[]).length];
    return got === wanted ? null : `batch gives ${got} rows instead of the ${wanted} that were drawn`;
  }
  return null;
}

/** What is wrong with the prompts that a learner writes; null where nothing is, or it writes none. */
function misprompted(learner: Learner, told: boolean): string | null {
  for (let task = 1; learner.prompt && task <= TASKS; task++) {
    for (const { prompt } of keepable(task)) {
      for (const room of [prompt.length, 8, 64]) {
        const written = learner.prompt(prompt, room, told ? task : 0);
        if (written.length > room) return `prompt gives ${written.length} tokens where there is room for ${room}`;
        if (!written.every((token) => Number.isInteger(token) && token >= 0)) return 'prompt gives what is no token';
      }
    }
  }
  return null;
}

export const runs: Rule = {
  id: 'runs',
  title: 'goes through a stream with arrays, deltas, prefixes, penalties and rows of the right shape, all finite',
  remedy: 'Compare with the contract in packages/core/src/method.ts; shapes are written there.',
  prerequisite: true,
  async check(subject) {
    const wrong = new Set<string>();
    const stream: ToyStream = await subject.open(visited(subject.tested.method, (name, given, call) => {
      const result = call();
      const found = misshapen(name, given, result, name === 'prefix' ? stream.learner.virtualTokens! : 0);
      if (found) wrong.add(found);
      return result;
    }));
    for (let stage = 1; stage <= stream.stages; stage++) {
      const task = await stream.begin(stage);
      const loss = stream.train(STEPS).find((value) => !Number.isFinite(value));
      if (loss !== undefined) return `a loss of stage ${stage} is ${loss}`;
      await stream.end(task);
      const { state, predictions } = landmarkOf(stream);
      for (const group of ['trainable', 'frozen', 'stored'] as const) {
        const found = malformed(`saved ${group}`, state[group]) ?? (group === 'stored' ? null : malformed(group, stream.learner[group]));
        if (found) return `after stage ${stage}: ${found}`;
      }
      const open = stream.gates(1)?.open.find((value) => !Number.isFinite(value));
      if (open !== undefined) return `a gate is ${open} after stage ${stage}`;
      if (predictions.some((values) => !values.every(Number.isFinite))) return `a prediction after stage ${stage} is not finite`;
    }
    const prompt = misprompted(stream.learner, stream.told);
    if (prompt) wrong.add(prompt);
    return wrong.size === 0 ? null : [...wrong].join('; ');
  },
};
