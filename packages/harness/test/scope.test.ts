import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LetheError, type MethodHost, type Scope, type Site, type TaskView } from '@lethe/core';
import { type Device, openDevice } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { runStream } from '../src/index.js';
import { sitesOf } from '../src/scope.js';
import { Lora } from './learners.js';
import { eagerDevice, tinyJob, tinyModel, tinySuite } from './tiny.js';

describe('the sites of a run', () => {
  it('are the layers of the kinds that the model has, and at least one', () => {
    const model = tinyModel(); // one layer of kind q
    expect(sitesOf(model, ['gate', 'q']).map(({ name, index }) => [name, index])).to.deep.equal([['layers.0.q', 0]]);
    expect(() => sitesOf(model, ['gate', 'up'])).to.throw(LetheError, 'layers of kind gate, up; the model has q').with.property('code', 'LETHE_MODEL_SITES');
  });
});

/** Adds something that a test makes to its delta. */
class Adds extends Lora {
  constructor(host: MethodHost, private readonly make: (x: tf.Tensor3D) => tf.Tensor, private readonly asks = false) {
    super(host);
  }
  override async begin(task: TaskView): Promise<void> {
    if (this.asks) await this.host.moments(task, 4);
  }
  override adapt(site: Site, x: tf.Tensor3D, scope: Scope): tf.Tensor3D {
    return tf.add(super.adapt(site, x, scope), this.make(x));
  }
}

describe('what adapt throws', () => {
  let outDir: string;
  let cpu: Device;
  before(async () => { cpu = await openDevice({ name: 'cpu' }); });
  after(() => cpu.dispose());
  beforeEach(async () => { outDir = await mkdtemp(join(tmpdir(), 'lethe-adapt-')); });
  afterEach(() => rm(outDir, { recursive: true }));

  const thrown = (device: Device, make: (x: tf.Tensor3D) => tf.Tensor, asks = false): Promise<LetheError> =>
    runStream({ ...tinyJob(outDir, 'adds'), codePath: fileURLToPath(import.meta.url) }, { device, model: tinyModel(), suite: tinySuite(), method: { create: (host) => new Adds(host, make, asks) } }, () => undefined, () => false)
      .then(() => { throw new Error('nothing was thrown'); }, (error: unknown) => error as LetheError);
  const PLACE = /scope\.test\.ts:(\d+), /;
  const lineOf = ({ where }: LetheError) => PLACE.exec(where!)?.[1];

  it('says at which site: a layer has its own shape', async () => {
    for (const device of [cpu, eagerDevice()]) {
      const error = await thrown(device, () => tf.zeros([1, 1, 17]));
      expect(error.code).to.equal('LETHE_METHOD_FAILED');
      expect(error.message).to.match(/^Operands could not be broadcast together with shapes \d+,\d+,16 and 1,1,17, in adapt at layers\.0\.q\.$/);
      expect(error.where).to.match(/scope\.test\.ts:\d+, .*first/);
      expect(error.remedy).to.contain('Mend the method there');
      const asked = await thrown(device, () => tf.zeros([1, 1, 17]), true);
      expect(lineOf(asked), 'the line of adapt, not that of begin, which asked for the pass').to.equal(lineOf(error));
    }
    expect((await thrown(eagerDevice(), () => { throw 'a text'; })).message).to.equal('a text, in adapt at layers.0.q.');
  }).timeout(60_000);

  it('says so too of what the compiler refuses', async () => {
    const error = await thrown(cpu, (x) => tf.matMul(x, tf.zeros([17, 16])));
    expect(error.code).to.equal('LETHE_ENGINE_SHAPE');
    expect(error.message).to.contain('(17, 16)').and.match(/, in adapt at layers\.0\.q\.$/);
    expect(error.where).to.match(/scope\.test\.ts:\d+/);
    const kernel = await thrown(cpu, (x) => tf.engine().runKernel('NoneSuch', { x }) as tf.Tensor);
    expect(kernel).to.include({ code: 'LETHE_ENGINE_KERNEL' }).and.property('where').match(/scope\.test\.ts:\d+/);
  }).timeout(60_000);

  it('passes as it is where it is a clear error by itself', async () => {
    const own = new LetheError('LETHE_PLUGIN_OPTIONS', 'Its own words.', { where: 'here' });
    expect(await thrown(cpu, () => { throw own; })).to.equal(own);
  }).timeout(60_000);
});
