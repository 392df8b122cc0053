import { type LearnerState, LetheError, type Method, checkState } from '@lethe/core';
import { explain } from '@lethe/engine';
import { callerOf } from './caller.js';
import { copyOf, copyState } from './state.js';
import type { TestedMethod } from './tested.js';
import { ToyStream } from './toy-stream.js';
import { TASKS } from './toy-world.js';

/** Optimizer steps of a task where a rule does not need more: enough to leave the initial values. */
export const STEPS = 4;

/** What is seen of code that throws, and where it did; a breach of the contract says itself what it is. */
export function thrown(error: unknown): string {
  if (!(error instanceof Error)) return `it throws ${String(error)}`;
  const place = callerOf(error);
  const told = explain(error, 'toy stream', 'The plain backend');
  if (told instanceof LetheError && told.code === 'LETHE_ENGINE_TRACE') return `${told.message}${place === undefined ? '' : ` (${place})`} ${told.remedy}`;
  const what = error instanceof LetheError && error.code === 'LETHE_METHOD_FAILED' ? error.message : `it throws ${error.name}: ${error.message}`;
  return place === undefined ? what : `${what}, at ${place}`;
}

/** What is known of a learner after it has ended a stage. */
export interface Landmark {
  readonly state: LearnerState;
  /** Predictions of tasks 1 to 3. */
  readonly predictions: readonly Float32Array[];
  /** What the learner writes before the rows of tasks 1 to 3. */
  readonly prompts: readonly (readonly (readonly number[])[])[];
  readonly report: unknown;
}

/** One method, with what several rules need of it. */
export class Subject {
  /** The rule that it broke and without which no other can be judged. */
  broken: Rule | undefined;
  private landmarks: Promise<readonly Landmark[]> | undefined;

  constructor(readonly tested: TestedMethod) {}

  /** A new stream of the method, or of another in its place. */
  open(method: Method = this.tested.method): Promise<ToyStream> {
    return ToyStream.of({ ...this.tested, method });
  }

  /** Goes through a whole stream without stopping, noting every stage. */
  async walk(): Promise<readonly Landmark[]> {
    const stream = await this.open();
    const landmarks: Landmark[] = [];
    for (let stage = 1; stage <= stream.stages; stage++) {
      await stream.learn(stage, STEPS);
      landmarks.push(landmarkOf(stream));
    }
    return landmarks;
  }

  /** The same walk for all who ask. */
  walked(): Promise<readonly Landmark[]> {
    return (this.landmarks ??= this.walk());
  }
}

/** Notes a stream as it is between two stages. */
export function landmarkOf(stream: ToyStream): Landmark {
  return {
    state: copyState(checkState(stream.learner.save())),
    predictions: Array.from({ length: TASKS }, (_, t) => stream.predict(t + 1)),
    prompts: Array.from({ length: TASKS }, (_, t) => stream.prompts(t + 1)),
    report: copyOf(stream.learner.report?.()),
  };
}

/** One thing that every method must keep. */
export interface Rule {
  /** Stable name. */
  readonly id: string;
  /** What a method does that keeps it, as it would end a sentence. */
  readonly title: string;
  /** How a method that breaks it is mended. */
  readonly remedy: string;
  /** Whether the other rules can only be judged where it is kept. */
  readonly prerequisite?: true;
  /** Why it cannot be broken by this method, or null. */
  readonly exempt?: (tested: TestedMethod) => string | null;
  /** What was seen where it is broken; null where it is kept; why where the method has nothing that it could be seen by. */
  readonly check: (subject: Subject) => Promise<string | null | { readonly why: string }>;
}
