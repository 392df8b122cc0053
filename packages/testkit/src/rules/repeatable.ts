import { AMBIENT, watchAmbient } from '../ambient.js';
import { type Landmark, type Rule, STEPS, landmarkOf } from '../rule.js';
import { differingPrompt, differingState, differingValue } from '../state.js';
import type { ToyStream } from '../toy-stream.js';
import { visited } from '../visit.js';

/** Where two landmarks differ first; null where they do not. */
function differing(a: Landmark, b: Landmark): string | null {
  for (const [t, predicted] of a.predictions.entries()) {
    const value = differingValue(predicted, b.predictions[t]!);
    if (value) return `predictions of task ${t + 1}: ${value}`;
    const prompt = differingPrompt(a.prompts[t]!, b.prompts[t]!);
    if (prompt) return `task ${t + 1}: ${prompt}`;
  }
  const state = differingState(a.state, b.state);
  if (state) return `save(): ${state}`;
  return JSON.stringify(a.report) === JSON.stringify(b.report) ? null : 'report() differs';
}

export const sameSeed: Rule = {
  id: 'same-seed',
  title: 'gives the same bytes for the same seed',
  remedy: 'Draw from host.random.fork(PURPOSE, task.index) alone, and keep nothing outside of the learner: no variables of the module.',
  async check(subject) {
    const [first, second] = [await subject.walked(), await subject.walk()];
    for (const [i, landmark] of second.entries()) {
      const difference = differing(landmark, first[i]!);
      if (difference) return `two streams of one seed differ after stage ${i + 1}: ${difference}`;
    }
    return null;
  },
};

export const resumes: Rule = {
  id: 'resumes',
  title: 'goes on from a saved state as if it had never stopped',
  remedy: 'Let save() give all that begin, adapt, penalty and end read, let restore() take all of it back, let begin and end wait for all that they start, '
    + 'and fork host.random by purpose and task: a restored learner gets the generator anew.',
  async check(subject) {
    const stream = await subject.open();
    let twin: ToyStream | undefined;
    for (let stage = 1; stage <= stream.stages; stage++) {
      await stream.learn(stage, STEPS);
      await twin?.learn(stage, STEPS);
      const straight = landmarkOf(stream);
      const next = twin && differing(landmarkOf(twin), straight);
      if (next) return `a learner restored after stage ${stage - 1} learns stage ${stage} otherwise than one that never stopped: ${next}`;
      twin = stream.restored();
      const now = differing(landmarkOf(twin), straight);
      if (now) return `a learner restored after stage ${stage} is another one at once: ${now}`;
    }
    return null;
  },
};

export const noAmbient: Rule = {
  id: 'no-ambient',
  title: `reads no ${AMBIENT.join(', ')}`,
  remedy: 'Take randomness from host.random; leave time to the harness.',
  async check(subject) {
    const seen: string[] = [];
    const stream = await subject.open(visited(subject.tested.method, (_, __, call) => watchAmbient(call, (what) => seen.push(what))));
    for (let stage = 1; stage <= stream.stages; stage++) await stream.learn(stage, 1);
    landmarkOf(stream.restored());
    return seen.length === 0 ? null : `the method reads ${[...new Set(seen)].join(' and ')}`;
  },
};
