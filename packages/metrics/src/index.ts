export { type AlikeSeeds, alikeSeeds, changesAnswers } from './alike.js';
export { type Measured, type Metric, METRICS } from './catalogue.js';
export {
  type Bounds, type ComparedMethod, type Comparison, type ComparisonRequest, type MetricComparison, type PairedComparison, type Standing, compareRuns, holdsElsewhere,
} from './compare.js';
export { comparableRuns } from './comparable.js';
export { resultsHash } from './hash.js';
export { isJoint, metricsOf, seenAccuracy } from './metrics.js';
export { meanScore, predictionsOf, rowScores, rowsOf, stepsOf } from './rows.js';
export { measuredOf } from './resample.js';
export { quantileOf } from './statistics/quantile.js';
export { ALPHA, LEVEL, studentQuantile } from './statistics/distributions.js';
export { holm } from './statistics/holm.js';
export { type Interval, type Range, type RunValue, differenceRange, proportionInterval, rowInterval, runInterval, runProbability, withinRange } from './statistics/interval.js';
export { completeMean, meanOf, wholeMean } from './statistics/mean.js';
export { type SeveralCodes, codesWords, severalCodes } from './codes.js';
export { type PermutationTest, fewestPairs, leastP, permutationTest } from './statistics/permutation.js';
export { POWER, pairedPower, pairsNeeded, permutationPower } from './statistics/power.js';
export { type Ranks, ranksOf } from './statistics/ranks.js';
export { carriedOver, chosenOptions, joinSweeps, pickedSeeds, sweepOf, trialMean, tunedIn } from './sweep.js';
export { validateResults } from './validate.js';
export { type Part, unite } from './unite.js';
