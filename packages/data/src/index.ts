export { type Count, type FileTask, type GeneratedTask, type Label, type Size, type SuiteDefinition, type TaskDefinition, readSuiteFile } from './definition.js';
export type { Generator } from './generated.js';
export { type InspectedSuite, inspectSuite, loadSuite } from './load.js';
export { type Overlap, overlapLine } from './near.js';
export { type SuiteReference, type SuiteSummary, listSuites } from './reference.js';
