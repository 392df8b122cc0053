import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publishedFiles } from '../tools/published-files.js';

describe('the pages that tell what was published', () => {
  it('have the numbers of the entries (npm run tables -w @lethe/cli writes them)', async () => {
    for (const [path, { text, now }] of await publishedFiles()) expect(text, path).to.equal(now);
  });
});

describe('the programs that the READMEs of packages show', () => {
  const root = new URL('../../../../', import.meta.url);
  const pages = readdirSync(new URL('packages', root)).map((name) => ({ name, page: new URL(`packages/${name}/README.md`, root) }));
  for (const { name, page } of pages.filter((one) => existsSync(one.page))) {
    for (const [, code] of readFileSync(page, 'utf8').matchAll(/^```js\n(.*?)^```$/gms)) {
      it(`run as printed: ${name}`, async () => {
        await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code!], { cwd: fileURLToPath(root) });
      });
    }
  }
});
