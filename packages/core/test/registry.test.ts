import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LETHE_VERSION, LetheError, discoverPlugins, findPlugin, pluginsIn, resolveOptions } from '../src/index.js';

const sound = {
  name: 'replay', kind: 'method', version: '1.0.0', lethe: `^${LETHE_VERSION}`, description: 'Replays.', licence: 'Apache-2.0',
  options: {
    type: 'object', additionalProperties: false,
    properties: { rows: { type: 'integer', minimum: 1, maximum: 9, default: 4, description: 'Rows kept.' } },
  },
};

function errorOf(act: () => unknown): LetheError {
  try {
    act();
  } catch (error) {
    if (error instanceof LetheError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('plugin registry', () => {
  let root: string;
  const discover = () => discoverPlugins(pluginsIn(root));
  const add = (folder: string, manifest: unknown) => {
    mkdirSync(join(root, folder));
    writeFileSync(join(root, folder, 'plugin.json'), typeof manifest === 'string' ? manifest : JSON.stringify(manifest, null, 2));
  };
  beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'lethe-registry-')); });
  afterEach(() => rmSync(root, { recursive: true }));

  it('discovers plugins with defaults filled in, without touching their code', () => {
    add('folder', sound);
    mkdirSync(join(root, 'not-a-plugin'));
    const [plugin, ...others] = discover();
    expect(others).to.be.empty;
    expect(plugin!.codePath).to.equal(join(root, 'folder', 'index.js'));
    expect(plugin!.manifest.stream).to.equal('continual');
    expect(plugin!.manifest.capabilities).to.deep.equal({ rehearsal: false, taskIdentity: false, growth: 'none', bound: false });
  });

  it('finds nothing where there is no folder', () => {
    expect(discoverPlugins(pluginsIn(join(root, 'absent')))).to.deep.equal([]);
  });

  it('names the line of an unknown field and the field that was meant', () => {
    add('a', { ...sound, licence: undefined, license: 'MIT' });
    const error = errorOf(discover);
    expect(error.code).to.equal('LETHE_PLUGIN_MANIFEST');
    expect(error.message).to.contain('Did you mean "licence"?');
    expect(error.where).to.match(/plugin\.json:\d+$/);
  });

  it('names the line of broken JSON', () => {
    add('a', '{\n  "name": "x",\n  "kind": [\n}\n');
    const error = errorOf(discover);
    expect(error.code).to.equal('LETHE_PLUGIN_MANIFEST');
    expect(error.where).to.match(/plugin\.json:\d+$/);
  });

  it('takes a method that is told the task for a bound only', () => {
    add('a', { ...sound, capabilities: { taskIdentity: true } });
    const error = errorOf(discover);
    expect(error.code).to.equal('LETHE_PLUGIN_MANIFEST');
    expect(error.where).to.match(/plugin\.json:\d+$/);
    expect(error.remedy).to.contain('"bound": true');
    rmSync(join(root, 'a'), { recursive: true });
    add('b', { ...sound, capabilities: { taskIdentity: true, bound: true } });
    expect(discover()).to.have.length(1);
  });

  it('refuses another version of Lethe before looking at dependencies', () => {
    add('a', { ...sound, lethe: '^99.0.0', dependencies: { 'no-such-package-here': '1' } });
    expect(errorOf(discover).code).to.equal('LETHE_PLUGIN_VERSION');
  });

  it('refuses a version range that is none', () => {
    add('a', { ...sound, lethe: 'newest please' });
    expect(errorOf(discover).code).to.equal('LETHE_PLUGIN_VERSION');
  });

  it('names the package that is missing, before looking at options', () => {
    const rows = { ...sound.options.properties.rows, default: 100 };
    add('a', { ...sound, dependencies: { '@scope/missing': '^1.0.0' }, options: { ...sound.options, properties: { rows } } });
    const error = errorOf(discover);
    expect(error.code).to.equal('LETHE_PLUGIN_DEPENDENCY');
    expect(error.message).to.contain('@scope/missing');
    expect(error.where).to.match(/plugin\.json:\d+$/);
  });

  it('refuses a default outside its own bounds', () => {
    const rows = { ...sound.options.properties.rows, default: 100 };
    add('a', { ...sound, options: { ...sound.options, properties: { rows } } });
    expect(errorOf(discover).code).to.equal('LETHE_PLUGIN_OPTIONS');
  });

  it('refuses an option without bounds', () => {
    add('a', { ...sound, options: { ...sound.options, properties: { rows: { type: 'number', default: 1, description: 'Rows.' } } } });
    expect(errorOf(discover).code).to.equal('LETHE_PLUGIN_MANIFEST');
  });

  it('names both places of a duplicate', () => {
    add('a', sound);
    add('b', sound);
    const error = errorOf(discover);
    expect(error.code).to.equal('LETHE_PLUGIN_DUPLICATE');
    expect(error.where).to.contain(join('a', 'plugin.json')).and.contain(join('b', 'plugin.json'));
  });

  it('finds a plugin by name, or says which was meant', () => {
    add('a', sound);
    expect(findPlugin(discover(), 'method', 'replay').manifest.name).to.equal('replay');
    const error = errorOf(() => findPlugin(discover(), 'method', 'relpay'));
    expect(error.code).to.equal('LETHE_PLUGIN_UNKNOWN');
    expect(error.message).to.contain('Did you mean "replay"?');
    expect(errorOf(() => findPlugin(discover(), 'scorer', 'replay')).code).to.equal('LETHE_PLUGIN_UNKNOWN');
  });

  it('fills in defaults and names wrong options with bounds and value', () => {
    add('a', sound);
    const [plugin] = discover();
    const given = {};
    expect(resolveOptions(plugin!, given)).to.deep.equal({ rows: 4 });
    expect(given).to.deep.equal({});
    expect(resolveOptions(plugin!, { rows: 9 })).to.deep.equal({ rows: 9 });
    const error = errorOf(() => resolveOptions(plugin!, { rows: 10, row: 1 }));
    expect(error.code).to.equal('LETHE_PLUGIN_OPTIONS');
    expect(error.message).to.contain('from 1 to 9, given 10').and.contain('Did you mean "rows"?');
  });
});
