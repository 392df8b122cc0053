export { SCORERS, type ScorerPlace, addScorers, findScorer, scorerOf, textScorers } from './registry.js';
export { normalised } from './exact-match.js';
