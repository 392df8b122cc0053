import { STACK_DEPTH } from '@lethe/engine';
import { type Rule, Subject, thrown } from './rule.js';
import { adapterAnswers } from './rules/adapter.js';
import { growth, jsonState, rehearsal, storedInArrays } from './rules/declared.js';
import { compiles, gradients, learns } from './rules/numbers.js';
import { batchBlind, frozenStays, inputsUntouched, noLeak, taskBlind } from './rules/pure.js';
import { noAmbient, resumes, sameSeed } from './rules/repeatable.js';
import { capabilities, runs } from './rules/runs.js';
import type { TestedMethod } from './tested.js';

/** Every rule, in the order in which they are checked: first those without which the others cannot be judged. */
export const RULES: readonly Rule[] = [
  capabilities, runs, learns, sameSeed, resumes, noAmbient, noLeak, inputsUntouched, frozenStays, taskBlind, batchBlind, gradients, compiles,
  adapterAnswers, growth, rehearsal, storedInArrays, jsonState,
];

/** What came of one rule. */
export type Verdict =
  | { readonly rule: Rule; readonly status: 'kept' }
  | { readonly rule: Rule; readonly status: 'broken'; readonly seen: string }
  | { readonly rule: Rule; readonly status: 'not-checked'; readonly why: string };

/** Judges one rule. What the method throws counts as seen; after a prerequisite is broken, nothing else is judged. */
export async function judge(rule: Rule, subject: Subject): Promise<Verdict> {
  const why = subject.broken ? `the method breaks "${subject.broken.id}"` : (rule.exempt?.(subject.tested) ?? null);
  if (why !== null) return { rule, status: 'not-checked', why };
  let seen: Awaited<ReturnType<Rule['check']>>;
  const depth = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_DEPTH;
  const failed: unknown[] = [];
  const note = (reason: unknown) => failed.push(reason);
  process.on('unhandledRejection', note); // which would end the process, and all verdicts with it
  try {
    seen = await rule.check(subject);
    await new Promise((done) => setImmediate(done));
    // other failures than of what is declared are the next rule's
    if (failed.length > 0 && rule !== capabilities) seen = `${thrown(failed[0])} (in a promise that nobody waits for: let begin and end await what they start)`;
  } catch (error) {
    seen = thrown(error);
  } finally {
    process.off('unhandledRejection', note);
    Error.stackTraceLimit = depth;
  }
  if (seen === null) return { rule, status: 'kept' };
  if (typeof seen === 'object') return { rule, status: 'not-checked', why: seen.why };
  if (rule.prerequisite) subject.broken = rule;
  return { rule, status: 'broken', seen };
}

/** Judges every rule on a method. */
export async function checkMethod(tested: TestedMethod): Promise<Verdict[]> {
  const subject = new Subject(tested);
  const verdicts: Verdict[] = [];
  for (const rule of RULES) verdicts.push(await judge(rule, subject));
  return verdicts;
}
