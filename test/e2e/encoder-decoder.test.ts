import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { validateResults } from '@lethe/metrics';
import { loadModel, readAdapter } from '@lethe/model';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const MAIN = join(root, 'packages/cli/dist/src/main.js');
const SUITE = join(root, 'test/fixtures/two-trades');
const MODEL = join(root, 'test/fixtures/architectures/t5');
/** Rows in the prompt, an adapter, gradients with a gate, moments. */
const METHODS = ['in-context', 'lora-sequential', 'seta', 'inflora'];

describe('an encoder-decoder from the command line', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-t5-')); });
  after(() => rmSync(folder, { recursive: true }));

  const lethe = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  const run = (model: string, out: string, ...args: string[]) =>
    lethe('run', SUITE, '--size', 'tiny', '--seeds', '1', '--model', model, '--device', 'cpu', '--workers', '1', '--out', out, ...args);

  it('is trained and scored by methods of every kind, and its adapter is exported', async () => {
    const out = join(folder, 'run');
    const { status, stdout, stderr } = run(MODEL, out, '--methods', METHODS.join(), '--json');
    expect(status, stderr).to.equal(0);
    const { runs } = validateResults(JSON.parse(stdout));
    expect(runs.map(({ method, status: state }) => `${method.id} ${state}`).sort()).to.deep.equal(METHODS.map((id) => `${id} completed`).sort());
    // query and value of two encoder layers, and of attention to both texts in two decoder layers
    const sequential = runs.find(({ method }) => method.id === 'lora-sequential')!;
    expect(sequential.status === 'completed' && sequential.cost.trainableParameters).to.equal(12 * 2 * (32 + 24));
    const adapter = join(folder, 'adapter');
    const exported = lethe('export', out, '--method', 'lora-sequential', '--out', adapter);
    expect(exported.status, exported.stderr).to.equal(0);
    expect(JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8'))).to.deep.include({ task_type: 'SEQ_2_SEQ_LM', target_modules: ['q', 'v'] });
    expect(Object.keys(await readAdapter(adapter, await loadModel(MODEL)))).to.have.length(12);
  });

  it('is refused with one clear error where it does not fit its configuration, and nothing is written', () => {
    const [out, model] = [join(folder, 'refused'), join(folder, 'model')];
    cpSync(MODEL, model, { recursive: true });
    const config = readFileSync(join(MODEL, 'config.json'), 'utf8');
    const refused = (...texts: string[]) => {
      const { status, stdout, stderr } = run(model, out, '--methods', 'zero-shot');
      expect([status, stdout], stderr).to.deep.equal([2, '']);
      for (const text of [...texts, 'fix ']) expect(stderr).to.contain(text);
      expect(existsSync(out)).to.equal(false);
    };
    writeFileSync(join(model, 'config.json'), config.replace('"feed_forward_proj": "relu"', '"feed_forward_proj": "gated-gleu"'));
    refused('LETHE_MODEL_CONFIG', 'config.json: feed_forward_proj', 'Did you mean "gated-gelu"?');
    writeFileSync(join(model, 'config.json'), config.replace('"num_decoder_layers": 2', '"num_decoder_layers": 3'));
    refused('LETHE_MODEL_WEIGHTS', '"decoder.block.2.layer.0.layer_norm.weight" is missing', 'model.safetensors');
  });
});
