export type { Adapt, BatchTensors, LanguageModel, ModelConfig, Tokenizer } from './types.js';
export { loadModel } from './load.js';
export { type StoredTensor, readSafetensors, writeSafetensors } from './safetensors.js';
export { parseConfig } from './config.js';
export { type WeightEntry, layoutOf, transpose } from './layout.js';
export { hidden, logProbabilities } from './llama.js';
export { parseTokenizer } from './tokenizer.js';
