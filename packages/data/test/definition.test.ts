import { expect } from 'chai';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readSuiteFile } from '../src/index.js';
import { INSTALLED, OwnSuite, YAML, errorOf, lineOf } from './support.js';

describe('suite file', () => {
  let suite: OwnSuite;
  beforeEach(() => { suite = new OwnSuite(); });
  afterEach(() => rmSync(suite.folder, { recursive: true }));

  it('reads a sound one with defaults filled in', () => {
    const { tasks, orders, sizes } = readSuiteFile(suite.file);
    expect(tasks.map((task) => task.rows === 'files' && task.folder)).to.deep.equal(['tickets', 'mails']);
    expect(tasks[1]).to.have.property('labels').that.deep.equals([{ output: 'hr', answer: 'personnel' }, { output: 'fin', answer: 'finance' }]);
    expect(orders).to.deep.equal([{ id: '1', tasks: ['tickets', 'mails'] }, { id: '2', tasks: ['mails', 'tickets'] }]);
    expect(Object.keys(sizes)).to.deep.equal(['full', 'mini']);
  });

  /** What is put into the file instead of what, what the message says, and what stands on the line that is named. */
  const faults: readonly (readonly [name: string, from: string, to: string, message: string, line: string])[] = [
    ['an unknown field', 'licence:', 'license:', 'unknown field "license". Did you mean "licence"?', 'license:'],
    ['an unknown field of a task', 'title: Mails', 'titel: Mails', 'unknown field "titel". Did you mean "title"?', 'titel'],
    ['an unknown field whose value is on other lines', 'orders:', 'ordres:', 'unknown field "ordres". Did you mean "orders"?', 'ordres:'],
    ['a field of another type', 'version: 1.0.0', 'version: 1.0', '"version" must be a semantic version, such as 1.0.0, not 1', 'version:'],
    ['a value out of range', 'warmup: 0.1', 'warmup: 2', '"training.warmup" must be at most 1, not 2', 'training:'],
    ['an unknown site', 'sites: [q, v]', 'sites: [q, w]', 'q, k, v, o, gate, up, down', 'training:'],
    ['a size without test rows', 'test: 6', 'test: 0', 'size "mini" has no test rows', 'mini:'],
    ['a count that is none', 'train: 20', 'train: many', '"sizes.mini.train"', 'mini:'],
    ['no full size', '  full:', '  large:', 'has no field "full"', 'sizes:'],
    ['probe rows without probes', 'test: 6 }', 'test: 6, probe: 4 }', 'the suite has none', 'mini:'],
    ['probes without probe rows', 'orders:', 'probes: { suite: general-mini }\norders:', 'does not say how many rows of a probe', 'full:'],
    ['an order with an unknown task', '2: [mails, tickets]', '2: [mails, ticket]', 'a task "ticket" that there is not. Did you mean "tickets"?', '2: [mails'],
    ['an order with a task twice', '2: [mails, tickets]', '2: [mails, tickets, mails]', 'order "2" names task "mails" twice', '2: [mails'],
    ['two tasks of one name', 'id: mails', 'id: tickets', 'two tasks are called "tickets"', 'title: Mails'],
    ['a task without rows', ', labels: [hardware, software, accounts]', '', 'says nowhere where its rows come from', 'id: tickets'],
    ['a task with rows from two places', 'title: Mails', 'generator: true, title: Mails', 'says twice where its rows come from', 'id: mails'],
    ['a generated task with a folder', 'labels: { hr: personnel, fin: finance }', 'generator: true, folder: x', 'they have no folder', 'id: mails'],
    ['generated rows without end', 'labels: { hr: personnel, fin: finance }', 'generator: true', 'no end to generated rows', 'full:'],
    ['a single label', '[hardware, software, accounts]', '[hardware]', 'must have 2 items or more, not 1', 'id: tickets'],
    ['a label that YAML reads as no text', '[hardware, software, accounts]', '[true, false]', '"tasks.0.labels.0" must be a text, not true', 'id: tickets'],
    ['two labels with one answer', 'fin: finance', 'fin: personnel', 'two labels of task "mails" have the answer "personnel"', 'id: mails'],
    ['an answer with white space', 'fin: finance', 'fin: " finance"', 'white space', 'id: mails'],
    ['a folder outside', 'title: Mails', 'folder: ../x, title: Mails', '"tasks.1.folder" must be a folder below the data folder', 'id: mails'],
    ['a name with capitals', 'id: mails', 'id: Mails', '"tasks.1.id" must be lower case words joined by hyphens, such as my-task, not "Mails"', 'title: Mails'],
    ['a size with a name that is none', '  mini:', '  my mini:', 'a name in "sizes" must be lower case words joined by hyphens, such as my-task, not "my mini"', 'my mini:'],
    ['an alias that stands for nothing', 'seed: 1', 'seed: *nobody', '*nobody stands for nothing: no value before it is named &nobody', 'seed: *nobody'],
    ['a hash that is none', 'title: Mails', 'sha256: { train: abc, test: abc }, title: Mails', '"tasks.1.sha256.train"', 'id: mails'],
    ['a prompt without input', '  {input}\n', '', 'holds {input} exactly once', 'prompt:'],
    ['a prompt with an unknown placeholder', '{options}', '{option}', 'the prompt takes in {option}, and task "tickets" has no such field: it has input. Did you mean "options"?', 'prompt:'],
    ['a prompt that ends with white space', 'prompt: |-', 'prompt: |', 'may not end with white space', 'prompt:'],
    ['a prompt that names the suite', 'Who answers this', 'My suite asks', 'gives away the name "my-suite"', 'prompt:'],
    ['a prompt that names a task', 'Who answers this', 'Who answers these Tickets', 'gives away the name "tickets"', 'prompt:'],
    ['a prompt of a task that names its folder', 'title: Mails', 'folder: a/enron, prompt: "Enron: {input}", title: Mails', 'gives away the name "enron"', 'id: mails'],
    ['a missing prompt', 'prompt: |-\n  {input}\n  Who answers this: {options}?\n  Answer:\n', '', 'task "tickets" has no prompt', 'id: tickets'],
    ['broken YAML', 'seed: 1', 'seed: [1', 'not valid YAML', 'prompt:'],
  ];
  for (const [name, from, to, message, line] of faults) {
    it(`refuses ${name}`, async () => {
      suite.edit(from, to);
      const error = await errorOf(() => readSuiteFile(suite.file));
      expect(error.code).to.equal('LETHE_SUITE_INVALID');
      expect(error.message).to.contain(message);
      expect(error.where).to.equal(`${suite.file}:${lineOf(YAML.replace(from, to), line)}`);
      expect(error.remedy).to.be.a('string').that.is.not.empty;
    });
  }

  it('refuses a task whose rows do not fit the prompt that others share, at the task', async () => {
    const text = YAML.replace('{input}', '{text}');
    const refused = async (mails: string, tickets = 'id: tickets, inputs: [text]') => {
      suite.yaml(text.replace('id: tickets', tickets).replace('id: mails', mails));
      return errorOf(() => readSuiteFile(suite.file));
    };
    const stranger = await refused('id: mails');
    expect(stranger.message).to.equal('the prompt takes in {text}, and task "mails" has no such field: it has input.');
    expect(stranger.where).to.equal(`${suite.file}:${lineOf(text, 'title: Mails')}`);
    expect(stranger.remedy).to.contain('give the task a prompt of {input}').and.contain('inputs: [text]');
    const other = await refused('id: mails, inputs: [subject, body]');
    expect(other.message).to.contain('task "mails" has no such field: it has subject, body.');
    expect(other.remedy).to.contain('a prompt of {subject}, {body} and');
    const more = await refused('id: mails, inputs: [text, sender]');
    expect(more.message).to.equal('task "mails" has the field sender, and the prompt does not take it in: a prompt holds {sender} exactly once');
    expect(more.where).to.equal(`${suite.file}:${lineOf(text, 'title: Mails')}`);
    expect(more.remedy).to.contain('write {sender}').and.contain('a prompt of its own').and.contain('inputs without sender');
    // what fits no task is a fault of the prompt
    expect((await refused('id: mails', 'id: tickets')).where).to.equal(`${suite.file}:${lineOf(text, 'prompt:')}`);
    suite.yaml(text.replace('id: tickets', 'id: tickets, inputs: [text]').replace('id: mails', 'id: mails, prompt: "{input} Answer:"'));
    expect(readSuiteFile(suite.file).tasks).to.have.length(2);
    suite.yaml(YAML.replace('{input}', '{input} {input}'));
    expect((await errorOf(() => readSuiteFile(suite.file))).message).to.equal('the prompt takes in {input} several times: a prompt holds {input} exactly once');
  });

  it('refuses a prompt that no task uses', async () => {
    suite.yaml(YAML.replaceAll(', title', ', prompt: "{input} Answer:", title'));
    expect((await errorOf(() => readSuiteFile(suite.file))).message).to.contain('no task uses this prompt');
  });

  it('refuses probes of a suite that is one of probes itself: it has no orders', async () => {
    const probes = YAML.replace(/^training: .*\n/m, '').replace(/^sizes:\n(?: .*\n)+/m, '').replace(/^orders:\n(?: .*\n)+/m, '');
    suite.yaml(probes);
    expect(readSuiteFile(suite.file).orders).to.deep.equal([]);
    suite.yaml(`${probes}probes: { suite: general-mini }\n`);
    const error = await errorOf(() => readSuiteFile(suite.file));
    expect(error.message).to.equal('a suite without orders holds probes and has none');
    expect(error.where).to.equal(`${suite.file}:${probes.split('\n').length}`);
  });

  it('reads the example of the guide', () => {
    const [, example] = /```yaml\n(# yaml-language-server[^`]*)```/.exec(readFileSync(join(INSTALLED.suitesDir, 'README.md'), 'utf8'))!;
    suite.yaml(example!);
    expect(readSuiteFile(suite.file)).to.include({ id: 'my-suite', kind: 'domain' });
  });

  it('says which file is not there', async () => {
    const error = await errorOf(() => readSuiteFile(join(suite.folder, 'suit.yaml')));
    expect(error.code).to.equal('LETHE_SUITE_UNKNOWN');
    expect(error.where).to.equal(join(suite.folder, 'suit.yaml'));
  });

  it('has a schema in which every field is described', () => {
    const schema = JSON.parse(readFileSync(new URL('../../schemas/suite.schema.json', import.meta.url), 'utf8')) as { definitions: object };
    const bare: string[] = [];
    const visit = (node: unknown, path: string) => {
      if (typeof node !== 'object' || node === null) return;
      for (const [name, property] of Object.entries((node as { properties?: Record<string, Record<string, unknown>> }).properties ?? {})) {
        const target = property['$ref'] === undefined ? {} : (schema.definitions as Record<string, object>)[String(property['$ref']).split('/').pop()!]!;
        const counts = ['train', 'validation', 'test'].includes(name);
        if (!counts && property['description'] === undefined && !('description' in target)) bare.push(`${path}/${name}`);
      }
      for (const [key, child] of Object.entries(node)) visit(child, `${path}/${key}`);
    };
    visit(schema, '');
    expect(bare).to.deep.equal([]);
  });
});
