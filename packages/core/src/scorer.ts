/**
 * Turns one answer into a score. Pure: the same texts give the same score on every machine, so that scores can be recomputed
 * from the predictions that results keep. The score of a task is the mean over its test rows.
 */
export interface Scorer {
  /** What suite files and results call it. A scorer whose scores change gets another id. */
  readonly id: string;
  /** What it judges: the option that the model found most likely, or text that the model wrote. */
  readonly needs: 'options' | 'text';
  /** Whether it compares with the text that was to be rewritten, besides the references. */
  readonly needsSource: boolean;
  /**
   * @param prediction what the model answered: the text of its option, or what it wrote
   * @param references right answers, at least one
   * @param source what the prediction rewrites; asked for where {@link needsSource}
   * @returns from 0 (nothing is right) to 1
   */
  score(prediction: string, references: readonly string[], source?: string): number;
}
