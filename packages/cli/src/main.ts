#!/usr/bin/env node
import { processOutput } from './output.js';
import { explained } from './problem.js';
import { createProgram } from './program.js';

const output = processOutput();
try {
  // who types nothing wants to know what there is
  await createProgram(output).parseAsync(process.argv.length > 2 ? process.argv : [...process.argv, '--help']);
} catch (error) {
  const problem = explained(error);
  if (problem) {
    output.note(problem.describe());
    if (process.env['LETHE_DEBUG'] === '1') output.note(String(error instanceof Error ? error.stack : error));
    process.exitCode = problem.code === 'LETHE_INTERNAL' ? 1 : 2;
  }
}
