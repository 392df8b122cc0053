import { clone, type LearnerState, type MethodHost, type Scope, type Site, type StepGradients, type TaskView } from '@lethe/core';
import * as tf from '@tensorflow/tfjs';
import { type Rule, STEPS, landmarkOf } from '../rule.js';
import { differingPrompt, differingState, differingValue } from '../state.js';
import type { ToyStream } from '../toy-stream.js';
import { type Rows, TASKS, joined, rowsBetween } from '../toy-world.js';
import { afterwards, visited } from '../visit.js';

/** Functions of a learner that are traced while it trains. */
const TRACED = ['prefix', 'adapt', 'penalty', 'transformGradients', 'track'];

export const noLeak: Rule = {
  id: 'no-leak',
  title: 'leaves no tensor behind',
  remedy: 'Make tensors inside functions that are traced (prefix, adapt, penalty, transformGradients, track) only and keep none there; elsewhere work on plain arrays, or inside tf.tidy.',
  async check(subject) {
    const left = new Map<string, number>();
    const held = () => tf.memory().numTensors;
    const before = held();
    const stream = await subject.open(visited(subject.tested.method, (name, _, call) => {
      const start = held();
      return afterwards(call, () => left.set(name, (left.get(name) ?? 0) + held() - start));
    }));
    for (let stage = 1; stage <= stream.stages; stage++) await stream.learn(stage, 1);
    landmarkOf(stream.restored());
    const count = held() - before;
    if (count <= 0) return null;
    // within these tensors live until the pass that they are part of ends
    const outside = [...left].filter(([name, n]) => n > 0 && !TRACED.includes(name)).map(([name]) => name);
    return `${count} tensors are left after ${stream.stages} stages, by ${outside.join(', ') || 'a function that is traced'}`;
  },
};

/** The values of what a call was given, by name, as text. */
function photograph(name: string, given: readonly unknown[]): Record<string, string> {
  const values = (t: tf.Tensor) => (t.isDisposed ? 'disposed' : JSON.stringify([...t.dataSync()]));
  const ofScope = (scope: Scope) => ({ 'scope.params': Object.keys(scope.params).join(), 'scope.features()': values(scope.features()) });
  switch (name) {
    case 'create': {
      const [{ rank, scale, featureSize, width, modelParameters, sites }, options] = given as [MethodHost, unknown];
      return { host: JSON.stringify([rank, scale, featureSize, width, modelParameters, sites]), options: JSON.stringify(options) };
    }
    case 'begin':
    case 'end':
      return { task: JSON.stringify(given[0] as TaskView) };
    case 'adapt': {
      const [site, x, scope] = given as [Site, tf.Tensor, Scope];
      return { site: JSON.stringify(site), x: values(x), ...ofScope(scope) };
    }
    case 'prefix':
    case 'penalty':
      return ofScope(given[0] as Scope);
    case 'transformGradients':
    case 'track': {
      const [{ loss }, scope] = given as [StepGradients, Scope];
      return { 'the gradients': Object.entries(loss).map(([key, t]) => `${key} ${values(t)}`).join(), ...ofScope(scope) };
    }
    case 'stepArrays':
      return { kept: JSON.stringify(given[1]) };
    case 'batch':
    case 'prompt':
      return { rows: JSON.stringify(given[0]) };
    case 'restore': {
      const { trainable, frozen, stored, json, rows } = given[0] as LearnerState;
      const arrays = [trainable, frozen, stored].map((group) => Object.entries(group).map(([key, { data }]) => [key, [...data]]));
      return { state: JSON.stringify([arrays, json, rows]) };
    }
    default:
      return {};
  }
}

export const inputsUntouched: Rule = {
  id: 'inputs-untouched',
  title: 'leaves what it is given as it is',
  remedy: 'Copy before you change: options, host, tasks, tensors and states belong to the harness.',
  async check(subject) {
    const changed = new Set<string>();
    let lasting: (() => Record<string, string>) | undefined;
    const stream = await subject.open(visited(subject.tested.method, (name, given, call) => {
      if (name === 'create') lasting = () => photograph(name, given);
      const look = () => ({ ...lasting!(), ...photograph(name, given) });
      const before = look();
      return afterwards(call, () => {
        for (const [what, value] of Object.entries(look())) if (value !== before[what]) changed.add(`${name} changes ${what}`);
      });
    }));
    for (let stage = 1; stage <= stream.stages; stage++) await stream.learn(stage, 2);
    landmarkOf(stream.restored());
    return changed.size === 0 ? null : [...changed].join(', ');
  },
};

export const frozenStays: Rule = {
  id: 'frozen-stays',
  title: 'keeps its frozen arrays while it trains',
  remedy: 'Put a copy (clone of @lethe/core) into frozen, never an array that trains; write to frozen in begin, end and restore alone.',
  async check(subject) {
    const stream = await subject.open();
    for (let stage = 1; stage <= stream.stages; stage++) {
      const task = await stream.begin(stage);
      const { trainable, frozen, running = {} } = stream.learner;
      const names = [trainable, frozen, running].flatMap((group) => Object.keys(group));
      const twice = names.find((name, i) => names.indexOf(name) < i);
      if (twice !== undefined) return `"${twice}" is among two of the trainable, the frozen and the running arrays of stage ${stage}`;
      const before = new Map(Object.entries(frozen).map(([name, array]) => [name, clone(array)]));
      stream.train(STEPS);
      for (const [name, array] of before) {
        const now = stream.learner.frozen[name];
        const difference = now ? differingValue(now.data, array.data) : 'it is gone';
        if (difference) return `frozen array "${name}" changes while stage ${stage} trains: ${difference}`;
      }
      await stream.end(task);
    }
    return null;
  },
};

export const taskBlind: Rule = {
  id: 'task-blind',
  title: 'answers a row alike whatever was asked before',
  remedy: 'Let prefix, adapt and prompt read their arguments and what begin, end and restore left; let them write nothing to the learner.',
  exempt: ({ manifest }) => (manifest.capabilities.taskIdentity ? 'its manifest declares that it needs to know the task' : null),
  async check(subject) {
    const state = (await subject.walked()).at(-1)!.state;
    const forth = (await subject.open()).restored(state);
    const back = forth.restored(state);
    const order = Array.from({ length: TASKS }, (_, t) => t + 1);
    const ask = (stream: ToyStream, t: number) => ({ prompts: stream.prompts(t), predicted: stream.predict(t) });
    const first = order.map((t) => ask(forth, t));
    const reversed = order.toReversed().map((t) => ask(back, t)).toReversed();
    const again = order.map((t) => ask(forth, t));
    for (const [i, t] of order.entries()) {
      const differing = (other: ReturnType<typeof ask>) =>
        differingValue(other.predicted, first[i]!.predicted) ?? differingPrompt(other.prompts, first[i]!.prompts);
      const other = differing(reversed[i]!) ?? differing(again[i]!);
      if (other) return `task ${t} is answered otherwise in another order of questions: ${other}`;
    }
    const saved = differingState(forth.learner.save(), back.learner.save());
    return saved && `answering changes what is saved: ${saved}`;
  },
};

/** Largest difference that the order of a sum may make, relative to 1 + the value. */
const ROUNDING = 1e-5;

export const batchBlind: Rule = {
  id: 'batch-blind',
  title: 'answers a row, and opens gates for it, without regard to its neighbours in the batch',
  remedy: 'Keep rows apart: no mean, norm, sort or softmax over the first axis of x or of scope.features().',
  async check(subject) {
    const stream = (await subject.open()).restored((await subject.walked()).at(-1)!.state);
    const mixed = joined(stream.rows.map((rows) => rowsBetween(rows, 0, 4)));
    stream.answer(mixed); // what the first batch may change is another rule's
    const views: Readonly<Record<string, (rows: Rows) => Float32Array>> = {
      'is answered': (rows) => stream.answer(rows),
      'has a gate open by': (rows) => stream.gatesFor(rows)?.open ?? new Float32Array(),
    };
    for (const [view, of] of Object.entries(views)) {
      const together = of(mixed);
      const alone = Array.from({ length: 4 * TASKS }, (_, i) => [...of(rowsBetween(mixed, i, i + 1))]).flat();
      const size = together.length / (4 * TASKS);
      const at = alone.findIndex((value, i) => !(Math.abs(value - together[i]!) <= ROUNDING * (1 + Math.abs(value))));
      if (at < 0) continue;
      return `row ${(Math.floor(at / size) % 4) + 1} of task ${Math.floor(at / size / 4) + 1} ${view} ${alone[at]} alone and ${together[at]} `
        + `among rows of all tasks`;
    }
    return null;
  },
};
