import { writeFile } from 'node:fs/promises';
import { publishedFiles } from './published-files.js';

for (const [path, { now }] of await publishedFiles()) await writeFile(path, now);
