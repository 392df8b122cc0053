import { expect } from 'chai';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LETHE_VERSION, LetheError, type Plugin, capabilitiesOf, discoverPlugins, findPlugin, pluginsIn, resolveOptions } from '../src/index.js';

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
  const found = () => discoverPlugins(pluginsIn(root));
  const discover = () => {
    const { plugins, broken: [broken] } = found();
    if (broken) throw broken.error;
    return plugins;
  };
  const add = (folder: string, manifest: unknown) => {
    mkdirSync(join(root, folder), { recursive: true });
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
    expect(discoverPlugins(pluginsIn(join(root, 'absent')))).to.deep.equal({ plugins: [], broken: [] });
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

  it('takes a method that is told the task, or learns all tasks at once, for a bound only', () => {
    for (const rival of [{ capabilities: { taskIdentity: true } }, { stream: 'joint' }]) {
      add('a', { ...sound, ...rival });
      const error = errorOf(discover);
      expect(error.code).to.equal('LETHE_PLUGIN_MANIFEST');
      expect(error.where).to.match(/plugin\.json:\d+$/);
      expect(error.remedy).to.contain('"bound": true');
    }
    rmSync(join(root, 'a'), { recursive: true });
    add('b', { ...sound, capabilities: { taskIdentity: true, bound: true } });
    add('c', { ...sound, name: 'c', stream: 'joint', capabilities: { bound: true } });
    expect(discover()).to.have.length(2);
  });

  it('gives a method other capabilities with an option, and takes it for a bound where it is told the task then', () => {
    const options = { type: 'object', additionalProperties: false, properties: { oracle: { type: 'boolean', default: false, description: 'Told.' } } };
    add('a', { ...sound, options, capabilitiesWith: { oracle: { taskIdentity: true, bound: true } } });
    const [{ manifest }] = discover() as [Plugin];
    expect(capabilitiesOf(manifest, { oracle: false })).to.deep.equal(manifest.capabilities);
    expect(capabilitiesOf(manifest, { oracle: true })).to.deep.equal({ ...manifest.capabilities, taskIdentity: true, bound: true });
    add('a', { ...sound, options, capabilitiesWith: { oracle: { taskIdentity: true } } });
    expect(errorOf(discover).remedy).to.contain('"bound": true');
    add('a', { ...sound, options, capabilitiesWith: { oracel: { growth: 'none' } } });
    expect(errorOf(discover)).to.include({ code: 'LETHE_PLUGIN_MANIFEST' }).and.property('message').to.contain('Did you mean "oracle"?');
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

  const described = { default: 1, description: 'Some.' };
  for (const [what, change, message, line] of [
    ['a number without bounds', { options: { ...sound.options, properties: { some: { ...described, type: 'number' } } } }, '"options.properties.some" has no field "minimum"', '"some"'],
    ['an option without a type', { options: { ...sound.options, properties: { some: described } } }, '"options.properties.some" has no field "type"', '"some"'],
    ['an option of no type', { options: { ...sound.options, properties: { some: { ...described, type: 'strng' } } } },
      '"options.properties.some.type" must be one of number, integer, boolean, string, array, not "strng". Did you mean "string"?', '"type": "strng"'],
    ['a search without a scale', { search: { rows: { low: 1, high: 4 } } }, '"search.rows" has no field "scale"', '"rows": {\n      "low"'],
    ['a search with another field', { search: { rows: { low: 1, hihg: 4, scale: 'log' } } }, 'unknown field "hihg". Did you mean "high"?', '"hihg"'],
    ['a search of one value', { search: { rows: [1] } }, '"search.rows" must have 2 items or more, not 1', '"rows": ['],
    ['a search of ten options', { search: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`o${i}`, [1, 2]])) }, '"search" must have at most 9 fields, not 10', '"search": {'],
    ['a search that is none', { search: { rows: 3 } }, '"search.rows" must be a list or an object, not 3', '"rows": 3'],
    ['a name with capitals', { name: 'My_Method' }, '"name" must be lower case words joined by hyphens, such as my-method, not "My_Method"', '"name"'],
    ['a version that cannot be compared', { version: '1.01.0' }, '"version" must be a semantic version, such as "1.0.0", not "1.01.0"', '"version"'],
    ['a version that is a number', { version: 1 }, '"version" must be a semantic version, such as "1.0.0", not 1', '"version"'],
  ] as const) {
    it(`says in words what is wrong with ${what}`, () => {
      add('a', { ...sound, ...change });
      const error = errorOf(discover);
      expect(error.message).to.equal(message);
      const text = JSON.stringify({ ...sound, ...change }, null, 2);
      expect(error.where).to.match(new RegExp(`plugin\\.json:${text.slice(0, text.indexOf(line)).split('\n').length}$`));
    });
  }

  it('says what to write in the place of a value of another type', () => {
    for (const [change, remedy] of [
      [{ tags: 'a' }, 'see packages/core/schemas/plugin.schema.json'],
      [{ description: ['Some words.'] }, 'write "description": "Some words."'],
      [{ capabilities: { rehearsal: 'false', taskIdentity: false, growth: 'none', bound: false } }, 'write "rehearsal": false'],
      [{ search: { rows: 3 } }, 'give rows a list or an object'],
      [{ version: 1 }, 'see packages/core/schemas/plugin.schema.json'],
    ] as const) {
      add('a', { ...sound, ...change });
      expect(errorOf(discover).remedy, JSON.stringify(change)).to.equal(remedy);
    }
  });

  it('gives every method the factor of its learning rate, which it cannot declare itself', () => {
    add('a', sound);
    expect(resolveOptions(discover()[0]!, { rate: 0.5 })).to.deep.equal({ rows: 4, rate: 0.5 });
    const rate = { ...sound.options.properties.rows };
    add('b', { ...sound, name: 'other', options: { ...sound.options, properties: { rate } } });
    const error = errorOf(discover);
    expect(error.code).to.equal('LETHE_PLUGIN_OPTIONS');
    expect(error.message).to.contain('"rate"');
    expect(error.where).to.match(/plugin\.json:\d+$/);
  });

  for (const [what, search, text] of [
    ['an option that there is not', { row: [1, 2] }, 'Did you mean "rows"?'],
    ['what every object has', { constructor: [1, 2] }, 'there is no option "constructor"'],
    ['a value outside of the bounds', { rows: { low: 1, high: 20, scale: 'linear' } }, 'cannot be 20'],
    ['a value of another type', { rows: [1, 'two'] }, 'cannot be "two"'],
    ['a range that ends before it begins', { rows: { low: 5, high: 2, scale: 'linear' } }, 'ends before it begins'],
  ] as const) {
    it(`refuses to search ${what}`, () => {
      add('a', { ...sound, search });
      const error = errorOf(discover);
      expect(error.code).to.equal('LETHE_PLUGIN_OPTIONS');
      expect(error.message).to.contain(text);
      expect(error.where).to.match(/plugin\.json:\d+$/);
    });
  }

  it('reads the options and the search of the guide', () => {
    const [, example] = /```json\n([^`]*)```/.exec(readFileSync(new URL('../../../../CONTRIBUTING.md', import.meta.url), 'utf8'))!;
    add('a', { ...sound, ...(JSON.parse(`{${example}}`) as object) });
    expect(discover()[0]!.manifest.search).to.have.keys('strength', 'rows', 'start');
  });

  it('refuses factors that lead away from zero', () => {
    const share = { type: 'number', minimum: 0, maximum: 1, default: 0.5, description: 'Share.' };
    add('a', { ...sound, options: { ...sound.options, properties: { share } }, search: { share: { low: 0, high: 1, scale: 'log' } } });
    expect(errorOf(discover).message).to.contain('no factors lead from 0');
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
    expect(findPlugin(found(), 'method', 'replay').manifest.name).to.equal('replay');
    const error = errorOf(() => findPlugin(found(), 'method', 'relpay'));
    expect(error.code).to.equal('LETHE_PLUGIN_UNKNOWN');
    expect(error.message).to.equal('there is no method called "relpay". Did you mean "replay"?');
    expect(errorOf(() => findPlugin(found(), 'scorer', 'replay')).code).to.equal('LETHE_PLUGIN_UNKNOWN');
  });

  it('keeps what is broken from nothing but itself, by its name or that of its folder', () => {
    add('a', sound);
    add('typo', { ...sound, name: 'forgetful', licence: undefined, license: 'MIT' });
    add('unread', '{ "name": ');
    mkdirSync(join(root, 'folder', 'plugin.json'), { recursive: true });
    expect(found().plugins.map(({ manifest }) => manifest.name)).to.deep.equal(['replay']);
    expect(found().broken.map(({ name, kind, error: { code } }) => [name, kind, code])).to.have.deep.members([
      ['forgetful', 'method', 'LETHE_PLUGIN_MANIFEST'], [undefined, undefined, 'LETHE_PLUGIN_MANIFEST'], [undefined, undefined, 'LETHE_FILES'],
    ]);
    expect(findPlugin(found(), 'method', 'replay').manifest.name).to.equal('replay');
    expect(errorOf(() => findPlugin(found(), 'method', 'forgetful'))).to.include({ code: 'LETHE_PLUGIN_MANIFEST' }).and.property('message').to.contain('"licence"');
    expect(errorOf(() => findPlugin(found(), 'method', 'unread')).code).to.equal('LETHE_PLUGIN_MANIFEST');
    expect(errorOf(() => findPlugin(found(), 'method', 'folder')).where).to.equal(join(root, 'folder', 'plugin.json'));
    const other = errorOf(() => findPlugin(found(), 'method', 'forgetfull'));
    expect(other.code).to.equal('LETHE_PLUGIN_UNKNOWN');
    expect(other.message).to.contain('Did you mean "forgetful"?').and.contain(join('unread', 'plugin.json:1')).and.not.contain('licence');
  });

  it('fills in defaults and names wrong options with bounds and value', () => {
    add('a', sound);
    const [plugin] = discover();
    const given = {};
    expect(resolveOptions(plugin!, given)).to.deep.equal({ rows: 4, rate: 1 });
    expect(given).to.deep.equal({});
    expect(resolveOptions(plugin!, { rows: 9 })).to.deep.equal({ rows: 9, rate: 1 });
    const error = errorOf(() => resolveOptions(plugin!, { rows: 10, row: 1 }));
    expect(error.code).to.equal('LETHE_PLUGIN_OPTIONS');
    expect(error.message).to.contain('from 1 to 9, given 10').and.contain('Did you mean "rows"?');
    expect(error.where).to.equal(plugin!.file);
    expect(errorOf(() => resolveOptions(plugin!, { rows: 10, row: 1 }, (option) => (option === 'row' ? 'run.yaml:3' : undefined))).where).to.equal('run.yaml:3');
  });

  it('says which value of a list was meant', () => {
    const start = { enum: ['random', 'inputs'], default: 'random', description: 'Where it starts.' };
    add('a', { ...sound, options: { ...sound.options, properties: { start } } });
    const [plugin] = discover();
    expect(resolveOptions(plugin!, {})['start']).to.equal('random');
    expect(errorOf(() => resolveOptions(plugin!, { start: 'input' })).message).to.contain('option "start" must be one of random, inputs, not "input". Did you mean "inputs"?');
    expect(errorOf(() => resolveOptions(plugin!, { start: 3 })).message).to.match(/not 3\.$/);
  });
});
