import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { cp, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LetheError } from '@lethe/core';
import { expect } from 'chai';
import { type Message, loadModel, readChatTemplate } from '../src/index.js';
import { FIXTURES } from './spoil.js';

const CHAT = join(FIXTURES, 'chat');
const NANO = join(FIXTURES, '../../packages/model/lethe-nano');
interface Case {
  readonly messages: readonly Message[];
  readonly prompt: boolean;
  readonly text: string;
  readonly ids: readonly number[];
}
const expected = JSON.parse(readFileSync(join(CHAT, 'expected.json'), 'utf8')) as Record<string, Case[]>;

describe('a chat template', () => {
  let folder: string;
  /** A folder with lethe-nano and what is in a folder of the fixtures. */
  const modelWith = async (name: string) => {
    const made = await mkdtemp(join(folder, `${name}-`));
    await cp(NANO, made, { recursive: true });
    await cp(join(CHAT, name), made, { recursive: true });
    return made;
  };
  before(async () => { folder = await mkdtemp(join(tmpdir(), 'lethe-chat-')); });
  after(() => rmSync(folder, { recursive: true }));

  const refusal = async (action: Promise<unknown>): Promise<LetheError> => {
    const error: unknown = await action.then(() => undefined, (reason: unknown) => reason);
    expect(error).to.be.instanceOf(LetheError);
    expect(error).to.include({ code: 'LETHE_MODEL_CHAT' });
    expect((error as LetheError).remedy).to.be.a('string').that.is.not.empty;
    return error as LetheError;
  };

  for (const [name, cases] of Object.entries(expected)) {
    it(`gives conversations as transformers gives them: ${name}`, async () => {
      const template = await readChatTemplate(join(CHAT, name));
      for (const { messages, prompt, text } of cases) expect(template.render(messages, prompt), JSON.stringify(messages)).to.equal(text);
    });

    it(`puts a frame around prompts, and begins and ends answers: ${name}`, async () => {
      const { tokenizer: { frame, encode, decode, endOfText } } = await loadModel(await modelWith(name), { chat: true });
      const asked = (content: string) => [...frame!.before, ...encode(content), ...frame!.after];
      for (const [i, { messages, text, ids }] of cases.slice(0, 3).entries()) {
        const own = asked(messages[0]!.content);
        expect(decode(own)).to.equal(text);
        // the second message begins with spaces, which byte-level tokenizers join to a line's end before them
        if (i !== 1) expect(own).to.deep.equal(ids);
      }
      const { messages: [question, answer], text } = cases[3]!;
      const whole = [...asked(question!.content), ...encode(` ${answer!.content}`, 'answer'), endOfText];
      expect(text.startsWith(decode(whole)), text).to.equal(true);
      expect(endOfText).to.equal(0);
    });
  }

  it('is part of what the model is known by, and without being asked for it is none', async () => {
    const [turns, brackets] = [await modelWith('turns'), await modelWith('brackets')];
    const plain = await loadModel(NANO);
    expect((await loadModel(turns)).sha256).to.equal(plain.sha256);
    expect((await loadModel(turns)).tokenizer.encode('Is a stone hard?')).to.deep.equal(plain.tokenizer.encode('Is a stone hard?'));
    const hashes = [plain, await loadModel(turns, { chat: true }), await loadModel(brackets, { chat: true })].map(({ sha256 }) => sha256);
    expect(new Set(hashes).size).to.equal(3);
  });

  it('is told one day, whatever the clock says, and that is part of its hash', async () => {
    const made = await modelWith('turns');
    const file = join(made, 'chat_template.jinja');
    const write = async (source: string) => {
      await writeFile(file, source);
      return readChatTemplate(made);
    };
    const hashOf = (...parts: unknown[]) => createHash('sha256').update(JSON.stringify(parts)).digest('hex');
    const tokens = { bos_token: '<|endoftext|>', eos_token: '<|endoftext|>' };
    expect((await write('a')).sha256, 'of templates without a date as it was').to.equal(hashOf('a', tokens));
    // datetime(2024, 7, 26).strftime of Python 3.11 in the C locale
    const format = '%a %A %w %d %b %B %m %y %Y %H %I %p %M %S %f [%z%Z] %j %U %W %c|%x|%X|%% %G %u %V|%D %F %T %R %e %h %C|%-d %-m %-H %-I %-j';
    const written = 'Fri Friday 5 26 Jul July 07 24 2024 00 12 AM 00 00 000000 [] 208 29 30 Fri Jul 26 00:00:00 2024|07/26/24|00:00:00|% 2024 5 30'
      + '|07/26/24 2024-07-26 00:00:00 00:00 26 Jul 20|26 7 0 12 208';
    const source = `{% macro day() %}{{ strftime_now('${format}') }}{% endmacro %}{% if strftime_now is defined %}{{ day() }}{% endif %}`;
    const dated = await write(source);
    expect(dated.render([], true)).to.equal(written);
    expect(dated.sha256).to.equal(hashOf(source, tokens, '2024-07-26'));
    for (const wrong of ['%d %Q', '%', '%-Q']) {
      const unknown = await write(`{{ strftime_now('${wrong}') }}`);
      expect(() => unknown.render([], true)).to.throw(LetheError, /no directive "%.*%d .* can be written/).with.property('where', file);
    }
  });

  it('is given special tokens of either file, as transformers reads them', async () => {
    const made = await modelWith('turns');
    await writeFile(join(made, 'chat_template.jinja'), '{{ bos_token }}{{ eos_token }}{{ pad_token }}');
    await writeFile(join(made, 'special_tokens_map.json'), JSON.stringify({ bos_token: '<c>', pad_token: { content: '<p>' }, additional_special_tokens: ['<q>'] }));
    const textWith = async (settings: unknown) => {
      await writeFile(join(made, 'tokenizer_config.json'), JSON.stringify(settings));
      return (await readChatTemplate(made)).render([], true);
    };
    expect(await textWith({ bos_token: '<a>', eos_token: '<b>' })).to.equal('<c><b><p>');
    expect(await textWith({ bos_token: '<a>', eos_token: '<b>', added_tokens_decoder: {} })).to.equal('<a><b>');
    await writeFile(join(made, 'special_tokens_map.json'), '[]');
    expect(await refusal(textWith({}))).to.have.property('where', join(made, 'special_tokens_map.json'));
  });

  it('that is not there, or cannot be used, is one clear error', async () => {
    const none = await refusal(loadModel(NANO, { chat: true }));
    expect(none.describe()).to.contain('no chat template').and.contain('chat_template.jinja').and.contain('--chat').and.contain(NANO);
    const broken = await modelWith('turns');
    await writeFile(join(broken, 'chat_template.jinja'), '{% for message in messages %}');
    expect(await refusal(loadModel(broken, { chat: true }))).to.have.property('where', join(broken, 'chat_template.jinja'));
    await writeFile(join(broken, 'chat_template.jinja'), "{{ raise_exception('Never.') }}");
    expect((await refusal(loadModel(broken, { chat: true }))).message).to.contain('Never.');
    await writeFile(join(broken, 'tokenizer_config.json'), '{');
    expect(await refusal(loadModel(broken, { chat: true }))).to.have.property('where', join(broken, 'tokenizer_config.json'));
    await writeFile(join(broken, 'tokenizer_config.json'), '[]');
    expect((await refusal(loadModel(broken, { chat: true }))).message).to.contain('not a JSON object');
  });
});
