export { RULES, type Verdict, checkMethod } from './conformance.js';
export { type Trial, describeMethod } from './describe.js';
export { Fixture } from './fixture.js';
export type { Rule } from './rule.js';
export { SCORER_RULES, type ScorerRule, describeScorer, judgeScorer } from './scorer.js';
export { type TestedMethod, methodBeside, testedMethod } from './tested.js';
export { ToyStream } from './toy-stream.js';
export { FEATURES, ROWS, type Rows, TASKS } from './toy-world.js';
