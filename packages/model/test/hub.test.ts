import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { LetheError, parseHubReference } from '@lethe/core';
import { hubAccess } from '@lethe/hub';
import { LocalHub } from '@lethe/hub/testing';
import { expect } from 'chai';
import { type FetchOptions, fetchModel, loadModel } from '../src/index.js';
import { FIXTURES } from './spoil.js';

const MODEL = join(FIXTURES, 'architectures/mistral');
const [CONFIG, TOKENIZER, INDEX] = ['config.json', 'tokenizer.json', 'model.safetensors.index.json'];
const SHARDS = [1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`);
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const MAIN = { repo: 'owner/name', revision: 'main' };
const OFFLINE: FetchOptions = { access: { offline: true } };

/** Where the hub has a file of the model. */
const at = (name: string) => `/owner/name/resolve/${COMMIT}/${name}`;

describe('a model of the hub', () => {
  let cacheDir = '';
  let hub: LocalHub;
  const snapshot = (revision = COMMIT) => join(cacheDir, 'models--owner--name/snapshots', revision);

  beforeEach(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'lethe-hub-'));
    hub = new LocalHub();
    await hub.open();
    hub.addModel('owner/name', 'main', COMMIT, MODEL);
  });
  afterEach(async () => {
    hub.close();
    await rm(cacheDir, { recursive: true });
  });

  const fetched = (reference = MAIN, options: FetchOptions = {}) => fetchModel(reference, { cacheDir, ...options });
  const refusal = async (options: FetchOptions = {}): Promise<LetheError> => {
    const error: unknown = await fetched(MAIN, options).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(LetheError);
    expect((error as LetheError).remedy).to.be.a('string').that.is.not.empty;
    return error as LetheError;
  };

  it('is downloaded once, pinned to the commit of its branch, and found without a network after that', async () => {
    const heard: [string, number][] = [];
    const found = await fetched(MAIN, { onFile: (name, bytes) => heard.push([name, bytes]) });
    expect(found).to.deep.equal({ id: `owner/name@${COMMIT}`, folder: snapshot() });
    expect((await loadModel(found.folder)).sha256).to.equal((await loadModel(MODEL)).sha256);
    expect(heard.map(([name]) => name)).to.deep.equal([CONFIG, TOKENIZER, INDEX, ...SHARDS]);
    for (const [name, bytes] of heard) expect(bytes).to.equal(hub.files.get(at(name))!.length);
    expect((await readdir(snapshot())).sort(), 'no other file, and none that is not whole').to.deep.equal([CONFIG, TOKENIZER, INDEX, ...SHARDS].sort());
    hub.close();
    expect(await fetched()).to.deep.equal(found);
    expect(await fetched({ ...MAIN, revision: COMMIT }, OFFLINE)).to.deep.equal(found);
  });

  it('is downloaded by its commit, with the settings of generation where it has them, in one file where it has one', async () => {
    hub.files.clear();
    hub.addModel('owner/name', 'main', COMMIT, join(FIXTURES, 'architectures/qwen3'));
    const { folder } = await fetched({ ...MAIN, revision: COMMIT }, { access: { ...hubAccess(), token: 'hf_secret' } });
    expect((await readdir(folder)).sort()).to.deep.equal([CONFIG, 'generation_config.json', 'model.safetensors', TOKENIZER].sort());
    expect([...hub.tokens]).to.deep.equal(['Bearer hf_secret']);
    expect((await readdir(join(cacheDir, 'models--owner--name'))).sort()).to.deep.equal(['.no_exist', 'snapshots']);
  });

  describe('that another tool has put there', () => {
    const SETTINGS = '{"eos_token_id": [0, 7]}';
    const [GENERATION, TEMPLATE] = ['generation_config.json', 'chat_template.jinja'];
    beforeEach(async () => {
      await cp(MODEL, snapshot(), { recursive: true });
      await mkdir(join(snapshot(), '../../refs'));
      await writeFile(join(snapshot(), '../../refs/main'), COMMIT);
      hub.files.set(at(GENERATION!), Buffer.from(SETTINGS)).set(at(TEMPLATE!), Buffer.from('{{ messages }}')).set(at('README.md'), Buffer.from('x'));
    });
    const expectFound = async (options: FetchOptions = {}) =>
      expect(await fetched(MAIN, options)).to.deep.equal({ id: `owner/name@${COMMIT}`, folder: snapshot() });
    const names = async () => (await readdir(snapshot())).sort();

    it('gets what it lacks and the model has, once', async () => {
      const heard: string[] = [];
      await expectFound({ onFile: (name) => heard.push(name) });
      expect(heard).to.deep.equal([GENERATION, TEMPLATE]);
      expect(await names()).to.deep.equal([...await readdir(MODEL), GENERATION, TEMPLATE].sort());
      expect((await loadModel(snapshot())).tokenizer.stops).to.deep.equal([0, 7]);
      expect(hub.asked.filter((path) => path.includes('/tree/'))).to.have.lengthOf(1);
      hub.asked.length = 0;
      await expectFound();
      expect(hub.asked).to.deep.equal([]);
    });

    it('is taken as it is where all files that may be are there, or noted as those that the model has not', async () => {
      const notes = join(snapshot(), '../../.no_exist', COMMIT);
      await mkdir(notes, { recursive: true });
      for (const name of [GENERATION, TEMPLATE, 'special_tokens_map.json']) await writeFile(join(notes, name!), '');
      await writeFile(join(snapshot(), 'tokenizer_config.json'), '{}');
      await expectFound();
      expect(hub.asked).to.deep.equal([]);
    });

    it('is taken as it is where nobody is to be asked, and where the hub does not answer', async () => {
      await expectFound(OFFLINE);
      expect(hub.asked).to.deep.equal([]);
      for (const status of [401, 404, 503]) {
        hub.status = status;
        await expectFound();
      }
      const access = hubAccess();
      hub.close();
      await expectFound({ access });
      expect(await names()).to.deep.equal((await readdir(MODEL)).sort());
    });

    it('is refused where a file that the hub lists does not come', async () => {
      hub.closed.add(at(GENERATION!));
      const error = await refusal();
      expect(error).to.include({ code: 'LETHE_MODEL_HUB', where: snapshot() });
      expect(error.message).to.contain(`Model owner/name@${COMMIT} has ${GENERATION}, ${TEMPLATE}, the copy on this machine has not`);
      expect(error.remedy).to.contain('HF_HUB_OFFLINE=1').and.contain('HF_TOKEN');
    });
  });

  it('goes on where a download failed', async () => {
    hub.damaged.add(at(SHARDS[1]!));
    expect((await refusal()).message).to.match(/another file came than was expected: its sha256 is [0-9a-f]{64}, not [0-9a-f]{64}/);
    expect((await readdir(snapshot())).sort(), 'nothing of it is kept').to.deep.equal([CONFIG, TOKENIZER, INDEX, SHARDS[0]].sort());
    hub.damaged.clear();
    hub.asked.length = 0;
    await fetched();
    expect(hub.asked.filter((path) => path.includes('/resolve/')).map((path) => basename(path))).to.deep.equal(SHARDS.slice(1));
  });

  it('goes on within a file where a connection broke', async () => {
    const size = hub.files.get(at(SHARDS[0]!))!.length;
    hub.breaks.push(...[CONFIG, TOKENIZER, INDEX].map(() => 1e9), Math.floor(size / 2));
    await fetched();
    expect(hub.starts.filter((start) => start > 0)).to.have.lengthOf(1);
    expect((await loadModel(snapshot())).sha256).to.equal((await loadModel(MODEL)).sha256);
  });

  it('is refused where a small file is not what the hub lists', async () => {
    hub.damaged.add(at(CONFIG!));
    const error = await refusal();
    expect(error.code).to.equal('LETHE_MODEL_HUB');
    expect((error.cause as LetheError).where).to.contain(`owner/name@${COMMIT}: ${CONFIG}`);
    expect(error.message).to.match(/its git hash is [0-9a-f]{40}, not [0-9a-f]{40}/);
  });

  it('is refused without the files that are needed', async () => {
    for (const name of [INDEX!, ...SHARDS]) hub.files.delete(at(name));
    hub.files.set(at('pytorch_model.bin'), Buffer.from('x'));
    expect((await refusal()).message).to.equal('The model has no file model.safetensors.');
    hub.files.delete(at(TOKENIZER!));
    await rm(snapshot(), { recursive: true });
    expect((await refusal()).message).to.equal('The model has no file tokenizer.json.');
  });

  it('is refused where its index names files elsewhere', async () => {
    hub.files.set(at(INDEX!), Buffer.from('{"weight_map": {"model.norm.weight": "../../../../etc/hosts"}}'));
    expect(await refusal()).to.include({ code: 'LETHE_MODEL_WEIGHTS', where: join(snapshot(), INDEX!) });
  });

  it('that is not here names the files and the folder they belong in, whatever keeps it from coming', async () => {
    const check = (error: LetheError, reason: RegExp) => {
      expect(error.code).to.equal('LETHE_MODEL_HUB');
      expect(error.message).to.match(/^Model owner\/name at revision main is not on this machine, and /).and.match(reason);
      expect(error.where).to.equal(snapshot('main'));
      expect(error.remedy).to.match(/^Put config\.json, tokenizer\.json, model\.safetensors \(or model\.safetensors\.index\.json and its shards\) into that folder/);
    };
    check(await refusal(OFFLINE), /not to be asked \(HF_HUB_OFFLINE\)/);
    expect(hub.asked).to.deep.equal([]);
    for (const [status, reason] of [[401, /a token/], [403, /a token/], [404, /no such repository, revision or file/], [503, /status 503/]] as const) {
      hub.status = status;
      check(await refusal(), reason);
    }
    const access = hubAccess();
    hub.close();
    check(await refusal({ access }), /the hub cannot be reached: fetch failed: .*ECONNREFUSED/);
  });

  it('may be put into that folder by hand', async () => {
    await mkdir(join(snapshot('main'), '..'), { recursive: true });
    await cp(MODEL, snapshot('main'), { recursive: true });
    expect(await fetched(MAIN, OFFLINE)).to.deep.equal({ id: 'owner/name@main', folder: snapshot('main') });
    await rm(join(snapshot('main'), SHARDS[2]!));
    expect((await refusal(OFFLINE)).remedy).to.match(/^Put model-00003-of-00003\.safetensors into that folder/);
  });

  it('has the branch noted as the libraries of the hub note it', async () => {
    await fetched();
    expect(await readFile(join(cacheDir, 'models--owner--name/refs/main'), 'utf8')).to.equal(COMMIT);
  });

  it('is named owner/name, with a revision or without', () => {
    expect(parseHubReference('Qwen/Qwen2.5-0.5B')).to.deep.equal({ repo: 'Qwen/Qwen2.5-0.5B', revision: 'main' });
    expect(parseHubReference('a/b@refs/pr/1')).to.deep.equal({ repo: 'a/b', revision: 'refs/pr/1' });
    for (const text of ['lethe-nano', './a', '/a/b', '../a', 'a/b/c', 'a/b@', 'a/b@../c', 'a/b@x/../../y', 'a/..', '@a/b', 'a b/c', '']) {
      expect(parseHubReference(text), text).to.equal(undefined);
    }
  });
});
