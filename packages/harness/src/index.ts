export { type Job, type SuiteReference, runName } from './job.js';
export { type Artefact, readArtefact, writeArtefact } from './artefact.js';
export { type RunRecord, openRun, readResults, readRun, writeResults } from './store.js';
export { type StreamDependencies, runStream } from './protocol.js';
export { failedRun } from './report.js';
export { adamW, biasCorrections, learningRate } from './optimizer.js';
export { countOf, flatten, slices, unflatten } from './flat.js';
export { valueAndGradients } from './loss.js';
