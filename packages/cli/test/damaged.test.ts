import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CompletedRun, readManifest, sha256 } from '@lethe/core';
import { fraction, replaceAt, soundly } from '@lethe/core/testing';
import { buildSite, publishRuns, readEntry } from '@lethe/leaderboard';
import { metricsOf, resultsHash } from '@lethe/metrics';
import { expect } from 'chai';
import fc from 'fast-check';
import pc from 'picocolors';
import { createProgram } from '../src/index.js';
import { PATHS } from '../src/paths.js';
import { readRecord } from '../src/run/record.js';
import { readConfigurationFile } from '../src/run/configuration-file.js';
import { resolveRequest } from '../src/run/resolve.js';
import { recordText } from './record.js';

/** Cases of each kind. */
const CASES = 200;
/** Of those, so many go all the way: a run resolved against what is installed, a site built. */
const WHOLE = 10;

/** A text cut off, with a bit turned, or with a piece overwritten. */
const ofBytes = (text: string): fc.Arbitrary<Buffer> => fc.record({
  kind: fc.constantFrom('cut', 'flip', 'noise'), at: fraction, bit: fc.nat(7), noise: fc.uint8Array({ minLength: 1, maxLength: 12 }),
}).map(({ kind, at, bit, noise }) => {
  const bytes = Buffer.from(text);
  const start = Math.floor(at * bytes.length);
  if (kind === 'cut') return bytes.subarray(0, start);
  if (kind === 'flip') bytes[start]! ^= 1 << bit;
  else bytes.set(noise.subarray(0, bytes.length - start), start);
  return bytes;
});

/** Values of any type, and names that a file system or an object might stumble over. */
const hostile = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 0.5, 1e308, '', ' ', '\0', '__proto__', 'constructor', '../../../etc/passwd', '/etc/passwd', 'a\0b', '\ud800', [], {}, [[]], 'x'.repeat(5000)),
  fc.jsonValue({ maxDepth: 2 }),
);

/** A document with a value of another kind, or none, at one of its places. */
const ofValues = (text: string): fc.Arbitrary<Buffer> => fc.record({ place: fraction, value: hostile, remove: fc.boolean() })
  .map(({ place, value, remove }) => Buffer.from(JSON.stringify(replaceAt(JSON.parse(text), place, value, remove))));

const damaged = (text: string): fc.Arbitrary<Buffer> => fc.oneof(ofBytes(text), ofValues(text));

describe('damaged files of the command line', function () {
  this.timeout(300_000);
  let folder: string;
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-damaged-')); });
  afterEach(() => rmSync(folder, { recursive: true }));

  it(`${CASES} configurations of a run give a request or one error`, async () => {
    const file = join(folder, 'config.yaml');
    const text = JSON.stringify({
      suite: 'domain-mini', size: 'quick', orders: ['short', 1], seeds: [1, 2], threads: 1, device: 'cpu',
      methods: ['zero-shot', { name: 'ewc', options: { lambda: 3, gamma: 0.5 } }], out: './runs/x',
    }, null, 1);
    let [refused, resolved] = [0, 0];
    await fc.assert(fc.asyncProperty(damaged(text), async (bytes) => {
      writeFileSync(file, bytes);
      let request: ReturnType<typeof readConfigurationFile> | undefined;
      if (await soundly(() => { request = readConfigurationFile(file); }, /^LETHE_USAGE$/) !== 'used') refused += 1;
      // what the file's schema lets pass is checked against what there is; a model might be asked of the hub
      if (request === undefined || request.model !== undefined || ++resolved > WHOLE) return;
      await soundly(() => resolveRequest(request!, [], () => undefined), /^LETHE_/, false);
    }), { numRuns: CASES, seed: 1 });
    expect(refused).to.be.above(CASES / 4);
    expect(resolved).to.be.at.least(WHOLE);
    expect(readdirSync(folder)).to.deep.equal(['config.yaml']);
  });

  it(`${CASES} records of runs are as they were written or give one error, whatever they are read for`, async () => {
    const run = join(folder, 'run');
    mkdirSync(run);
    const text = recordText({ methods: [{ id: 'zero-shot' }, { id: 'ewc', label: 'mild', options: { lambda: 3 } }], seeds: [1, 2] });
    const call = (...args: string[]) => createProgram({ data: () => undefined, note: () => undefined, colour: pc.createColors(false) }).parseAsync(args, { from: 'user' });
    const codes = new Map<string, number>();
    await fc.assert(fc.asyncProperty(damaged(text), async (bytes) => {
      writeFileSync(join(run, 'run.json'), bytes);
      const outcome = await soundly(() => readRecord(run), /^LETHE_RUN_(DAMAGED|VERSION|MISSING)$/);
      const [code, count] = outcome === 'used' ? [outcome, codes.get(outcome) ?? 0] : [outcome.code, codes.get(outcome.code) ?? 0];
      codes.set(code, count + 1);
      // the commands that read it, a few times for each answer
      if (count >= 2) return;
      await soundly(() => call('resume', run), outcome === 'used' ? /^LETHE_RUN_CHANGED$/ : new RegExp(`^${code}$`));
      await soundly(() => call('publish', run, '--entries', join(folder, 'entries')), outcome === 'used' ? /^LETHE_RUN_(STOPPED|MISSING)$/ : /^LETHE_RUN_/);
    }), { numRuns: CASES, seed: 4 });
    expect([...codes.keys()]).to.include.members(['used', 'LETHE_RUN_DAMAGED', 'LETHE_RUN_VERSION']);
    expect(readdirSync(folder)).to.deep.equal(['run']);
  });

  it(`${CASES} manifests of plugins give a manifest or one error`, async () => {
    const file = join(folder, 'plugin.json');
    let refused = 0;
    await fc.assert(fc.asyncProperty(damaged(readFileSync(join(PATHS.plugins, 'ewc', 'plugin.json'), 'utf8')), async (bytes) => {
      writeFileSync(file, bytes);
      if (await soundly(() => readManifest(file), /^LETHE_PLUGIN_(MANIFEST|VERSION|DEPENDENCY|OPTIONS)$/) !== 'used') refused += 1;
    }), { numRuns: CASES, seed: 2 });
    expect(refused).to.be.above(CASES / 4);
  });

  it(`${CASES} entries of the leaderboard give numbers that hold or one error, and no site with an error`, async () => {
    const [matrix, general] = [[[0.5, 0], [1, 0.5], [0.5, 1]], { base: {}, final: {} }];
    const run: CompletedRun = {
      status: 'completed', suite: { id: 'letters', version: '1.0.0', size: 'full' },
      method: { id: 'a', version: '1.0.0', options: { x: 1 }, capabilities: { rehearsal: false, taskIdentity: false, growth: 'none', bound: false } },
      model: { id: 'tiny', sha256: sha256('tiny') }, order: { id: '1', tasks: ['x', 'y'] }, seed: 1,
      training: { epochs: 1, batch: 4, learningRate: 1e-3, warmup: 0.1, weightDecay: 0, clip: 1, rank: 2, alpha: 4, sites: ['q'], maxTokens: 32 },
      matrix, general, metrics: metricsOf(matrix, general),
      predictions: {
        x: { answers: [0, 1], chosen: [[0, 0], [0, 1], [1, 1]] },
        y: { scorer: 'exact-match', references: [['b'], ['c']], written: [['', ''], ['b', ''], ['b', 'c']] },
      },
      cost: { trainableParameters: 1, storedBytes: 4, addedParameters: 1, trainTokens: 9, trainSeconds: 1, evalSeconds: 1, peakBytes: 1 },
      environment: { device: 'cpu', threads: 1, lethe: '0.1.0', node: 'v20', dataSha256: { x: '0'.repeat(64), y: '1'.repeat(64) }, git: null },
    };
    const [source, entries, site] = ['run', 'entries', 'site'].map((name) => join(folder, name)) as [string, string, string];
    mkdirSync(source);
    writeFileSync(join(source, 'results.json'), JSON.stringify({ schema: 'lethe.results/1', sha256: resultsHash([run]), runs: [run] }));
    const entry = await publishRuns([source], entries, {
      method: () => ({
        note: { version: '1.0.0', description: 'One.', paper: null, defaults: { x: 0 } }, stream: 'continual', capabilities: () => run.method.capabilities, accepts: () => true,
      }),
      suite: () => undefined,
      rows: async () => undefined,
    });
    const text = readFileSync(entry, 'utf8');
    let [refused, built] = [0, 0];
    await fc.assert(fc.asyncProperty(damaged(text), async (bytes) => {
      writeFileSync(entry, bytes);
      const codes = /^LETHE_(RESULTS_INVALID|RUN_STOPPED)$/;
      const outcome = await soundly(() => readEntry(entry), codes);
      if (outcome !== 'used') refused += 1;
      if (outcome !== 'used' ? refused > WHOLE : built++ >= WHOLE) return;
      expect(await soundly(() => buildSite(entries, site), codes) === 'used').to.equal(outcome === 'used');
      expect(readdirSync(folder).sort()).to.deep.equal(outcome === 'used' ? ['entries', 'run', 'site'] : ['entries', 'run']);
      rmSync(site, { recursive: true, force: true });
    }), { numRuns: CASES, seed: 3 });
    expect(refused).to.be.above(CASES / 2);
  });
});
