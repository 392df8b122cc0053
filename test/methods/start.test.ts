import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { leadingDirections, type NdArray, product, readManifest, transposed } from '@lethe/core';
import { loraNames } from '@lethe/core/tensor';
import { ToyStream, describeMethod, methodBeside } from '@lethe/testkit';
import { expect } from 'chai';

const plugins = new URL('../../../plugins/', import.meta.url);
/** SETA has the option too, but atoms in place of an adapter: its own test looks at them. */
const names = readdirSync(plugins, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name !== 'seta').map(({ name }) => name)
  .filter((name) => 'start' in readManifest(fileURLToPath(new URL(`${name}/plugin.json`, plugins))).options.properties);
const place = (name: string) => new URL(`../../plugins/${name}/index.js`, import.meta.url).href;
const open = async (name: string, start: string) => ToyStream.of(await methodBeside(place(name), { start }));

/** What each column of a reads of inputs with this second moment. */
const energies = (a: NdArray, moment: NdArray): number[] => {
  const { shape: [n], data } = product(product(transposed(a), moment), a);
  return Array.from({ length: n! }, (_, k) => data[k * (n! + 1)]!);
};

describe('where adapters start', () => {
  it('is an option of the methods that train a plain adapter', () => {
    expect(names).to.include.members([
      'lora-sequential', 'joint', 'per-task', 'inc-lora', 'o-lora', 'ewc', 'si', 'replay', 'der', 'a-gem', 'lamol', 'gainlora', 'tasl', 'n-lora', 'gpm', 'moe-lora', 'sd-lora', 'lwf', 'magmax',
      'sapt',
    ]);
  });

  for (const name of names) {
    it(`on the inputs of a task, ${name} reads at every site what they hold most of, and answers as from random directions: nothing yet`, async () => {
      const [stream, random] = [await open(name, 'inputs'), await open(name, 'random')];
      await stream.begin(1);
      await random.begin(1);
      const moments = await stream.host.moments({ index: 1, rows: 48, steps: 30 }, 48);
      for (const site of stream.host.sites) {
        const { a, b } = loraNames(site);
        const rank = stream.learner.trainable[a]!.shape[1]!;
        const most = energies(leadingDirections(moments[site.name]!, rank), moments[site.name]!);
        const own = energies(stream.learner.trainable[a]!, moments[site.name]!);
        most.forEach((energy, k) => expect(own[k]).to.be.closeTo(energy, 1e-4 * most[0]!));
        expect(energies(random.learner.trainable[a]!, moments[site.name]!)[0]).to.be.below(0.9 * most[0]!);
        expect(stream.learner.trainable[b]!.data.every((v) => v === 0)).to.equal(true);
      }
    });

    it(`from there ${name} learns a task, and to begin another changes none of its answers`, async () => {
      const stream = await open(name, 'inputs');
      const { first, last } = await stream.learn(1);
      expect(last).to.be.below(first);
      if (stream.stages === 1 || name === 'sapt') return; // a new block of SAPT takes its share of the attention from the others
      const learned = stream.predict(1);
      await stream.begin(2);
      stream.predict(1).forEach((value, i) => expect(value).to.be.closeTo(learned[i]!, 1e-5));
    });

    describeMethod(place(name), { options: { start: 'inputs' } });
  }
});
