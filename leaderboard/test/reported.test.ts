import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { METRICS } from '@lethe/metrics';
import { expect } from 'chai';
import { buildSite, publishRuns, readReported } from '../src/index.js';
import { completed, describer, stream, writeRun } from './fixture.js';

describe('reported numbers', () => {
  let folder: string;
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-reported-')); });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('come with source, protocol and model, and hold no metric that Lethe does not define', () => {
    const tables = readReported();
    expect(new Set(tables.map(({ suite }) => suite))).to.deep.equal(new Set(['long-sequence', 'standard-cl', 'superni', 'trace']));
    const ids = METRICS.map(({ id }) => id);
    for (const { rows, metrics, source, protocol, model } of tables) {
      expect([source, protocol, model].every((text) => text.length > 2)).to.equal(true);
      expect(metrics.length).to.be.above(0);
      for (const { values } of rows) expect(ids).to.include.members(Object.keys(values));
      // one row a method: what is there twice would be two protocols
      expect(new Set(rows.map(({ method }) => method)).size).to.equal(rows.length);
    }
  });

  it('have the signs of the metrics: forgetting is no gain, transfer after losses is none', () => {
    for (const { rows } of readReported()) {
      for (const { values } of rows) {
        if ('forgetting' in values) expect(values['forgetting']).to.be.above(0);
        if ('negativeBackwardTransfer' in values) expect(values['negativeBackwardTransfer']).to.be.below(0);
      }
    }
  });

  it('are refused with the line of the fault', () => {
    const file = join(folder, 'x.yaml');
    const lines = ['suite: x', 'tables:', '  - id: a', '    title: A', '    source: B', '    seen: paper', '    model: M', '    protocol: P', '    rows:', '      - {method: m, averageAccuracy: 50}'];
    const faultOf = (line: number, text: string) => {
      writeFileSync(file, lines.map((known, i) => (i === line - 1 ? text : known)).join('\n'));
      try {
        readReported(folder);
      } catch (error) {
        const { code, where, message } = error as { code: string; where: string; message: string };
        expect(code).to.equal('LETHE_REPORTED_INVALID');
        return `${where.slice(folder.length + 1)} ${message}`;
      }
      return 'nowhere';
    };
    expect(faultOf(1, 'suite: x')).to.equal('nowhere');
    expect(faultOf(10, '      - {method: m, averageAcuracy: 50}')).to.contain('x.yaml:10').and.contain('Did you mean "averageAccuracy"?');
    expect(faultOf(10, '      - {method: m, averageAccuracy: 500}')).to.contain('x.yaml:10');
    expect(faultOf(6, '    seen: heard')).to.contain('x.yaml:6').and.contain('paper, reproduced, logs');
    expect(faultOf(5, '    sauce: B')).to.contain('x.yaml:5').and.contain('Did you mean "source"?');
    expect(faultOf(2, 'tables: [')).to.contain('not valid YAML');
    expect(faultOf(10, `${lines[9]}\n${lines.slice(2).join('\n')}`)).to.contain('there twice');
  });

  it('are on the page beside runs of their suite, marked, and never in its table', async () => {
    const entries = join(folder, 'entries');
    await mkdir(entries);
    await publishRuns([await writeRun(join(folder, 'run'), [completed({ suite: { id: 'trace' } }, stream(0.9, 0.1))])], entries, describer);
    await buildSite(entries, join(folder, 'site'));
    const index = await readFile(join(folder, 'site', 'index.html'), 'utf8');
    const [slug] = /trace[\w.-]+(?=\/index.html)/.exec(index)!;
    const page = await readFile(join(folder, 'site', slug, 'index.html'), 'utf8');
    expect(page).to.contain('Reported by papers for trace, not measured here').and.contain('LoraSeqFT').and.contain('class="tag">reported<');
    expect(index.split('id="reported"')[1]).to.contain('Reported by papers for superni').and.not.contain('LoraSeqFT');
    const board = /<table class="board sortable">.*?<\/table>/s.exec(page)![0];
    expect(board).not.to.contain('LoraSeqFT').and.not.contain('reported');
  });
});
