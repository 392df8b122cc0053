import { readFile } from 'node:fs/promises';
import { LETHE_VERSION, LetheError, createRandom, sha256 } from '@lethe/core';
import { openDevice } from '@lethe/engine';
import { type LlamaConfig, parseTokenizer } from '@lethe/model';
import { tokenizerJson, trainBpe } from './bpe.js';
import { writeCheckpoint } from './checkpoint.js';
import { documentsOf, pack } from './corpus.js';
import type { PretrainOptions } from './options.js';
import { type Progress, initialWeights, trainWeights } from './train.js';

const SPECIAL = ['<|endoftext|>'];
/** One window of so many is held out. */
const HELD_OUT = 50;

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new LetheError('LETHE_DATA_MISSING', 'The text file cannot be read.', { where: file, remedy: 'Name a text file.', cause });
  }
}

/**
 * Makes a base model from text files: learns a tokenizer, trains all weights, writes a checkpoint. The same files and options
 * give the same bytes on the same machine.
 *
 * @returns parameters and the loss on held-out windows, in nats a token
 * @throws LETHE_DATA_MISSING for a file that cannot be read, or too little text for one step
 */
export async function pretrain(
  options: PretrainOptions, onStep: (progress: Progress) => void,
): Promise<{ parameters: number; tokens: number; heldOutLoss: number | null }> {
  const texts = await Promise.all(options.files.map(readText));
  const documents = texts.flatMap(documentsOf);
  const bpe = trainBpe(documents, options.vocab, SPECIAL);
  const json = tokenizerJson(bpe, SPECIAL);
  const { seed, hidden, heads, context, epochs, batch } = options;
  const config: LlamaConfig = {
    architecture: 'llama',
    vocabSize: Object.keys(bpe.vocab).length, hiddenSize: hidden, intermediateSize: options.intermediate, layers: options.layers,
    heads, keyValueHeads: heads, headSize: hidden / heads, maxPositions: context, normEpsilon: 1e-5, ropeTheta: 10000, tiedHead: true,
  };
  const tokenizer = parseTokenizer(JSON.stringify(json), 'tokenizer.json', config.vocabSize);
  const random = createRandom(seed, 'pretrain');
  const windows = pack(random.shuffle(documents).map((text) => tokenizer.encode(text)), context, tokenizer.endOfText);
  const [training, heldOut] = [windows.filter((_, i) => i % HELD_OUT !== 0), windows.filter((_, i) => i % HELD_OUT === 0)];
  if (training.length < batch) {
    throw new LetheError('LETHE_DATA_MISSING', `The text fills ${training.length} windows of ${context} tokens; one step needs ${batch}.`, {
      where: options.files.join(', '), remedy: 'Give more text, or lower --batch or --context.',
    });
  }
  const weights = initialWeights(config, random);
  const schedule = { epochs, batch, learningRate: options.rate, warmup: 0.05, weightDecay: 0.1, clip: 1 };
  const device = await openDevice({ name: 'cpu', threads: options.threads });
  const heldOutLoss = await trainWeights(device, config, weights, training, heldOut, schedule, random, onStep);
  await device.dispose();
  const parameters = Object.values(weights).reduce((sum, { data }) => sum + data.length, 0);
  const tokens = windows.reduce((sum, { segments }) => sum + segments.filter((segment) => segment > 0).length, 0);
  await writeCheckpoint(options.out, config, json, weights, {
    lethe: LETHE_VERSION, parameters, corpusTokens: tokens, corpusSha256: texts.map((text) => sha256(text)), seed, schedule, heldOutLoss,
  });
  return { parameters, tokens, heldOutLoss };
}
