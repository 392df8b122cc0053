import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LETHE_VERSION } from '@lethe/core';

/** Writes a method into a folder below this one: in JavaScript, whose learner adds nothing, with other members in the place of some. */
export function plugin(folder: string, path: string, name: string, members = ''): string {
  const at = join(folder, path);
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, 'package.json'), '{ "type": "module", "keywords": ["lethe-plugin"] }');
  writeFileSync(join(at, 'plugin.json'), JSON.stringify({
    name, kind: 'method', version: '1.0.0', lethe: `^${LETHE_VERSION}`, description: 'Adds nothing.', licence: 'MIT',
    options: { type: 'object', additionalProperties: false, properties: { calm: { type: 'boolean', default: true, description: 'No effect.' } } },
  }));
  writeFileSync(join(at, 'index.js'), `const state = () => ({ trainable: {}, frozen: {}, stored: {}, json: null });
export default { create: (host, options) => ({ ...state(), begin() {}, adapt: () => null, end() {}, save: state, restore() {}, ${members} }) };\n`);
  return at;
}

/** Writes a plugin of another kind, with this code. */
export function ofKind(folder: string, name: string, kind: string, code: string): string {
  const at = plugin(folder, join(kind, name), name);
  const manifest = JSON.parse(readFileSync(join(at, 'plugin.json'), 'utf8')) as object;
  writeFileSync(join(at, 'plugin.json'), JSON.stringify({ ...manifest, kind }));
  writeFileSync(join(at, 'index.js'), code);
  return at;
}
