/** The figures that there are. */
export const KINDS = ['stream', 'tradeoff'] as const;

/** The flags of `lethe plot`. */
export interface PlotFlags {
  readonly out: string;
  readonly kind: (typeof KINDS)[number];
  readonly methods?: string;
  readonly plugins?: readonly string[];
}
