import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { createHash } from 'node:crypto';
import { LetheError } from '@lethe/core';
import type { Constant } from '@lethe/engine';
import { parseConfig, sitesOf } from './config.js';
import { layoutOf, transpose } from './layout.js';
import { features, hidden, logProbabilities } from './llama.js';
import { parseSafetensors } from './safetensors.js';
import { parseTokenizer } from './tokenizer.js';
import type { LanguageModel, ModelConfig } from './types.js';

async function required(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new LetheError('LETHE_MODEL_MISSING', `The model file ${basename(file)} cannot be read.`, {
      where: file,
      remedy: 'Name a folder that holds config.json, model.safetensors and tokenizer.json.',
      cause,
    });
  }
}

function weightsOf(config: ModelConfig, bytes: Buffer, file: string): Record<string, Constant> {
  const tensors = parseSafetensors(bytes, file);
  const weights: Record<string, Constant> = {};
  for (const { name, stored, shape, transposed } of layoutOf(config)) {
    const tensor = tensors.get(stored);
    const expected = transposed ? [...shape].reverse() : shape;
    const fail = (message: string): never => {
      throw new LetheError('LETHE_MODEL_WEIGHTS', message, { where: file, remedy: 'Use the weights that belong to config.json.' });
    };
    if (!tensor) return fail(`Tensor "${stored}" is missing.`);
    if (tensor.shape.join() !== expected.join()) {
      fail(`Tensor "${stored}" has shape [${tensor.shape.join(', ')}]; the configuration asks for [${expected.join(', ')}].`);
    }
    const data = transposed ? transpose(tensor.data, expected[0]!, expected[1]!) : tensor.data;
    weights[name] = { shape, dtype: 'float32', data };
  }
  return weights;
}

/**
 * Loads a Llama-layout checkpoint from a folder with `config.json`, `model.safetensors` and `tokenizer.json`.
 * Throws LETHE_MODEL_MISSING, LETHE_MODEL_CONFIG, LETHE_MODEL_WEIGHTS or LETHE_MODEL_TOKENIZER, each naming the file.
 */
export async function loadModel(directory: string): Promise<LanguageModel> {
  const files = ['config.json', 'tokenizer.json', 'model.safetensors'].map((name) => join(directory, name));
  const [configFile, tokenizerFile, weightsFile] = files as [string, string, string];
  const bytes = [await required(configFile), await required(tokenizerFile), await required(weightsFile)] as const;
  const config = parseConfig(bytes[0].toString('utf8'), configFile);
  const tokenizer = parseTokenizer(bytes[1].toString('utf8'), tokenizerFile, config.vocabSize);
  const weights = weightsOf(config, bytes[2], weightsFile);
  const hash = createHash('sha256');
  // Each file's own digest goes in, so that no byte can move from one file to the next unseen.
  for (const file of bytes) hash.update(createHash('sha256').update(file).digest());
  return {
    id: basename(resolve(directory)),
    sha256: hash.digest('hex'),
    config,
    tokenizer,
    parameters: Object.values(weights).reduce((sum, { data }) => sum + data.length, 0),
    sites: sitesOf(config),
    weights,
    hidden: (batch, tensors, adapt) => hidden(config, batch, tensors, adapt),
    logProbabilities: (states, targets, tensors) => logProbabilities(config, states, targets, tensors),
    features: (batch, tensors) => features(config, batch, tensors),
    featureSize: 2 * config.hiddenSize,
  };
}
