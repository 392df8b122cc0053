export { type Bpe, tokenizerJson, trainBpe } from './bpe.js';
export type { PretrainOptions } from './options.js';
export { pretrain } from './pretrain.js';
export type { Progress } from './train.js';
