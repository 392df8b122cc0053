import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readManifest } from '@lethe/core';
import { expect } from 'chai';

const plugins = fileURLToPath(new URL('../../../plugins', import.meta.url));
const folders = readdirSync(plugins).filter((name) => existsSync(join(plugins, name, 'plugin.json')));
/** What plugins are made of; anything else they import is a dependency that their manifest names. */
const PARTS = ['@lethe/core', '@lethe/core/tensor', '@tensorflow/tfjs'];

describe('folders of plugins', () => {
  for (const name of folders) {
    const folder = join(plugins, name);
    const text = (file: string) => readFileSync(join(folder, file), 'utf8');

    it(`${name}: is called as its manifest says, with a README and a test`, () => {
      expect(readManifest(join(folder, 'plugin.json')).name).to.equal(name);
      expect(text('README.md')).to.match(/^# \S/);
      expect(text('index.test.ts')).to.contain('describeMethod(import.meta.url');
    });

    it(`${name}: names the schema of its manifest, so that editors know it`, () => {
      const { $schema } = JSON.parse(text('plugin.json')) as { $schema?: string };
      expect(join(folder, $schema ?? '')).to.equal(join(dirname(plugins), 'packages/core/schemas/plugin.schema.json'));
    });

    it(`${name}: imports the contracts, the tensor library and what its manifest names, and nothing else`, () => {
      const known = [...PARTS, ...Object.keys(readManifest(join(folder, 'plugin.json')).dependencies)];
      const code = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
      const imported = code.flatMap((file) => [...text(file).matchAll(/^(?:import|export|\}) .*?from '([^']+)';$/gm)].map(([, from]) => from!));
      expect(imported.filter((from) => !from.startsWith('.') && !known.includes(from))).to.deep.equal([]);
    });
  }
});
