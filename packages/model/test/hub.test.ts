import { cp, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LetheError, parseHubReference } from '@lethe/core';
import { expect } from 'chai';
import { type HubOptions, fetchModel, hubEnvironment, loadModel } from '../src/index.js';
import { COMMIT, HubServer } from './hub-server.js';
import { FIXTURES } from './spoil.js';

const MODEL = join(FIXTURES, 'architectures/mistral');
const [CONFIG, TOKENIZER, INDEX] = ['config.json', 'tokenizer.json', 'model.safetensors.index.json'];
const SHARDS = [1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`);
const MAIN = { repo: 'owner/name', revision: 'main' };

describe('a model of the hub', () => {
  let cacheDir = '';
  let server: HubServer;
  let options: HubOptions;
  const snapshot = (revision = COMMIT) => join(cacheDir, 'models--owner--name/snapshots', revision);

  beforeEach(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'lethe-hub-'));
    server = new HubServer(MODEL);
    options = { cacheDir, hubUrl: await server.start() };
  });
  afterEach(async () => {
    await server.stop();
    await rm(cacheDir, { recursive: true });
  });

  const refusal = async (reference = MAIN, more: HubOptions = {}): Promise<LetheError> => {
    const error: unknown = await fetchModel(reference, { ...options, ...more }).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(LetheError);
    expect((error as LetheError).remedy).to.be.a('string').that.is.not.empty;
    return error as LetheError;
  };

  it('is downloaded once, pinned to the commit of its branch, and found without a network after that', async () => {
    const heard: [string, number][] = [];
    const found = await fetchModel(MAIN, { ...options, onFile: (name, bytes) => heard.push([name, bytes]) });
    expect(found).to.deep.equal({ id: `owner/name@${COMMIT}`, folder: snapshot() });
    expect((await loadModel(found.folder)).sha256).to.equal((await loadModel(MODEL)).sha256);
    expect(heard.map(([name]) => name)).to.deep.equal([CONFIG, TOKENIZER, INDEX, ...SHARDS]);
    for (const [name, bytes] of heard) expect(bytes).to.equal(server.files.get(name)!.length);
    expect((await readdir(snapshot())).sort(), 'no other file, and none that is not whole').to.deep.equal([CONFIG, TOKENIZER, INDEX, ...SHARDS].sort());
    await server.stop();
    expect(await fetchModel(MAIN, options)).to.deep.equal(found);
    expect(await fetchModel({ ...MAIN, revision: COMMIT }, { ...options, offline: true })).to.deep.equal(found);
    await server.start();
  });

  it('is downloaded by its commit, with the settings of generation where it has them, in one file where it has one', async () => {
    server.files.clear();
    const qwen = new HubServer(join(FIXTURES, 'architectures/qwen3'));
    for (const [name, bytes] of qwen.files) server.files.set(name, bytes);
    const { folder } = await fetchModel({ ...MAIN, revision: COMMIT }, { ...options, accessToken: 'hf_secret' });
    expect((await readdir(folder)).sort()).to.deep.equal([CONFIG, 'generation_config.json', 'model.safetensors', TOKENIZER].sort());
    expect([...server.tokens]).to.deep.equal(['Bearer hf_secret']);
    expect(await readdir(join(cacheDir, 'models--owner--name'))).to.deep.equal(['snapshots']);
  });

  it('goes on where a download failed', async () => {
    server.damaged.add(SHARDS[1]!);
    expect((await refusal()).message).to.match(/hashes to [0-9a-f]{64}; the hub lists [0-9a-f]{64}/);
    expect((await readdir(snapshot())).sort(), 'nothing of it is kept').to.deep.equal([CONFIG, TOKENIZER, INDEX, SHARDS[0]].sort());
    server.damaged.clear();
    server.asked.length = 0;
    await fetchModel(MAIN, options);
    expect(server.asked.filter((name) => !name.startsWith('/'))).to.deep.equal(SHARDS.slice(1));
  });

  it('is refused where a small file is not what the hub lists', async () => {
    server.damaged.add(CONFIG!);
    const error = await refusal();
    expect(error.code).to.equal('LETHE_MODEL_HUB');
    expect(error.where).to.equal(`owner/name@${COMMIT}: ${CONFIG}`);
    expect(error.message).to.match(/hashes to [0-9a-f]{40};/);
  });

  it('is refused without the files that are needed', async () => {
    for (const name of [INDEX!, ...SHARDS]) server.files.delete(name);
    server.files.set('pytorch_model.bin', Buffer.from('x'));
    expect((await refusal()).message).to.equal('The model has no file model.safetensors.');
    server.files.delete(TOKENIZER!);
    await rm(snapshot(), { recursive: true });
    expect((await refusal()).message).to.equal('The model has no file tokenizer.json.');
  });

  it('is refused where its index names files elsewhere', async () => {
    server.files.set(INDEX!, Buffer.from('{"weight_map": {"model.norm.weight": "../../../../etc/hosts"}}'));
    expect(await refusal()).to.include({ code: 'LETHE_MODEL_WEIGHTS', where: join(snapshot(), INDEX!) });
  });

  it('that is not here names the files and the folder they belong in, whatever keeps it from coming', async () => {
    const check = (error: LetheError, reason: RegExp) => {
      expect(error.code).to.equal('LETHE_MODEL_HUB');
      expect(error.message).to.match(/^Model owner\/name at revision main is not on this machine, and /).and.match(reason);
      expect(error.where).to.equal(snapshot('main'));
      expect(error.remedy).to.match(/^Put config\.json, tokenizer\.json, model\.safetensors \(or model\.safetensors\.index\.json and its shards\) into that folder/);
    };
    check(await refusal(MAIN, { offline: true }), /not to be asked \(HF_HUB_OFFLINE\)/);
    expect(server.asked).to.deep.equal([]);
    for (const [status, reason] of [[401, /a token/], [403, /HF_TOKEN/], [404, /no model or no revision/], [503, /status 503/]] as const) {
      server.status = status;
      check(await refusal(), reason);
    }
    await server.stop();
    check(await refusal(), /cannot be reached \(ECONNREFUSED\)/);
    await server.start();
  });

  it('may be put into that folder by hand', async () => {
    await mkdir(join(snapshot('main'), '..'), { recursive: true });
    await cp(MODEL, snapshot('main'), { recursive: true });
    expect(await fetchModel(MAIN, { ...options, offline: true })).to.deep.equal({ id: 'owner/name@main', folder: snapshot('main') });
    await rm(join(snapshot('main'), SHARDS[2]!));
    expect((await refusal(MAIN, { offline: true })).remedy).to.match(/^Put model-00003-of-00003\.safetensors into that folder/);
  });

  it('has the branch noted as the libraries of the hub note it', async () => {
    await fetchModel(MAIN, options);
    expect(await readFile(join(cacheDir, 'models--owner--name/refs/main'), 'utf8')).to.equal(COMMIT);
  });

  it('is named owner/name, with a revision or without', () => {
    expect(parseHubReference('Qwen/Qwen2.5-0.5B')).to.deep.equal({ repo: 'Qwen/Qwen2.5-0.5B', revision: 'main' });
    expect(parseHubReference('a/b@refs/pr/1')).to.deep.equal({ repo: 'a/b', revision: 'refs/pr/1' });
    for (const text of ['lethe-nano', './a', '/a/b', '../a', 'a/b/c', 'a/b@', 'a/b@../c', 'a/b@x/../../y', 'a/..', '@a/b', 'a b/c', '']) {
      expect(parseHubReference(text), text).to.equal(undefined);
    }
  });

  it('is reached as the environment says', () => {
    expect(hubEnvironment({})).to.deep.equal({ offline: false });
    expect(hubEnvironment({ HF_ENDPOINT: 'http://mirror/', HF_TOKEN: 't', HF_HUB_OFFLINE: '1' })).to.deep.equal({ hubUrl: 'http://mirror', accessToken: 't', offline: true });
    expect(hubEnvironment({ HF_HUB_OFFLINE: '0' }).offline).to.equal(false);
  });
});
