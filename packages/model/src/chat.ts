import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LetheError } from '@lethe/core';
import type { Template } from '@huggingface/jinja';
import { TODAY, writeToday } from './date.js';
import type { Tokenizer } from './types.js';

/** Where Transformers keeps the template of a chat: in a file of its own, or in the settings of the tokenizer. */
export const CHAT_TEMPLATE = 'chat_template.jinja';
export const TOKENIZER_SETTINGS = 'tokenizer_config.json';
/** Where older versions kept the special tokens. */
export const SPECIAL_TOKENS = 'special_tokens_map.json';

/** What templates ask for the date by. */
const NOW = 'strftime_now';

/** One turn of a conversation. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** How a model was tuned to be talked to. */
export interface ChatTemplate {
  /** Of the template, the tokens that it is given, and the day where it asks for that. */
  readonly sha256: string;
  /**
   * A conversation as the text that the model reads, as `apply_chat_template` of Transformers gives it.
   *
   * @param prompt whether the answer of the model is to follow
   * @throws LETHE_MODEL_CHAT where the template refuses the conversation
   */
  render(messages: readonly Message[], prompt: boolean): string;
}

const refuse = (message: string, where: string, remedy: string, cause?: unknown) =>
  new LetheError('LETHE_MODEL_CHAT', message, { where, remedy, cause });

type Settings = Readonly<Record<string, unknown>>;

/** Special tokens by the names that templates know them by. Files hold each as a text, or as an object with its text. */
function specialTokens(settings: Settings): Record<string, string> {
  const textOf = (value: unknown) => (typeof value === 'object' && value !== null && 'content' in value ? value.content : value);
  return Object.fromEntries(Object.entries(settings).flatMap(([name, value]): [string, string][] => {
    const text = name.endsWith('_token') ? textOf(value) : undefined;
    return typeof text === 'string' ? [[name, text]] : [];
  }));
}

/** The settings with the special tokens of a file of their own. As in Transformers, that is read where the settings list no tokens, and comes first. */
async function withTokens(directory: string, settings: Settings): Promise<Settings> {
  return 'added_tokens_decoder' in settings ? settings : { ...settings, ...await settingsOf(join(directory, SPECIAL_TOKENS)) };
}

/** The template among the settings: one text, or several by name, of which the one for plain conversations is called `default`. */
function templateIn({ chat_template: given }: Settings): string | undefined {
  const list: readonly unknown[] = Array.isArray(given) ? given : [{ name: 'default', template: given }];
  const found = list.find((entry) => (entry as { name?: unknown } | null)?.name === 'default') as { template?: unknown } | undefined;
  return typeof found?.template === 'string' ? found.template : undefined;
}

async function settingsOf(file: string): Promise<Settings> {
  if (!existsSync(file)) return {};
  try {
    const json: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Settings;
  } catch (cause) {
    throw refuse('The settings of the tokenizer are not JSON.', file, 'Copy or download the file again.', cause);
  }
  throw refuse('The settings of the tokenizer are not a JSON object.', file, 'Copy or download the file again.');
}

/**
 * Reads the chat template of a model's folder: `chat_template.jinja`, else that of `tokenizer_config.json`. Templates are told
 * {@link TODAY}, and that there are neither tools nor documents.
 *
 * @throws LETHE_MODEL_CHAT where there is none, or one that cannot be read
 */
export async function readChatTemplate(directory: string): Promise<ChatTemplate> {
  const [own, settingsFile] = [join(directory, CHAT_TEMPLATE), join(directory, TOKENIZER_SETTINGS)];
  const settings = await settingsOf(settingsFile);
  const [file, source] = existsSync(own) ? [own, await readFile(own, 'utf8')] : [settingsFile, templateIn(settings)];
  if (source === undefined) {
    throw refuse(`The model has no chat template: neither ${CHAT_TEMPLATE} nor "chat_template" in ${TOKENIZER_SETTINGS}.`, directory,
      'Run without --chat, or choose a model that was tuned to converse.');
  }
  const tokens = specialTokens(await withTokens(directory, settings));
  // loaded for chats only: most runs have none
  const jinja = await import('@huggingface/jinja');
  let template: Template;
  try {
    template = new jinja.Template(source);
  } catch (cause) {
    throw refuse(`The chat template cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, file, 'Copy or download the file again.', cause);
  }
  const dated = source.includes(NOW);
  // the library's own function tells the time, and cannot be replaced by a variable
  if (dated) template.parsed.body.unshift(...new jinja.Template(`{% set ${NOW} = lethe_today %}`).parsed.body);
  return {
    sha256: createHash('sha256').update(JSON.stringify([source, tokens, ...(dated ? [TODAY] : [])])).digest('hex'),
    render(messages, prompt) {
      try {
        const given = { ...tokens, ...(dated && { lethe_today: writeToday }), tools: null, documents: null };
        return template.render({ ...given, messages, add_generation_prompt: prompt });
      } catch (cause) {
        throw refuse(`The chat template refuses a conversation: ${cause instanceof Error ? cause.message : String(cause)}`, file,
          'Run without --chat, or correct the template.', cause);
      }
    },
  };
}

/** Messages that have no character in common, so that what their conversations share is the template's; and an answer to be found again. */
const [ONE, OTHER, ANSWER] = ['a', '7', 'the answer'];

/** How many items two lists begin with in common. */
function shared(a: readonly number[], b: readonly number[]): number {
  const end = a.findIndex((item, i) => item !== b[i]);
  return end < 0 ? a.length : end;
}

/** What a template writes around an answer, after the text that asks for it. */
function aroundAnswers({ render }: ChatTemplate): { readonly before: string; readonly after: string } {
  const question: Message = { role: 'user', content: ONE };
  const asked = render([question], true);
  const whole = render([question, { role: 'assistant', content: ANSWER }], false);
  const at = whole.startsWith(asked) ? whole.indexOf(ANSWER, asked.length) : -1;
  return at < 0 ? { before: '', after: '' } : { before: whole.slice(asked.length, at), after: whole.slice(at + ANSWER.length) };
}

/**
 * The tokenizer of a model that is talked to: a prompt is what a user says, and an answer what the model says then. The frame of prompts
 * is what the template puts around a message; an answer begins with what it puts before one, and ends with the first token behind one
 * that ends a text.
 */
export function chatTokenizer(tokenizer: Tokenizer, template: ChatTemplate): Tokenizer {
  const tokensOf = (content: string) => tokenizer.encode(template.render([{ role: 'user', content }], true));
  const [one, other] = [tokensOf(ONE), tokensOf(OTHER)];
  const before = one.slice(0, shared(one, other));
  const [rest, otherRest] = [one, other].map((tokens) => tokens.slice(before.length).reverse()) as [number[], number[]];
  const after = rest.slice(0, shared(rest, otherRest)).reverse();
  const answers = aroundAnswers(template);
  const { stops = [tokenizer.endOfText] } = tokenizer;
  const end = tokenizer.encode(answers.after, 'answer').find((token) => stops.includes(token)) ?? tokenizer.endOfText;
  return {
    ...tokenizer,
    frame: { before, after },
    endOfText: end,
    encode(text, place = 'prompt') {
      if (place === 'answer') return tokenizer.encode(answers.before + text.trimStart(), 'answer');
      const whole = tokensOf(text);
      const inner = whole.slice(before.length, whole.length - after.length);
      const framed = [...before, ...inner, ...after];
      // a message whose first or last characters share a token with the template is cut there: the text is the same
      return framed.length === whole.length && framed.every((id, i) => id === whole[i]) ? inner : tokenizer.encode(text, 'answer');
    },
  };
}
