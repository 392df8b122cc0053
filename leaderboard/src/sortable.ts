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

/** Which way a metric is better, for the eye and for the ear. */
export const direction = (better: 1 | -1): Html => html`<small><span aria-hidden="true">${better > 0 ? '↑' : '↓'}</span>
<span class="hidden">${better > 0 ? 'higher' : 'lower'}</span> is better</small>`;
