import type { Site } from '@lethe/core';
import type { Tensor3D } from '@tensorflow/tfjs';
import type { Fields } from './fields.js';
import type { WeightEntry } from './layout.js';
import type { Pass } from './pass.js';
import type { Block } from './sites.js';
import type { ModelConfig } from './types.js';

/**
 * A family of models that share one computation: everything that sets it apart from the others. What they share is in the other files of
 * this package, and for plugins in `@lethe/model/parts`.
 */
export interface Architecture<C extends ModelConfig = ModelConfig> {
  /** `model_type` of the configurations that it reads. */
  readonly types: readonly string[];
  /** What the names of all weights but the head's begin with; files of a model without its head leave it out. */
  readonly prefix: string;
  /** Names of tensors that files hold although nothing is computed with them: masks, angles. */
  readonly spare: RegExp;
  /** Names of tensors that files may hold and that must be the embedding once more. */
  readonly copies?: RegExp;
  /** Reads a configuration of one of `types`. Throws LETHE_MODEL_CONFIG for what the computation has no place for. */
  configure(fields: Fields, type: string): C;
  /** Every linear layer, in the order of computation. */
  blocks(config: C): readonly Block[];
  /** Every weight and where the files hold it: one for each site, `embed`, and `head` where the embedding is not the head too. */
  layout(config: C, sites: readonly Site[]): WeightEntry[];
  /**
   * Traced. States after the final norm, (batch, n, hidden), of the tokens that the batch wants. All that a token reads of others it reads
   * through `pass`.
   */
  hidden(pass: Pass<C>): Tensor3D;
}
