import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { LETHE_VERSION } from '@lethe/core';
import { type Content, Html, html } from './html.js';

const asset = (name: string): string => readFileSync(new URL(`../../assets/${name}`, import.meta.url), 'utf8');
const STYLE = new Html(asset('style.css'));
const SCRIPT = new Html(asset('sort.js'));
const SCRIPT_HASH = `'sha256-${createHash('sha256').update(SCRIPT.text).digest('base64')}'`;

/** What marks a folder as a site that this package wrote, and may replace. */
export const GENERATOR = 'Lethe leaderboard';

export interface Page {
  readonly title: string;
  /** Where this page stands: name and address of each page above it. */
  readonly crumbs?: readonly (readonly [name: string, href: string])[];
  readonly main: Content;
}

/**
 * A whole page, with its style and script inside, so that it opens from a file and needs no network. Its policy lets a
 * browser load nothing and run nothing but that script.
 */
export function pageOf({ title, crumbs = [], main }: Page): string {
  const policy = [
    "default-src 'none'", "style-src 'unsafe-inline'", 'img-src data:', `script-src ${SCRIPT_HASH}`, "base-uri 'none'", "form-action 'none'",
  ].join('; ');
  const steps = crumbs.map(([name, href]) => html`<li><a href="${href}">${name}</a></li>`);
  const trail = crumbs.length === 0 ? null : html`<nav class="crumbs" aria-label="Breadcrumb"><ol>${steps}</ol></nav>`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="${GENERATOR}">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
${trail}
<main id="main">
${main}
</main>
<footer>Built by Lethe ${LETHE_VERSION}. Every score, metric and interval on these pages was computed from the published predictions when
they were built.</footer>
<script>${SCRIPT}</script>
</body>
</html>
`.text;
}

/** A region that scrolls sideways where its table is wider than the page; it can be reached by keyboard. */
export const wide = (label: string, table: Content): Html =>
  html`<div class="wide" role="region" aria-label="${label}" tabindex="0">${table}</div>`;

/** A word or two that mark what they stand beside. */
export const tag = (text: string): Html => html`<span class="tag">${text}</span>`;

/** A command to be copied. */
export const command = (text: string): Html => html`<pre><code>${text}</code></pre>`;

/** Terms with what they are. Terms whose value is null are left out. */
export const facts = (list: readonly (readonly [term: string, value: Content])[]): Html =>
  html`<dl>${list.map(([term, value]) => (value === null ? null : html`<dt>${term}</dt><dd>${value}</dd>`))}</dl>`;
