import { Html, html } from '../html.js';

/** A chart of the page, drawn twice, for broad and for narrow screens, with what it shows in words for those who do not see it. */
export function chartFigure(words: string, { broad, narrow }: { readonly broad: string; readonly narrow: string }, caption: Html): Html {
  return html`<figure class="chart"><div role="img" aria-label="${words}">
<div class="broad">${new Html(broad)}</div>
<div class="narrow">${new Html(narrow)}</div></div>
<figcaption>${caption}</figcaption></figure>`;
}
