export { explained } from './problem.js';
export { processOutput, type Output } from './output.js';
export { createProgram } from './program.js';
export { type MethodSummary, COLUMNS, summarise } from './table/summary.js';
export { renderTable } from './table/terminal.js';
