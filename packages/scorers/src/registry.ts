import { LetheError, type Scorer, didYouMean, loadScorer } from '@lethe/core';
import { accuracy } from './accuracy.js';
import { editSimilarity, editSimilarityPy150 } from './edit-similarity.js';
import { exactMatch, verbatim } from './exact-match.js';
import { firstCharacter } from './first-character.js';
import { numericAnswer } from './numeric-answer.js';
import { rougeL, rougeLStemmed } from './rouge-l.js';
import { rougeLTrace } from './rouge-l-trace.js';
import { sari } from './sari.js';

/** The scorers of Lethe itself. */
export const SCORERS: readonly Scorer[] = [
  accuracy, exactMatch, verbatim, firstCharacter, numericAnswer, rougeL, rougeLStemmed, rougeLTrace, sari, editSimilarity, editSimilarityPy150,
];

/** Where the scorer of a plugin lies. */
export interface ScorerPlace {
  /** Its id, which is the name of the plugin. */
  readonly id: string;
  /** Path of the compiled module that exports it. */
  readonly codePath: string;
}

/** By id, in this thread: those of Lethe, and those of plugins that were added. */
const known = new Map(SCORERS.map((scorer) => [scorer.id, scorer]));

/** What is wrong with scorers of plugins that cannot be used, by id. */
const faults = new Map<string, LetheError>();

/** Has whoever asks in this thread for the scorer of this id told what is wrong with it, where no other has the id. */
export function refuseScorer(id: string, fault: LetheError): void {
  faults.set(id, fault);
}

/**
 * Makes scorers of plugins known in this thread: suites may name them, and scores can be recomputed by them, from here on. One that is known
 * already is left as it is.
 *
 * @throws LetheError LETHE_PLUGIN_EXPORT for code that cannot be imported, is no scorer or calls itself otherwise, LETHE_PLUGIN_DUPLICATE where
 *   another scorer has the id
 */
export async function addScorers(places: readonly ScorerPlace[]): Promise<void> {
  for (const { id, codePath } of places) {
    const scorer = await loadScorer(codePath);
    if (scorer.id !== id) {
      throw new LetheError('LETHE_PLUGIN_EXPORT', `The plugin is called "${id}", and its scorer "${scorer.id}".`, {
        where: codePath, remedy: 'Give both the same name: suites and results call a scorer by it.',
      });
    }
    const other = known.get(id);
    if (other !== undefined && other !== scorer) {
      throw new LetheError('LETHE_PLUGIN_DUPLICATE', `There is another scorer called "${id}".`, { where: codePath, remedy: 'Give this one another name.' });
    }
    known.set(id, scorer);
  }
}

/** The scorer of this id, or undefined. Throws what is wrong with it where it was refused ({@link refuseScorer}). */
export function findScorer(id: string): Scorer | undefined {
  const [scorer, fault] = [known.get(id), faults.get(id)];
  if (!scorer && fault) throw fault;
  return scorer;
}

/** The ids of scorers that judge what a model writes. */
export const textScorers = (): string[] => [...known.values()].filter(({ needs }) => needs === 'text').map(({ id }) => id);

/**
 * The scorer of this id.
 *
 * @param where what asks for it, `file:line`
 * @throws LETHE_SCORER_UNKNOWN with the ids there are, and what {@link findScorer} throws
 */
export function scorerOf(id: string, where?: string): Scorer {
  const scorer = findScorer(id);
  if (scorer) return scorer;
  const ids = [...known.keys()];
  throw new LetheError('LETHE_SCORER_UNKNOWN', `There is no scorer "${id}".${didYouMean(id, ids)}`, {
    ...(where === undefined ? {} : { where }), remedy: `Choose one of: ${ids.join(', ')}.`,
  });
}
