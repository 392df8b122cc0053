import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LetheError } from '@lethe/core';
import { readEntries, readEntry } from '@lethe/leaderboard';
import { metricsOf, resultsHash } from '@lethe/metrics';
import { expect } from 'chai';
import { installedPlugins } from '../src/installed.js';
import { PATHS } from '../src/paths.js';
import { describer } from '../src/publish.js';

describe('the published entries', () => {
  const names = readdirSync(PATHS.entries).filter((name) => name.endsWith('.json')).sort();
  const installed = describer(installedPlugins());
  let folder: string;
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'lethe-published-')); });
  afterEach(() => rm(folder, { recursive: true }));

  it('hold: every score, metric and command is recomputed, and what they say of methods and suites is what these say', async () => {
    const entries = await readEntries(PATHS.entries, installed);
    expect(entries.map(({ file }) => file)).to.deep.equal(names).and.not.to.deep.equal([]);
    for (const { file, entry: { results: { runs } } } of entries) {
      expect(installed.suite(runs[0]!.suite), file).to.have.property('orders');
      expect(runs.some(({ method: { id, version } }) => installed.method(id, version)), file).to.equal(true);
    }
  });

  /** What is said of an entry after a change of all of its runs, or of its sweep, whose numbers and hash are stated rightly. */
  async function refused(change: (run: any) => void, tuning: (sweep: any) => void = () => undefined): Promise<string> {
    const entry = JSON.parse(readFileSync(join(PATHS.entries, names.find((name) => name.startsWith('twins-mini-'))!), 'utf8'));
    const { runs, sweep } = entry.results;
    for (const run of runs) {
      change(run);
      run.metrics = metricsOf(run.matrix, run.general);
    }
    tuning(sweep);
    entry.results.sha256 = resultsHash(runs, sweep);
    const file = join(folder, 'entry.json');
    await writeFile(file, JSON.stringify(entry));
    return readEntry(file, installed).then(() => 'nothing', ({ message }: LetheError) => message);
  }

  it('would be refused with runs that are not as their suite asks, in whatever all of them agree', async () => {
    const drop = (run: any, id: string) => {
      delete run.predictions[id];
      delete run.environment.dataSha256[id];
    };
    expect(await refused(() => undefined)).to.equal('nothing');
    expect(await refused((run) => { run.training.learningRate *= 10; })).to.contain('The results name other training budgets of twins-mini');
    expect(await refused((run) => {
      run.training.rank *= 2;
      run.suite.changed = { rank: run.training.rank, epochs: run.training.epochs };
    }), 'a change that is none').to.contain('other training budgets of twins-mini');
    expect(await refused((run) => { run.suite.size = 'huge'; })).to.contain('other sizes or prompts of twins-mini');
    expect(await refused((run) => {
      for (const probe of Object.keys(run.general.base).slice(0, 5)) {
        drop(run, probe);
        delete run.general.base[probe];
        delete run.general.final[probe];
      }
    })).to.contain('other probes of twins-mini');
    expect(await refused((run) => {
      const { tasks } = run.order;
      const joint = run.matrix[1][0] === null;
      // the first task is taken out of every run, with the point of the stream behind it
      const [first] = [...tasks].sort();
      const at = tasks.indexOf(first);
      const point = joint ? 1 : at + 1;
      drop(run, first);
      run.matrix = run.matrix.filter((_: unknown, i: number) => i !== point).map((row: unknown[]) => row.filter((_, j) => j !== at));
      run.order.tasks = tasks.filter((_: unknown, j: number) => j !== at);
      for (const own of Object.values<any>(run.predictions)) own.chosen.splice(point, 1);
      if (at === tasks.length - 1) run.general.final = Object.fromEntries(Object.keys(run.general.base).map((probe) => {
        const { answers, chosen } = run.predictions[probe];
        return [probe, chosen.at(-1).filter((option: number, row: number) => option === answers[row]).length / answers.length];
      }));
    })).to.contain('other tasks in order');
  });

  it('would be refused with other rows or right answers than their suite makes, in which all runs agree', async () => {
    // right answers are what the method to be favoured has said
    const entry = JSON.parse(readFileSync(join(PATHS.entries, names.find((name) => name.startsWith('twins-mini-'))!), 'utf8'));
    const favoured = entry.results.runs.find(({ method }: any) => method.id === 'lora-sequential');
    const [task] = favoured.order.tasks;
    const answers = favoured.predictions[task].chosen.at(-1);
    const forge = (run: any) => {
      run.predictions[task].answers = answers;
      const share = (id: string, i: number) => {
        const { chosen, answers: own } = run.predictions[id];
        return chosen[i] && chosen[i].filter((option: number, row: number) => option === own[row]).length / own.length;
      };
      run.matrix = run.matrix.map((_: unknown, i: number) => run.order.tasks.map((id: string) => share(id, i)));
    };
    expect(await refused((run) => forge(run))).to.contain(`The results name other right answers in ${task} of twins-mini`);
    expect(await refused((run) => {
      forge(run);
      run.environment.dataSha256[task] = '0'.repeat(64);
    })).to.contain(`other rows in ${task} of twins-mini`);
  });

  it('would be refused with trials that their methods and suite do not have', async () => {
    const other = (trials: any[], chosen: number) => trials[chosen === 0 ? 1 : 0].options;
    const tuned = (sweep: any) => sweep.methods.find(({ id }: { id: string }) => id === 'lora-sequential');
    expect(await refused(() => undefined, (sweep) => { other(tuned(sweep).trials, tuned(sweep).chosen).rate = 1e9; })).to.contain('The trials name other options of lora-sequential');
    expect(await refused(() => undefined, (sweep) => { other(tuned(sweep).trials, tuned(sweep).chosen).magic = 1; })).to.contain('other options of lora-sequential');
    expect(await refused(() => undefined, (sweep) => { sweep.training.epochs += 1; })).to.contain('The trials name other training budgets of twins-mini');
    expect(await refused(() => undefined, (sweep) => { sweep.seeds = [2]; })).to.equal('Seed 2 is one of those by which options were chosen on twins-mini 1.0.0.');
    expect(await refused(() => undefined, (sweep) => {
      sweep.seeds = [2];
      sweep.suite.version = '0.9.0';
    }), 'on another suite').to.equal('nothing');
    expect(await refused(() => undefined, (sweep) => { sweep.orders[0] = 'none'; })).to.contain('tasks in order none of twins-mini');
  });
});
