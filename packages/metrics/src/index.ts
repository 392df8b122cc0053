export { accuracy, metricsOf } from './metrics.js';
export { type Interval, intervalOf, pairedDifference, proportionInterval, studentQuantile } from './statistics.js';
export { resultsHash } from './hash.js';
export { validateResults } from './validate.js';
