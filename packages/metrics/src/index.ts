export { accuracy, metricsOf } from './metrics.js';
export { type Interval, intervalOf, pairedDifference, proportionInterval, studentQuantile } from './statistics.js';
export { meanScore, rowScores, rowsOf } from './rows.js';
export { resultsHash } from './hash.js';
export { validateResults } from './validate.js';
