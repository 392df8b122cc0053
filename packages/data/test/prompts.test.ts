import { expect } from 'chai';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadSuite, readSuiteFile } from '../src/index.js';
import { INSTALLED, OwnSuite, YAML, errorOf, lineOf } from './support.js';

const DESCRIBED = 'prompts: { leaky: They name the task of a row. }\ntraining:';
const LEAKY = 'id: tickets, prompts: { leaky: "Dataset: tickets\\n{prompt}" }';

describe('other prompts of a suite', () => {
  let suite: OwnSuite;
  let text: string;
  beforeEach(() => { suite = new OwnSuite(); });
  afterEach(() => rmSync(suite.folder, { recursive: true }));
  const write = (described = DESCRIBED, task = LEAKY) => {
    text = YAML.replace('training:', described).replace('id: tickets', task);
    suite.yaml(text);
  };

  it('are used when they are asked for, and named by what was loaded; tasks without one keep their own', async () => {
    write();
    const own = await loadSuite(suite.reference());
    const leaky = await loadSuite(suite.reference({ prompts: 'leaky' }));
    expect(own).to.not.have.property('prompts');
    expect(leaky.prompts).to.equal('leaky');
    const prompts = ({ tasks }: typeof own, task: number) => tasks[task]!.test.map(({ prompt }) => prompt);
    expect(prompts(leaky, 0)).to.deep.equal(prompts(own, 0).map((prompt) => `Dataset: tickets\n${prompt}`));
    expect(prompts(leaky, 1)).to.deep.equal(prompts(own, 1));
    expect(leaky.tasks[0]!.sha256).to.not.equal(own.tasks[0]!.sha256);
    expect(leaky.tasks[1]!.sha256).to.equal(own.tasks[1]!.sha256);
  });

  it('may be whole templates', async () => {
    write(DESCRIBED, 'id: tickets, prompts: { leaky: "tickets: {input}" }');
    const { tasks: [tickets] } = await loadSuite(suite.reference({ prompts: 'leaky' }));
    expect(tickets!.test[0]!.prompt).to.equal('tickets: t test message 0');
  });

  it('that there are not are refused, with what was meant', async () => {
    write();
    const error = await errorOf(() => loadSuite(suite.reference({ prompts: 'leeky' })));
    expect([error.code, error.where]).to.deep.equal(['LETHE_SUITE_UNKNOWN', `${suite.file}:${lineOf(text, 'prompts:')}`]);
    expect(error.message).to.contain('Did you mean "leaky"?');
    suite.yaml(YAML);
    expect((await errorOf(() => loadSuite(suite.reference({ prompts: 'leaky' })))).code).to.equal('LETHE_SUITE_UNKNOWN');
  });

  for (const [title, described, task, message, piece] of [
    ['that the suite does not describe', 'training:', LEAKY, 'does not say what the prompts "leaky" are', 'id: tickets'],
    ['that no task has', DESCRIBED, 'id: tickets', 'no task has prompts called "leaky"', 'prompts:'],
    ['without the row', DESCRIBED, 'id: tickets, prompts: { leaky: "Dataset: tickets" }', 'holds {input} exactly once', 'id: tickets'],
    ['with the row twice', DESCRIBED, 'id: tickets, prompts: { leaky: "{input}{prompt}" }', 'holds {input} exactly once', 'id: tickets'],
  ] as const) {
    it(`${title} are refused, with the line`, async () => {
      write(described, task);
      const error = await errorOf(() => readSuiteFile(suite.file));
      expect(error.code).to.equal('LETHE_SUITE_INVALID');
      expect(error.message).to.contain(message);
      expect(error.where).to.equal(`${suite.file}:${lineOf(text, piece)}`);
    });
  }

  for (const [id, names] of [['standard-cl', ['dbpedia', 'amazon', 'yahoo', 'agnews']], ['long-sequence', ['MNLI', 'SST-2', 'BoolQA']]] as const) {
    it(`${id} has the lines that O-LoRA puts first, and leaves them out unless asked`, () => {
      const { tasks, prompts } = readSuiteFile(join(INSTALLED.suitesDir, id, 'suite.yaml'));
      expect(Object.keys(prompts!)).to.deep.equal(['leaky']);
      const leaky = tasks.map((task) => (task.rows === 'files' ? task.prompts!['leaky']! : ''));
      tasks.forEach((task, i) => expect(leaky[i]).to.match(/^Task:[A-Za-z]+\nDataset:[A-Za-z0-9-]+\n/).and.satisfy((text: string) => text.endsWith(task.rows === 'files' ? task.prompt : '')));
      for (const name of names) expect(leaky.filter((text) => text.includes(`\nDataset:${name}\n`))).to.have.length(1);
    });
  }
});
