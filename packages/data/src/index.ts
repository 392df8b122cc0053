export { budgetFault } from './budget.js';
export { type Count, type FileTask, type GeneratedTask, type Label, type Size, type SuiteDefinition, type TaskDefinition, readSuiteFile, suiteSchema } from './definition.js';
export type { Generator, WrittenRow } from './generated.js';
export { DEFAULT_SIZE, type InspectedSuite, absentRows, inspectSuite, loadSuite, suiteTerms } from './load.js';
export { type Overlap, overlapLine } from './near.js';
export { type PulledFile, filesToPull, pullFile } from './pull.js';
export { readLines } from './records.js';
export { type SuiteReference, type SuiteSummary, isForProbes, isGenerated, listSuites, suiteUnknown, summaryAt } from './reference.js';
export { type VerifiedFile, verifyData } from './verify.js';
