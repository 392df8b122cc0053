import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { LetheError, sizeOf } from '@lethe/core';
import { configure, hidden, sitesOf } from './architectures/index.js';
import { chatTokenizer, readChatTemplate } from './chat.js';
import { features } from './features.js';
import { Fields } from './fields.js';
import { logProbabilities, logits } from './head.js';
import { embed } from './pass.js';
import { REMEDY, cannotRead } from './missing.js';
import { openPlugin } from './plugin.js';
import { parseTokenizer } from './tokenizer.js';
import type { LanguageModel } from './types.js';
import { readWeights } from './weights.js';

/** Runs `read`; what the file system throws becomes LETHE_MODEL_MISSING with the file's name. */
async function present<T>(path: string, read: (path: string) => Promise<T>): Promise<T> {
  try {
    return await read(path);
  } catch (cause) {
    const { code, path: file = path } = cause as NodeJS.ErrnoException;
    if (code === undefined || cause instanceof LetheError) throw cause;
    throw cannotRead(file, code, cause);
  }
}

async function checkFolder(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory()) return;
  const message = found ? 'The path of the model is a file; a folder is wanted.' : 'The folder of the model does not exist.';
  throw new LetheError('LETHE_MODEL_MISSING', message, { where: directory, remedy: REMEDY });
}

/** Models whose weights take no more bytes than this as 32-bit floats are held in memory. */
const HELD = 64 * 2 ** 20;

/**
 * Loads a checkpoint from a folder with `config.json`, `tokenizer.json` and `model.safetensors`, or its index and shards;
 * `generation_config.json` is read for the tokens that end a text, where it is there. Where a `plugin.json` is there, the model has its
 * name, and the architecture that its module brings.
 * Throws LETHE_MODEL_MISSING, LETHE_MODEL_CONFIG, LETHE_MODEL_WEIGHTS, LETHE_MODEL_TOKENIZER, LETHE_MODEL_CHAT or LETHE_MODEL_CODE, each
 * naming the file, and the errors of {@link openPlugin}.
 *
 * @param chat whether prompts are put into the model's chat template, which is then part of what its sha256 is of
 */
export async function loadModel(directory: string, { held = HELD, chat = false }: { held?: number; chat?: boolean } = {}): Promise<LanguageModel> {
  await checkFolder(directory);
  const plugin = await openPlugin(directory);
  const template = chat ? await readChatTemplate(directory) : undefined;
  const [configFile, generationFile, tokenizerFile] =
    ['config.json', 'generation_config.json', 'tokenizer.json'].map((name) => join(directory, name)) as [string, string, string];
  const configBytes = await present(configFile, (file) => readFile(file));
  const fields = Fields.parse(configBytes.toString('utf8'), configFile);
  const config = configure(fields, plugin?.code && [plugin.code.architecture]);
  const ends = [...fields.tokens('eos_token_id', config.vocabSize)];
  const generationBytes = existsSync(generationFile) ? await present(generationFile, (file) => readFile(file)) : undefined;
  if (generationBytes) ends.push(...Fields.parse(generationBytes.toString('utf8'), generationFile).tokens('eos_token_id', config.vocabSize));
  const tokenizerBytes = await present(tokenizerFile, (file) => readFile(file));
  const tokenizer = parseTokenizer(tokenizerBytes.toString('utf8'), tokenizerFile, config.vocabSize, [...new Set(ends)], config.decoderStart);
  const { weights, sha256 } = await present(directory, (folder) => readWeights(folder, config, held));
  const hash = createHash('sha256');
  // Each file's own digest goes in, so that no byte can move from one file to the next unseen.
  for (const bytes of [configBytes, ...(generationBytes ? [generationBytes] : []), tokenizerBytes]) hash.update(createHash('sha256').update(bytes).digest());
  hash.update(sha256);
  if (template) hash.update(template.sha256);
  if (plugin?.code) hash.update(`code ${plugin.code.sha256}`);
  return {
    id: plugin?.name ?? basename(resolve(directory)),
    sha256: hash.digest('hex'),
    config,
    ...(template ? { tokenizer: chatTokenizer(tokenizer, template), chat: true } : { tokenizer }),
    parameters: [...new Set(Object.values(weights))].reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    sites: sitesOf(config),
    weights,
    embed,
    hidden: (batch, tensors, adapt, memory) => hidden(config, batch, tensors, adapt, memory),
    logits: (states, tensors) => logits(config, states, tensors),
    logProbabilities: (states, targets, tensors) => logProbabilities(config, states, targets, tensors),
    features: (batch, tensors) => features(config, batch, tensors),
    featureSize: 2 * config.hiddenSize,
  };
}
