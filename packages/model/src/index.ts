export type { Adapt, BatchTensors, LanguageModel, ModelConfig, Tokenizer } from './types.js';
