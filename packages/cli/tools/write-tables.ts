import { writeFile } from 'node:fs/promises';
import { pagesWithTables } from './document-tables.js';

for (const [path, { now }] of await pagesWithTables()) await writeFile(path, now);
