import { expect } from 'chai';
import { rmSync } from 'node:fs';
import { loadSuite, readSuiteFile } from '../src/index.js';
import { OwnSuite, YAML, errorOf } from './support.js';

const WRITTEN = 'written: { scorer: exact-match, maxTokens: 12 }, prompt: "{input}"';

describe('what a size and a task say of training', () => {
  let suite: OwnSuite;
  beforeEach(() => { suite = new OwnSuite(); });
  afterEach(() => rmSync(suite.folder, { recursive: true }));
  const write = (mini: string, task = '') => suite.yaml(YAML.replace('mini: { train: 20, validation: 4, test: 6', `mini: { train: 20, validation: 4, test: 6${mini}`)
    .replace('title: Mails, labels: { hr: personnel, fin: finance }', `title: Mails, ${task || 'labels: { hr: personnel, fin: finance }'}`));

  it('a size changes of the budget what it names', async () => {
    write(', training: { maxTokens: 64, sites: [o] }');
    const [full, mini] = [await loadSuite(suite.reference()), await loadSuite(suite.reference({ size: 'mini' }))];
    expect(mini.training).to.deep.equal({ ...full.training, maxTokens: 64, sites: ['o'] });
  });

  it('a task has epochs of its own, but not where a size has some for all', async () => {
    write('', 'epochs: 7, labels: { hr: personnel, fin: finance }');
    const { training } = await loadSuite(suite.reference());
    expect(training.epochsOf).to.deep.equal({ mails: 7 });
    write(', training: { epochs: 2 }', 'epochs: 7, labels: { hr: personnel, fin: finance }');
    expect((await loadSuite(suite.reference())).training.epochsOf).to.deep.equal({ mails: 7 });
    const mini = (await loadSuite(suite.reference({ size: 'mini' }))).training;
    expect(mini.epochs).to.equal(2);
    expect(mini).to.not.have.property('epochsOf');
  });

  it('a request changes of the budget what it names, and the suite says what differs from its own', async () => {
    write(', training: { maxTokens: 64 }');
    const own = await loadSuite(suite.reference());
    expect(own).to.not.have.property('changed');
    const { training, changed } = await loadSuite(suite.reference({ training: { rank: 2, epochs: 4, sites: ['q', 'v', 'o'] } }));
    expect(training).to.deep.equal({ ...own.training, rank: 2, sites: ['q', 'v', 'o'] });
    expect(JSON.stringify(changed)).to.equal('{"rank":2,"sites":["q","v","o"]}');
    // what is asked for is held to the size that is asked for
    expect(await loadSuite(suite.reference({ size: 'mini', training: { maxTokens: 64 } }))).to.not.have.property('changed');
    expect((await loadSuite(suite.reference({ size: 'mini', training: { maxTokens: 128 } }))).changed).to.deep.equal({ maxTokens: 128 });
  });

  it('a schedule that is left out is the linear one, and asking for it changes nothing', async () => {
    write(', training: { schedule: cosine }');
    const of = (size: string, schedule: 'linear' | 'constant') => loadSuite(suite.reference({ size, training: { schedule } }));
    const own = await of('full', 'linear');
    expect(own).to.not.have.property('changed');
    expect(own.training).to.not.have.property('schedule');
    for (const [size, schedule] of [['full', 'constant'], ['mini', 'linear']] as const) {
      const { training, changed } = await of(size, schedule);
      expect(changed).to.deep.equal({ schedule });
      expect(training.schedule).to.equal(schedule);
    }
  });

  it('dropout that is left out is none, and asking for none changes nothing', async () => {
    write(', training: { dropout: 0.1 }');
    const of = (size: string, dropout: number) => loadSuite(suite.reference({ size, training: { dropout } }));
    const own = await of('full', 0);
    expect(own).to.not.have.property('changed');
    expect(own.training).to.not.have.property('dropout');
    expect(await of('mini', 0.1)).to.not.have.property('changed');
    for (const [size, dropout] of [['full', 0.2], ['mini', 0]] as const) {
      const { training, changed } = await of(size, dropout);
      expect(changed).to.deep.equal({ dropout });
      expect(training.dropout).to.equal(dropout);
    }
  });

  it('epochs that are asked for are those of every task', async () => {
    write('', 'epochs: 7, labels: { hr: personnel, fin: finance }');
    const { training, changed } = await loadSuite(suite.reference({ training: { epochs: 4 } }));
    expect(training.epochs).to.equal(4);
    expect(training).to.not.have.property('epochsOf');
    expect(changed).to.deep.equal({ epochs: 4 });
    expect((await loadSuite(suite.reference({ training: { rank: 2 } }))).training.epochsOf).to.deep.equal({ mails: 7 });
  });

  it('a size has shorter written answers, and never longer ones', async () => {
    for (const [size, tokens] of [['answerTokens: 5', 5], ['answerTokens: 50', 12]] as const) {
      write(`, ${size}`, WRITTEN);
      expect((await loadSuite(suite.reference({ size: 'mini' }))).tasks[1]!.written!.maxTokens).to.equal(tokens);
      expect((await loadSuite(suite.reference())).tasks[1]!.written!.maxTokens).to.equal(12);
    }
  });

  for (const [title, mini, message] of [
    ['a field that no budget has', ', training: { epoch: 2 }', 'Did you mean "epochs"?'],
    ['epochs of tasks', ', training: { epochsOf: { mails: 2 } }', 'unknown field "epochsOf"'],
    ['no epochs', ', training: { epochs: 0 }', 'epochs'],
    ['a schedule that there is not', ', training: { schedule: step }', 'linear, constant, cosine'],
    ['dropout of all', ', training: { dropout: 1 }', 'at most 0.9'],
    ['answers of no tokens', ', answerTokens: 0', 'answerTokens'],
  ] as const) {
    it(`${title} is refused`, async () => {
      write(mini);
      const error = await errorOf(() => readSuiteFile(suite.file));
      expect(error.code).to.equal('LETHE_SUITE_INVALID');
      expect(error.message).to.contain(message);
    });
  }
});
