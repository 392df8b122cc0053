/** What a chart is drawn with: those of the page, which follow its reader's light or dark, or those of a file, which must stand alone. */
export interface Theme {
  readonly ink: string;
  readonly muted: string;
  readonly strong: string;
  readonly line: string;
  readonly accent: string;
  readonly page: string;
  /** What is behind all of it. */
  readonly ground: string;
}

export const PAGE: Theme = {
  ink: 'var(--ink)', muted: 'var(--muted)', strong: 'var(--strong)', line: 'var(--line)', accent: 'var(--accent)', page: 'var(--page)', ground: 'transparent',
};

/** Black on white, as paper is. */
export const PRINT: Theme = { ink: '#15191f', muted: '#59636f', strong: '#b9c0ca', line: '#dde1e7', accent: '#0b5cad', page: '#ffffff', ground: '#ffffff' };

/** How an axis is drawn. */
export const axisOf = ({ muted, strong, line }: Theme) => ({
  type: 'value' as const, nameLocation: 'middle' as const, nameTextStyle: { color: muted },
  axisLine: { lineStyle: { color: strong } }, axisLabel: { color: muted }, splitLine: { lineStyle: { color: line } },
});
