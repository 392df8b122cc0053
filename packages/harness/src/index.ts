export { type Job, type SuiteReference, runName } from './job.js';
export { metricsOf } from './metrics.js';
export { type Interval, intervalOf, pairedDifference, studentQuantile } from './statistics.js';
export { type Artefact, readArtefact, writeArtefact } from './artefact.js';
export { type RunRecord, openRun, readResults, readRun, writeResults } from './store.js';
export { accuracy, validateResults } from './validate.js';
export { resultsHash } from './hash.js';
export { type StreamDependencies, runStream } from './protocol.js';
export { failedRun } from './report.js';
