import { setTimeout } from 'node:timers/promises';
import { lockRun } from '../src/lock.js';

// Says on standard output when it has the lock of the folder that it is given, and whether another one has it; lets go of it at once.
const folder = process.argv[2]!;
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
try {
  const unlock = await lockRun(folder);
  process.stdout.write('has\n');
  await setTimeout(300);
  await unlock();
  process.stdout.write('had\n');
} catch (error) {
  process.stdout.write(`${(error as { code?: string }).code}\n`);
}
process.exit(0);
