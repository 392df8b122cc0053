/** What an architecture is made of: all that a model plugin needs to bring one (README, "An architecture of your own"). */
export type { Architecture } from './architecture.js';
export type { BatchTensors, Dimensions, ModelConfig, SourceTensors } from './types.js';
export type { Fields } from './fields.js';
export { type Block, blockSites, layerBlocks } from './sites.js';
export { type Part, type StoredSite, type WeightEntry, normWeights, perLayer, siteWeights, table, vector } from './layout.js';
export type { Pass, Readers } from './pass.js';
export type { KeysValues } from './memory.js';
export { type Place, attention, mix, split } from './attention.js';
export { type Rope, type RopeScaling, readRope, readRotaryShare, ropeSection, rotaryPlace } from './rotary.js';
export { distanceBias, pairBias } from './relative.js';
export { ACTIVATIONS, type Activation, feedForward, gated, gatedFeedForward, readActivation } from './mlp.js';
export { layerNorm } from './norm.js';
export { rmsNorm } from '@lethe/engine';
