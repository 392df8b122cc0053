import { type MethodHost, type NdArray, type Site, siteInputs, zeros } from '@lethe/core';
import { expect } from 'chai';
import { inParts } from '../src/inputs.js';

/** Two sites a layer that read the same input of `size`, and one that reads another of twice the size. */
const sites = (layers: number, size: number): Site[] => Array.from({ length: layers }, (_, layer) =>
  (['q', 'v', 'down'] as const).map((kind, k): Site =>
    ({ name: `layers.${layer}.${kind}`, index: 3 * layer + k, layer, kind, in: kind === 'down' ? 2 * size : size, out: 4 }))).flat();
const namesOf = (parts: readonly (readonly Site[])[]) => parts.map((part) => part.map(({ layer }) => layer).join(''));

describe('inputs of sites', () => {
  it('are looked at in parts of whole layers, as many as there is room for, and one layer where there is none', () => {
    // a layer takes 4 * (10^2 + 10^2 + 20^2) bytes
    expect(namesOf(inParts(sites(5, 10), 4800))).to.deep.equal(['000111', '222333', '444']);
    expect(namesOf(inParts(sites(2, 10), 1))).to.deep.equal(['000', '111']);
    expect(namesOf(inParts(sites(3, 10), 1e9))).to.deep.equal(['000111222']);
    expect(inParts([], 1)).to.deep.equal([]);
  });

  it('come once for all that read them, with what was asked of the host part by part', async () => {
    const asked: number[] = [];
    // a layer of this size takes 402 MB
    const host = {
      sites: sites(2, 4096),
      moments: async (_: unknown, rows: number, part: readonly Site[]) => {
        asked.push(rows, part.length);
        const shared: Record<string, NdArray> = {};
        return Object.fromEntries(part.map(({ name, layer, kind }) => [name, (shared[`${layer} ${kind === 'down'}`] ??= zeros([1, 1]))]));
      },
    } as unknown as MethodHost;
    const found: string[] = [];
    for await (const { name, readers } of siteInputs(host, { index: 1, rows: 9, steps: 1 }, 7)) found.push(`${name} ${readers.map(({ kind }) => kind).join('')}`);
    expect(found).to.deep.equal(['layers.0.q qv', 'layers.0.down down', 'layers.1.q qv', 'layers.1.down down']);
    expect(asked).to.deep.equal([7, 3, 7, 3]);
  });
});
