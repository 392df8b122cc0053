#!/usr/bin/env node
import { endedBy, processOutput } from './output.js';
import { explained } from './problem.js';
import { createProgram } from './program.js';

const output = processOutput();
// npm runs a script in the folder of its package: paths are meant from where it was called
const { INIT_CWD: calledFrom, npm_lifecycle_event: script } = process.env;
if (script === 'lethe' && calledFrom !== undefined) process.chdir(calledFrom);
try {
  // who types nothing wants to know what there is
  await createProgram(output).parseAsync(process.argv.length > 2 ? process.argv : [...process.argv, '--help']);
} catch (error) {
  const problem = explained(error);
  if (problem) {
    process.exitCode = endedBy(problem);
    if (process.env['LETHE_DEBUG'] === '1') output.note(String(error instanceof Error ? error.stack : error));
  }
}
