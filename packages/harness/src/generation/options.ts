import { LetheError } from '@lethe/core';
import type { Sampling } from './sampling.js';

/** How to generate. */
export interface GenerationOptions extends Partial<Sampling> {
  /** The most tokens of an answer, from 1. */
  readonly maxTokens: number;
  /** What ends an answer, and is no part of it, e.g. a newline; none by default. */
  readonly stop?: readonly string[];
  /** Decides what is drawn, together with the prompt. 0 by default. */
  readonly seed?: number;
  /**
   * Rows at a time, {@link WRITING_BATCH} by default. A batch that is not full is padded to this, so that the numbers of a row do not depend on how
   * many there are; 1 is fastest for a single prompt.
   */
  readonly batch?: number;
}

/** Rows at a time where nothing is said. */
export const WRITING_BATCH = 8;

export type ResolvedOptions = Readonly<Required<Omit<GenerationOptions, 'topK'>> & Pick<GenerationOptions, 'topK'>>;

/** Options with the defaults filled in: greedy. Throws LETHE_GENERATION_OPTIONS for one that is out of range. */
export function resolveOptions(given: GenerationOptions): ResolvedOptions {
  const options = { temperature: 0, topP: 1, stop: [], seed: 0, batch: WRITING_BATCH, ...given };
  const check = (name: keyof ResolvedOptions, sound: boolean, wanted: string) => {
    if (sound) return;
    throw new LetheError('LETHE_GENERATION_OPTIONS', `"${name}" must be ${wanted}, not ${JSON.stringify(options[name] ?? null)}.`, {
      where: name, remedy: `Set ${name} to ${wanted}.`,
    });
  };
  check('maxTokens', Number.isSafeInteger(options.maxTokens) && options.maxTokens >= 1, 'a whole number from 1');
  check('batch', Number.isSafeInteger(options.batch) && options.batch >= 1, 'a whole number from 1');
  check('seed', Number.isSafeInteger(options.seed), 'a whole number');
  check('temperature', Number.isFinite(options.temperature) && options.temperature >= 0, 'a number from 0');
  check('topP', options.topP > 0 && options.topP <= 1, 'a number above 0, up to 1');
  check('topK', options.topK === undefined || (Number.isSafeInteger(options.topK) && options.topK >= 1), 'a whole number from 1');
  check('stop', options.stop.every((text) => text.length > 0), 'a list of texts that are not empty');
  return options;
}
