export type { Adapt, BatchTensors, LanguageModel, ModelConfig, Targets, Tokenizer } from './types.js';
export { loadModel } from './load.js';
export { type StoredTensor, readSafetensors, writeSafetensors } from './safetensors.js';
export { parseConfig, sitesOf } from './config.js';
export { type WeightEntry, layoutOf, transpose } from './layout.js';
export { features, hidden, logProbabilities } from './llama.js';
export { parseTokenizer } from './tokenizer.js';
export { readAdapter } from './peft/read.js';
export { writeAdapter } from './peft/write.js';
