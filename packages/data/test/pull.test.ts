import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalHub } from '@lethe/hub/testing';
import { filesToPull, loadSuite, pullFile } from '../src/index.js';
import { INSTALLED, OwnSuite, YAML, errorOf } from './support.js';

const FILES = ['tickets/train', 'tickets/test', 'mails/train', 'mails/test'];

describe('rows from the hub', () => {
  let hub: LocalHub;
  let suite: OwnSuite;
  let cache: string;
  const before = process.env['LETHE_CACHE'];
  const hashOf = (name: string) => createHash('sha256').update(readFileSync(join(suite.folder, 'upload', `${name}.jsonl`))).digest('hex');
  beforeEach(async () => {
    hub = new LocalHub();
    await hub.open();
    suite = new OwnSuite();
    cache = process.env['LETHE_CACHE'] = mkdtempSync(join(tmpdir(), 'lethe-cache-'));
    for (const task of ['tickets', 'mails']) {
      mkdirSync(join(suite.folder, 'upload'), { recursive: true });
      renameSync(join(suite.folder, task), join(suite.folder, 'upload', task));
    }
    const hashes = (task: string) => `sha256: { train: ${hashOf(`${task}/train`)}, test: ${hashOf(`${task}/test`)} }`;
    suite.yaml(YAML.replace('prompt: |-', 'source: { repo: datasets/someone/rows, revision: abc }\nprompt: |-')
      .replace('id: tickets,', `id: tickets, ${hashes('tickets')},`).replace('id: mails,', `id: mails, source: { test: letters/last.jsonl }, ${hashes('mails')},`));
    for (const name of FILES) {
      const path = name === 'mails/test' ? 'letters/last' : name;
      hub.files.set(`/datasets/someone/rows/resolve/abc/${path}.jsonl`, readFileSync(join(suite.folder, 'upload', `${name}.jsonl`)));
    }
  });
  afterEach(() => {
    hub.close();
    rmSync(suite.folder, { recursive: true });
    rmSync(cache, { recursive: true });
    if (before === undefined) delete process.env['LETHE_CACHE'];
    else process.env['LETHE_CACHE'] = before;
  });
  const pull = async () => {
    for (const file of await filesToPull(suite.reference())) await pullFile(file, {});
  };

  it('are wanted by the error about missing ones, pulled into the cache, and used from there without a network', async () => {
    const missing = await errorOf(() => loadSuite(suite.reference()));
    expect(missing.code).to.equal('LETHE_DATA_MISSING');
    expect(missing.remedy).to.contain(`lethe data pull ${suite.file}`).and.contain('--data-dir');
    await pull();
    expect((await filesToPull(suite.reference())).map(({ to, there }) => [to, there])).to.deep.equal(
      FILES.map((name) => [join(cache, 'data', 'my-suite', '1.0.0', `${name}.jsonl`), true]));
    hub.close();
    const pulled = await loadSuite(suite.reference());
    expect(pulled).to.deep.equal(await loadSuite(suite.reference({ dataDir: join(suite.folder, 'upload') })));
    await pull();
  });

  it('may be on GitHub as they are, such as tasks of Natural Instructions, each file where a pattern says', async () => {
    const commit = 'c'.repeat(40);
    const bytes = (task: string, split: string) => Buffer.from(JSON.stringify({
      Definition: ['Who answers this?'],
      Instances: readFileSync(join(suite.folder, 'upload', `${task}/${split}.jsonl`), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as unknown),
    }));
    let yaml = YAML.replace('prompt: |-', `source: { repo: github:someone/tasks, revision: ${commit}, path: "all/{folder}/{split}.json" }\nrows: { inputs: [definition, input] }\nprompt: |-\n  {definition}`);
    for (const task of ['tickets', 'mails']) {
      const [train, test] = ['train', 'test'].map((split) => {
        hub.files.set(`/someone/tasks/${commit}/all/${task}/${split}.json`, bytes(task, split));
        return createHash('sha256').update(bytes(task, split)).digest('hex');
      });
      yaml = yaml.replace(`id: ${task},`, `id: ${task}, sha256: { train: ${train}, test: ${test} },`);
    }
    suite.yaml(yaml);
    await pull();
    expect((await filesToPull(suite.reference())).map(({ to }) => to)).to.deep.equal(FILES.map((name) => join(cache, 'data', 'my-suite', '1.0.0', `${name}.json`)));
    hub.close();
    const { tasks: [tickets] } = await loadSuite(suite.reference());
    expect(tickets!.test[0]!.prompt.startsWith('Who answers this?\nt test message 0\n')).to.equal(true);
  });

  it('of superni are wanted from the commit that its hashes are of', async () => {
    const files = await filesToPull({ ...INSTALLED, reference: 'superni' });
    expect(files).to.have.length(30);
    expect(files[1]!.from).to.include({
      repo: 'github:circle-hit/SAPT', revision: '52a52b920324c656bdb6dac08e43dc600ba22f21', path: 'CL_Benchmark/SuperNI/task1572_samsum_summary/test.json',
    });
    expect(new Set(files.map(({ from }) => from.sha256)).size).to.equal(30);
  });

  it('are not pulled where they are in the data folder', async () => {
    const files = await filesToPull(suite.reference({ dataDir: join(suite.folder, 'upload') }));
    expect(files.every(({ there }) => there)).to.equal(true);
    for (const file of files) await pullFile(file, {});
    expect(existsSync(join(cache, 'data'))).to.equal(false);
  });

  it('that are not those of the suite are refused, from the hub and from the cache', async () => {
    hub.files.set('/datasets/someone/rows/resolve/abc/tickets/train.jsonl', Buffer.from('{}\n'));
    const error = await errorOf(pull);
    expect(error.code).to.equal('LETHE_HUB_FILE');
    expect(error.message).to.contain('sha256');
    hub.files.set('/datasets/someone/rows/resolve/abc/tickets/train.jsonl', readFileSync(join(suite.folder, 'upload/tickets/train.jsonl')));
    await pull();
    writeFileSync(join(cache, 'data/my-suite/1.0.0/tickets/train.jsonl'), '{}\n');
    expect((await errorOf(pull)).code).to.equal('LETHE_DATA_CHANGED');
    expect((await errorOf(() => loadSuite(suite.reference()))).code).to.equal('LETHE_DATA_CHANGED');
  });

  it('without a source are named all together, with where to put them', async () => {
    suite.yaml(YAML);
    const error = await errorOf(() => filesToPull(suite.reference()));
    expect(error.code).to.equal('LETHE_DATA_MISSING');
    for (const name of FILES) expect(error.message).to.contain(`${name}.jsonl`);
    expect(error.remedy).to.contain(join(cache, 'data', 'my-suite', '1.0.0'));
  });
});
