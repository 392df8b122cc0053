import { renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createRandom } from '@lethe/core';
import { pretrainText as domainText } from './domain-mini/generate.js';
import { pretrainText as generalText } from './general-mini/generate.js';

const SEED = 1;
const { values } = parseArgs({ options: { out: { type: 'string' }, documents: { type: 'string', default: '40000' } } });
const documents = Number(values.documents);
if (values.out === undefined || !Number.isInteger(documents) || documents < 2) {
  process.stderr.write('usage: corpus.js --out FILE [--documents N], N an integer of at least 2\n');
  process.exitCode = 2;
} else {
  // The skills take far more practice than the few sentence forms of the domains.
  const domain = Math.floor(0.4 * documents);
  const texts = createRandom(SEED, 'corpus').shuffle([...generalText(SEED, documents - domain), ...domainText(SEED, domain)]);
  // Written beside and renamed: a reader never meets half a corpus.
  writeFileSync(`${values.out}.part`, `${texts.join('\n\n')}\n`);
  renameSync(`${values.out}.part`, values.out);
}
