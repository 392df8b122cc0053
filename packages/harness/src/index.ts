export { type Job, type SuiteReference, runName } from './job.js';
export { metricsOf } from './metrics.js';
export { type Interval, intervalOf, pairedDifference, studentQuantile } from './statistics.js';
