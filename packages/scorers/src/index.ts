export { SCORERS, findScorer, scorerOf } from './registry.js';
export { normalised } from './exact-match.js';
