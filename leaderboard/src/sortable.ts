import { type Content, type Html, html } from './html.js';

interface HeadingOptions {
  /** The direction of the first sort. */
  readonly first: 'ascending' | 'descending';
  readonly className?: string;
  /** Sorted as text. */
  readonly text?: true;
  /** The table is sorted by it at first. */
  readonly sorted?: true;
  /** What stands below the title. */
  readonly more?: Content;
}

/** The heading of a column by which a reader can sort: `assets/sort.js` makes a button of it. */
export function heading(title: string, { first, className, text, sorted, more }: HeadingOptions): Html {
  const flags = html`${text ? html` data-text` : null}${sorted ? html` aria-sort="${first}"` : null}`;
  return html`<th scope="col" class="${className}" data-first="${first}"${flags}><span>${title}</span>${more}</th>`;
}

/** The rows of methods, and below them those of bounds, which are sorted among themselves; no body without rows. */
export const bodies = (rivals: readonly Html[], bounds: readonly Html[]): Html =>
  html`${rivals.length === 0 ? null : html`<tbody>${rivals}</tbody>`}${bounds.length === 0 ? null : html`<tbody class="bounds">${bounds}</tbody>`}`;
