export { SCORERS, type ScorerPlace, addScorers, findScorer, refuseScorer, scorerOf, textScorers } from './registry.js';
export { normalised } from './exact-match.js';
