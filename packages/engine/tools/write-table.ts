import { writeFile } from 'node:fs/promises';
import { README, pageWithTable } from './kernel-table.js';

await writeFile(README, await pageWithTable());
