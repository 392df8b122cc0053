export type { Adapt, BatchTensors, LanguageModel, ModelConfig, Targets, Tokenizer } from './types.js';
export { loadModel } from './load.js';
export { type StoredTensor, readSafetensors, writeSafetensors } from './safetensors.js';
export { hidden, layoutOf, parseConfig, sitesOf } from './architectures/index.js';
export { type WeightEntry, transpose } from './layout.js';
export { features } from './features.js';
export { logProbabilities } from './head.js';
export { parseTokenizer } from './tokenizer.js';
