import { type Arrays, type Learner, LetheError, checkPrompt } from '@lethe/core';
import { type Rule, STEPS, type Subject, landmarkOf } from '../rule.js';
import type { TestedMethod } from '../tested.js';
import { ToyStream } from '../toy-stream.js';
import { TASKS, keepable } from '../toy-world.js';

/** What a method may use only if it declares it. */
const DECLARED = ['rehearsal', 'pseudoRehearsal', 'taskIdentity'] as const;

/** What a learner reaches for beyond what it is allowed, on a short stream; null where it stays within, undefined where it fails. */
async function reaches(tested: TestedMethod): Promise<string | null | undefined> {
  const { rehearsal, pseudoRehearsal } = tested.manifest.capabilities;
  try {
    const stream = await ToyStream.of(tested);
    for (let stage = 1; stage <= stream.stages; stage++) {
      if (!rehearsal && !pseudoRehearsal && stream.learner.batch) return 'it chooses the rows of a step (batch)';
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
  remedy: 'Set rehearsal, pseudoRehearsal and taskIdentity in the capabilities of plugin.json to what the method does; what is told the task is a bound.',
  prerequisite: true,
  async check({ tested }: Subject) {
    const more = await reaches(tested);
    if (more) return more;
    const { manifest } = tested;
    for (const capability of DECLARED.filter((name) => manifest.capabilities[name])) {
      // the task comes with the prompt too, where nothing tells whether it is read
      if (capability === 'taskIdentity' && more === null && (await ToyStream.of(tested)).learner.prompt) continue;
      const without = await reaches({ ...tested, manifest: { ...manifest, capabilities: { ...manifest.capabilities, [capability]: undefined } } });
      if (without === null) return `it declares ${capability}, but does without`;
    }
    return null;
  },
};

/** The first array that holds what is no number, in words; null where all do. */
function unfinite(group: string, arrays: Arrays): string | null {
  const [name] = Object.entries(arrays).find(([, { data }]) => !data.every(Number.isFinite)) ?? [];
  return name === undefined ? null : `${group} array "${name}" holds a value that is not finite`;
}

/** What is no number where the loss of a stage is none after so many steps, in words. */
async function unfiniteLoss(subject: Subject, stage: number, steps: number): Promise<string> {
  const stream = await subject.open();
  for (let earlier = 1; earlier < stage; earlier++) await stream.learn(earlier, STEPS);
  await stream.begin(stage);
  stream.train(steps);
  const found = unfinite('trainable', stream.learner.trainable);
  if (found) return `after step ${steps} of stage ${stage} ${found}, because a gradient that it was moved by is not`;
  const penalty = stream.penalty();
  return `the ${penalty === null || Number.isFinite(penalty) ? 'task loss' : 'penalty'} of stage ${stage} is not finite before step ${steps + 1}`;
}

/** What is wrong with the prompts that a learner writes; null where nothing is, or it writes none. */
function misprompted(learner: Learner, told: boolean): string | null {
  for (let task = 1; learner.prompt && task <= TASKS; task++) {
    for (const { prompt } of keepable(task)) {
      for (const room of [prompt.length, 8, 64]) {
        const written = checkPrompt(learner.prompt(prompt, room, told ? task : 0));
        if (written.length > room) return `prompt gives ${written.length} tokens where there is room for ${room}`;
      }
    }
  }
  return null;
}

export const runs: Rule = {
  id: 'runs',
  title: 'goes through a stream with arrays, deltas, prefixes, penalties, gradients and rows of the right shape, all finite',
  remedy: 'Compare with the contract in packages/core/src/method.ts; shapes are written there. Where a value is not finite, look for a division by 0, '
    + 'and for a root or a logarithm of what may be 0, whose slope has no bound.',
  prerequisite: true,
  async check(subject) {
    const stream = await subject.open();
    for (let stage = 1; stage <= stream.stages; stage++) {
      const task = await stream.begin(stage);
      const at = stream.train(STEPS).findIndex((value) => !Number.isFinite(value));
      if (at >= 0) return unfiniteLoss(subject, stage, at);
      const run = unfinite('running', stream.learner.running ?? {});
      if (run) return `after ${STEPS} steps of stage ${stage}: ${run}`;
      await stream.end(task);
      const { state, predictions } = landmarkOf(stream);
      for (const group of ['trainable', 'frozen', 'stored'] as const) {
        const found = unfinite(`saved ${group}`, state[group]) ?? (group === 'stored' ? null : unfinite(group, stream.learner[group]));
        if (found) return `after stage ${stage}: ${found}`;
      }
      const open = stream.gates(1)?.open.find((value) => !Number.isFinite(value));
      if (open !== undefined) return `a gate is ${open} after stage ${stage}`;
      if (predictions.some((values) => !values.every(Number.isFinite))) return `a prediction after stage ${stage} is not finite`;
    }
    return misprompted(stream.learner, stream.told);
  },
};
