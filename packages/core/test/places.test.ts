import { expect } from 'chai';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LETHE_VERSION, LetheError, discoverPlugins, loadMethod, nodeModulesFrom, pluginIn, pluginPackages, pluginsIn } from '../src/index.js';

describe('places of plugins', () => {
  let root: string;
  beforeEach(() => { root = realpathSync(mkdtempSync(join(tmpdir(), 'lethe-places-'))); });
  afterEach(() => rmSync(root, { recursive: true }));

  const write = (path: string, content: unknown = '') => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };
  const manifest = (name: string) => ({
    $schema: 'somewhere.json', name, kind: 'method', version: '1.0.0', lethe: `^${LETHE_VERSION}`, description: 'A method.', licence: 'MIT',
    options: { type: 'object', additionalProperties: false, properties: {} },
  });
  const packaged = (path: string, name: string, more: object = {}) => {
    write(`${path}/package.json`, { name, keywords: ['lethe-plugin'], ...more });
    write(`${path}/plugin.json`, manifest(name.replace(/^@[^/]+\//, '')));
  };
  const named = (places: ReturnType<typeof pluginsIn>) => discoverPlugins(places).plugins.map((plugin) => plugin.manifest.name);

  it('takes the code from main, from index.js or from dist, whichever is there', () => {
    write('a/plugin.json', manifest('a'));
    expect(pluginIn(join(root, 'a')).codePath).to.equal(join(root, 'a', 'index.js'));
    write('a/dist/index.js');
    expect(pluginIn(join(root, 'a')).codePath).to.equal(join(root, 'a', 'dist', 'index.js'));
    write('a/package.json', { main: 'lib/a.js' });
    write('a/lib/a.js');
    expect(pluginIn(join(root, 'a')).codePath).to.equal(join(root, 'a', 'lib', 'a.js'));
  });

  it('takes the code of the plugins of this installation from what is built of them', () => {
    const folder = fileURLToPath(new URL('../../../../plugins/ewc', import.meta.url));
    expect(pluginIn(folder)).to.deep.equal({ file: join(folder, 'plugin.json'), codePath: join(folder, '../../dist/plugins/ewc/index.js') });
  });

  it('finds the plugin that a folder is, or those in it', () => {
    write('all/a/plugin.json', manifest('a'));
    write('all/b/plugin.json', manifest('b'));
    write('all/notes/README.md');
    expect(named(pluginsIn(join(root, 'all')))).to.deep.equal(['a', 'b']);
    expect(named(pluginsIn(join(root, 'all', 'b')))).to.deep.equal(['b']);
  });

  it('finds packages by their keyword, in scopes too, and no others', () => {
    packaged('node_modules/lethe-a', 'a');
    packaged('node_modules/@lab/b', '@lab/b');
    write('node_modules/other/package.json', { name: 'other', keywords: ['lethe'] });
    write('node_modules/other/plugin.json', manifest('other'));
    write('node_modules/.package-lock.json', {});
    expect(named(pluginPackages([join(root, 'node_modules')]))).to.deep.equal(['a', 'b']);
  });

  it('takes the nearest of several packages with one name, as Node does', () => {
    packaged('node_modules/a', 'a');
    packaged('inner/node_modules/a', 'a');
    const folders = nodeModulesFrom(join(root, 'inner')).filter((folder) => folder.startsWith(root));
    expect(folders).to.deep.equal([join(root, 'inner', 'node_modules'), join(root, 'node_modules')]);
    expect(pluginPackages(folders).map(({ file }) => file)).to.deep.equal([join(root, 'inner', 'node_modules', 'a', 'plugin.json')]);
  });

  it('refuses a package that has the keyword but no manifest', () => {
    write('node_modules/a/package.json', { name: 'a', keywords: ['lethe-plugin'] });
    const [broken] = discoverPlugins(pluginPackages([join(root, 'node_modules')])).broken;
    expect(broken!.error).to.include({ code: 'LETHE_PLUGIN_MANIFEST', where: join(root, 'node_modules', 'a') }).and.property('message').to.contain('no plugin.json');
  });

  it('counts a plugin that is reached twice once, and refuses two of one name', () => {
    packaged('node_modules/a', 'a');
    symlinkSync(join(root, 'node_modules', 'a'), join(root, 'linked'));
    const installed = pluginPackages([join(root, 'node_modules')]);
    expect(named([...installed, ...pluginsIn(join(root, 'linked'))])).to.deep.equal(['a']);
    write('mine/plugin.json', manifest('a'));
    const { plugins, broken: [broken] } = discoverPlugins([...installed, ...pluginsIn(join(root, 'mine'))]);
    expect(plugins).to.deep.equal([]);
    expect(broken!.error).to.include({ code: 'LETHE_PLUGIN_DUPLICATE', message: 'two plugins are called method a' });
  });

  describe('code', () => {
    const errorOf = (file: string) => loadMethod(file).then(() => { throw new Error('nothing was thrown'); }, (error: LetheError) => error);

    it('is lent the contracts where it has none', async () => {
      write('package.json', { type: 'module' });
      const file = write('index.js', `import { zeros } from '@lethe/core';\nimport { linear } from '@lethe/core/tensor';\nimport * as tf from '@tensorflow/tfjs';
export default { create: () => ({ zeros, linear, tf }) };\n`);
      const made = (await loadMethod(file)).create(undefined as never, {}) as unknown as Record<string, unknown>;
      const [core, tensor] = [await import('../src/index.js'), await import('../src/tensor.js')];
      expect([made['zeros'], made['linear']]).to.deep.equal([core.zeros, tensor.linear]);
    });

    it('is lent nothing else', async () => {
      write('package.json', { type: 'module' });
      const error = await errorOf(write('index.js', 'import \'@lethe/harness\';\n'));
      expect(error).to.include({ code: 'LETHE_PLUGIN_EXPORT' });
      expect(error.message).to.contain('@lethe/harness');
    });

    it('is refused with the line that throws, or that is no JavaScript, in whatever module of the plugin', async () => {
      write('package.json', { type: 'module' });
      const helper = write('helper.js', '\nexport const read = (text) =>\n  JSON.parse(text);\n');
      const thrown = await errorOf(write('throws.js', `import { read } from './helper.js';\nread('{');\nexport default {};\n`));
      expect(thrown).to.include({ code: 'LETHE_PLUGIN_EXPORT', where: `${helper}:3` });
      const own = write('syntax.js', 'export default {\n  create() { return = 1; },\n};\n');
      expect((await errorOf(own)).where).to.equal(`${own}:2`);
      rmSync(own);
      const other = write('lib/other.js', '\n\nexport const = 2;\n');
      expect((await errorOf(write('imports.js', `import './lib/other.js';\nexport default {};\n`))).where).to.equal(`${other}:3`);
    });

    it('must be there, and be a method', async () => {
      const absent = await errorOf(join(root, 'index.js'));
      expect(absent).to.include({ code: 'LETHE_PLUGIN_EXPORT', where: join(root, 'index.js') });
      expect(absent.remedy).to.contain('npx tsc -p');
      write('package.json', { type: 'module' });
      expect((await errorOf(write('none.js', 'export default 7;\n'))).message).to.contain('no function "create"');
    });
  });
});
