import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { validateResults } from '@lethe/metrics';
import { loadModel, readAdapter, readSafetensors, writeSafetensors } from '@lethe/model';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const MAIN = join(root, 'packages/cli/dist/src/main.js');
const SUITE = join(root, 'test/fixtures/two-trades');
const MODEL = join(root, 'test/fixtures/architectures/t5');
/** A bound told the task, one that keeps rows, a gate, moments, gradients and distillation. */
const METHODS = ['zero-shot', 'in-context', 'lora-sequential', 'seta', 'inflora', 'ewc', 'lwf'];

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

  it('is refused with one clear error, and nothing is written', async () => {
    const out = join(folder, 'refused');
    const changed = (name: string, change: (config: Record<string, unknown>) => void) => {
      const copy = join(folder, name);
      cpSync(MODEL, copy, { recursive: true });
      const config = JSON.parse(readFileSync(join(copy, 'config.json'), 'utf8')) as Record<string, unknown>;
      change(config);
      writeFileSync(join(copy, 'config.json'), JSON.stringify(config));
      return copy;
    };
    const refused = (model: string, ...texts: string[]) => {
      const { status, stdout, stderr } = run(model, out, '--methods', 'zero-shot');
      expect([status, stdout], stderr).to.deep.equal([2, '']);
      for (const text of [...texts, 'fix ']) expect(stderr).to.contain(text);
      expect(existsSync(out)).to.equal(false);
    };
    refused(changed('network', (config) => { config['feed_forward_proj'] = 'gated-gleu'; }), 'LETHE_MODEL_CONFIG', 'config.json: feed_forward_proj', 'Did you mean "gated-gelu"?');
    const missing = changed('missing', () => undefined);
    const file = join(missing, 'model.safetensors');
    const tensors = await readSafetensors(file);
    tensors.delete('decoder.block.1.layer.1.EncDecAttention.v.weight');
    await writeSafetensors(file, tensors);
    refused(missing, 'LETHE_MODEL_WEIGHTS', '"decoder.block.1.layer.1.EncDecAttention.v.weight" is missing', 'model.safetensors');
  });
});
