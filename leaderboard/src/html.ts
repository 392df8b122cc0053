/** Text that is HTML already. Made by {@link html} only, so that no text of an entry reaches a page unescaped. */
export class Html {
  constructor(readonly text: string) {}
}

export type Content = Html | string | number | null | undefined | readonly Content[];

const NAMES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function text(content: Content): string {
  if (content === null || content === undefined) return '';
  if (content instanceof Html) return content.text;
  if (typeof content === 'object') return content.map(text).join('');
  return String(content).replace(/[&<>"']/g, (c) => NAMES[c]!);
}

/** A template of HTML: what is put into it is escaped, unless it is HTML itself. Lists are joined, null is nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(parts.reduce((all, part, i) => all + text(values[i - 1]) + part));
}
