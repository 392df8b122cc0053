import type { Tensor } from '@tensorflow/tfjs';
import { type Arrays, sizeOf } from './arrays.js';
import { LetheError, didYouMean } from './errors.js';
import type { Gates, Learner, LearnerState, Row, Scope, Site, StepGradients, Tensors } from './method.js';

/** The functions of a learner that must be there, and those that may. */
const [NEEDED, POSSIBLE] = [
  ['begin', 'adapt', 'end', 'save', 'restore'], ['prefix', 'penalty', 'transformGradients', 'track', 'batch', 'stepArrays', 'prompt', 'adapter', 'gates', 'report'],
] as const;
const NONE = '{} where there are none';

const isTensor = (value: unknown): value is Tensor =>
  Array.isArray((value as Tensor | null | undefined)?.shape) && typeof (value as Tensor).reshape === 'function';
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Promise);
/** Whether it is an object of no class: one that keeps its values elsewhere, as a Map does, would be saved as an empty one. */
const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null);
const shapeText = (shape: readonly number[]) => `[${shape.join(', ')}]`;

/** What a value is, in a sentence of what was given. */
function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (isTensor(value)) return `a tensor ${shapeText(value.shape)}`;
  if (value instanceof Promise) return 'a promise';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return value.constructor === Object ? 'an object' : `a ${value.constructor?.name ?? 'object'}`;
  return `a ${typeof value}${['number', 'boolean', 'string'].includes(typeof value) ? ` (${String(value).slice(0, 20)})` : ''}`;
}

function refuse(message: string): never {
  throw new LetheError('LETHE_METHOD_FAILED', message, { remedy: 'Compare with the contract in packages/core/src/method.ts.' });
}

/**
 * Throws LETHE_METHOD_FAILED for what are no named arrays.
 *
 * @param group what to call them: `trainable`, `saved stored`
 */
export function checkArrays(group: string, arrays: unknown): asserts arrays is Arrays {
  if (!isPlain(arrays)) refuse(`${group} is ${kindOf(arrays)} instead of arrays by name, ${NONE}`);
  for (const [name, array] of Object.entries(arrays)) {
    const { shape, data } = (array ?? {}) as { readonly shape?: unknown; readonly data?: unknown };
    const what = `${group} array "${name}"`;
    if (isTensor(array)) refuse(`${what} is a tensor instead of a plain array { shape, data }`);
    if (!Array.isArray(shape) || !shape.every((size) => Number.isInteger(size) && size >= 0)) {
      refuse(`${what} has no shape: { shape, data } is wanted, and it is ${kindOf(array)}`);
    }
    if (!(data instanceof Float32Array)) refuse(`${what} is no Float32Array`);
    if (data.length !== sizeOf(shape)) refuse(`${what} has ${data.length} values, but shape ${shapeText(shape)}`);
  }
}

/** What `create` gave, where it is a learner: its functions are there, and its arrays are arrays. Throws LETHE_METHOD_FAILED for anything else. */
export function checkLearner(learner: unknown): Learner {
  if (!isObject(learner)) return refuse(`create gives ${kindOf(learner)} instead of a learner`);
  for (const name of NEEDED) if (typeof learner[name] !== 'function') refuse(`the learner has no function "${name}": it is ${kindOf(learner[name])}`);
  for (const name of POSSIBLE) {
    if (learner[name] !== undefined && typeof learner[name] !== 'function') refuse(`"${name}" of the learner is ${kindOf(learner[name])} instead of a function`);
  }
  for (const group of ['trainable', 'frozen'] as const) checkArrays(group, learner[group]);
  if (learner['running'] !== undefined) checkArrays('running', learner['running']);
  if (Object.keys(learner['running'] ?? {}).length > 0 && !learner['track']) refuse('there are running arrays, but no function "track" to give their next values');
  return learner as unknown as Learner;
}

/** Where a value holds what JSON would drop or change, as a path, and what that is; null where it is plain JSON. */
export function jsonFault(value: unknown, at: string, holders: readonly unknown[] = []): string | null {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return null;
  if (!Array.isArray(value) && !isPlain(value)) return `${at} is ${kindOf(value)}`;
  if (holders.includes(value)) return `${at} holds itself`;
  for (const [key, held] of Object.entries(value)) {
    const lost = jsonFault(held, Array.isArray(value) ? `${at}[${key}]` : `${at}.${key}`, [...holders, value]);
    if (lost) return lost;
  }
  return null;
}

const isTokens = (list: unknown): list is readonly number[] => Array.isArray(list) && list.every((token) => Number.isInteger(token) && (token as number) >= 0);

/** Whether it is a row of token ids. */
const isRow = (row: unknown): row is Row => isObject(row) && isTokens(row['prompt']) && isTokens(row['answer']);

/** What `save` gave, where its arrays are arrays. Throws LETHE_METHOD_FAILED for anything else. */
export function checkState(state: unknown): LearnerState {
  if (!isObject(state)) return refuse(`save gives ${kindOf(state)} instead of { trainable, frozen, stored, json }`);
  for (const group of ['trainable', 'frozen', 'stored'] as const) checkArrays(`saved ${group}`, state[group]);
  return state as unknown as LearnerState;
}

/** {@link checkState} of what is to be kept in a file: it comes back as it was. Throws LETHE_METHOD_FAILED for anything else. */
export function checkKept(state: unknown): LearnerState {
  const { json, rows = [] } = checkState(state);
  const fault = json === undefined ? null : jsonFault(json, 'saved json');
  if (fault) refuse(`${fault}, which is no plain JSON and would not come back`);
  if (!Array.isArray(rows) || !rows.every(isRow)) {
    refuse('saved rows is not a list of rows, with the token ids of prompt and answer');
  }
  return state as unknown as LearnerState;
}

function checkTensor(name: string, given: unknown, shape: readonly number[], place = ''): void {
  if (!isTensor(given)) return refuse(`${name} gives ${kindOf(given)}${place} instead of a tensor ${shapeText(shape)}`);
  if (shapeText(given.shape) !== shapeText(shape)) refuse(`${name} gives ${shapeText(given.shape)}${place} instead of ${shapeText(shape)}`);
}

/** What `adapt` gave at a site that reads x, where it is a delta or null. Throws LETHE_METHOD_FAILED for anything else. */
export function checkDelta<T>(delta: T, site: Site, x: Tensor): T {
  if (delta === undefined) refuse(`adapt gives undefined at ${site.name} instead of a tensor, or null where nothing is added`);
  if (delta !== null) checkTensor('adapt', delta, [...x.shape.slice(0, 2), site.out], ` at ${site.name}`);
  return delta;
}

/** What `penalty` gave, where it is a scalar or null. Throws LETHE_METHOD_FAILED for anything else. */
export function checkPenalty<T>(penalty: T): T {
  if (penalty === undefined) refuse('penalty gives undefined instead of a scalar, or null where there is none now');
  if (penalty !== null && (!isTensor(penalty) || penalty.shape.length > 0)) refuse(`penalty gives ${kindOf(penalty)} instead of a scalar`);
  return penalty;
}

/** What `transformGradients` or `track` gave for some arrays, in their order. Throws LETHE_METHOD_FAILED where it is not a tensor of the same shape for each. */
function checkNamed(name: string, given: Tensors, wanted: Arrays | Tensors, what: string): Tensors {
  if (!isObject(given)) return refuse(`${name} gives ${kindOf(given)} instead of a tensor for every ${what}`);
  const names = Object.keys(wanted);
  const unknown = Object.keys(given).find((key) => !names.includes(key));
  if (unknown !== undefined) refuse(`${name} gives a value for "${unknown}", which is no ${what}.${didYouMean(unknown, names)}`);
  return Object.fromEntries(names.map((key) => {
    checkTensor(name, given[key], wanted[key]!.shape, ` for "${key}"`);
    return [key, given[key]!];
  }));
}

/** What a learner makes of the gradients of a step. */
export interface MadeOfGradients {
  /** What the optimizer takes, by the names of what trains: the same where the learner has no say in it. */
  readonly taken: Tensors;
  /** The next values of its running arrays. */
  readonly running: Tensors;
}

/** Traced. What a learner makes of the gradients of a step. Throws LETHE_METHOD_FAILED where it is not a tensor for every array, each of its shape. */
export function madeOfGradients(learner: Learner, gradients: StepGradients, scope: Scope): MadeOfGradients {
  const { loss } = gradients;
  return {
    taken: learner.transformGradients ? checkNamed('transformGradients', learner.transformGradients(gradients, scope), loss, 'trainable array') : loss,
    running: learner.track ? checkNamed('track', learner.track(gradients, scope), learner.running ?? {}, 'running array') : {},
  };
}

/** What `prefix` gave for a batch, where it is as many vectors as the learner says. Throws LETHE_METHOD_FAILED for anything else. */
export function checkPrefix<T>(prefix: T, batch: number, virtualTokens: number, width: number): T {
  checkTensor('prefix', prefix, [batch, virtualTokens, width]);
  return prefix;
}

/** What `gates` gave for a batch. Throws LETHE_METHOD_FAILED where it is not how far each of its parts is open. */
export function checkGates(gates: Gates, batch: number): Gates {
  if (!isObject(gates) || !Array.isArray(gates.parts)) return refuse(`gates gives ${kindOf(gates)} instead of { parts, open }`);
  checkTensor('gates', gates.open, [batch, gates.parts.length], ` for ${gates.parts.length} parts`);
  return gates;
}

/** What rows may be that a method makes. */
export interface MadeRows {
  /** {@link MethodHost.room}. */
  readonly room: number;
  /** The number of tokens that there are. */
  readonly vocabulary: number;
}

/** What is wrong with a row that a method has made, if anything. */
function madeFault(row: unknown, { room, vocabulary }: MadeRows): string | null {
  if (!isRow(row)) return 'a row without the token ids of prompt and answer';
  const [length, unknown] = [row.prompt.length + row.answer.length, [...row.prompt, ...row.answer].find((token) => token >= vocabulary)];
  if (row.prompt.length === 0 || row.answer.length === 0) return `a row without tokens in its ${row.prompt.length === 0 ? 'prompt' : 'answer'}`;
  if (unknown !== undefined) return `a row with the token ${unknown}, and there are ${vocabulary}`;
  return length > room ? `a row of ${length} tokens where there is room for ${room}` : null;
}

/**
 * How the rows of each step are chosen: those drawn, or what a learner that rehearses makes of them.
 *
 * @param own the rows of the task
 * @param made what rows may be that the method makes; null where it may make none
 * @returns a function that throws LETHE_METHOD_FAILED for another number of rows, for one that is neither the task's nor among those that the learner keeps where
 * it may make none, and for one that is not as it may be
 */
export function rowChoice(learner: Learner, own: readonly Row[], made: MadeRows | null): (drawn: readonly Row[], step: number) => readonly Row[] {
  if (!learner.batch) return (drawn) => drawn;
  const known = new Set([...own, ...(learner.rows ?? [])]);
  return (drawn, step) => {
    const rows: unknown = learner.batch!(drawn, step);
    if (!Array.isArray(rows)) return refuse(`batch gives ${kindOf(rows)} instead of a list of rows`);
    if (rows.length !== drawn.length) refuse(`batch gives ${rows.length} rows instead of the ${drawn.length} that were drawn`);
    for (const row of (rows as readonly Row[]).filter((one) => !known.has(one))) {
      const fault = made ? madeFault(row, made) : 'a row that is neither one of the task nor among its "rows", and its manifest does not declare pseudoRehearsal';
      if (fault !== null) refuse(`batch gives ${fault}, in step ${step}`);
    }
    return rows as readonly Row[];
  };
}

/**
 * What `stepArrays` gave, none where the learner has no such function.
 *
 * @param kept, whole as `stepArrays` gets them
 * @param shapes those of earlier steps of the task by the number of their rows, to which this one is added
 * @throws LETHE_METHOD_FAILED where it is no arrays, has other names or shapes than in such a step, or a name that another array has
 */
export function arraysOfStep(
  learner: Learner, step: number, kept: readonly number[], whole: readonly number[], shapes: Map<number, string>,
): Arrays {
  if (!learner.stepArrays) return {};
  const given: unknown = learner.stepArrays(step, kept, whole);
  checkArrays('stepArrays', given);
  const taken = Object.keys(given).find((name) => [learner.trainable, learner.frozen, learner.running ?? {}].some((group) => Object.hasOwn(group, name)));
  if (taken !== undefined) refuse(`stepArrays gives an array "${taken}", and the learner has another one of that name`);
  const found = Object.entries(given).map(([name, { shape }]) => `${name} ${shapeText(shape)}`).join(', ') || 'nothing';
  const before = shapes.get(kept.length) ?? found;
  if (found !== before) refuse(`stepArrays gives ${found} in step ${step}, and gave ${before} in an earlier one of ${kept.length} rows`);
  shapes.set(kept.length, found);
  return given;
}

/** What `prompt` gave. Throws LETHE_METHOD_FAILED where it is no list of tokens. */
export function checkPrompt(prompt: readonly number[]): readonly number[] {
  if (!Array.isArray(prompt)) return refuse(`prompt gives ${kindOf(prompt)} instead of a list of tokens`);
  if (!isTokens(prompt)) refuse('prompt gives what is no token');
  return prompt;
}
