/** A window of token ids: documents side by side, each reading only itself. */
export interface Window {
  /** (context) ids, padded with 0. */
  readonly ids: Int32Array;
  /** (context) positions, from 0 in every document. */
  readonly positions: Int32Array;
  /** (context) 0 for padding, 2 and up for the documents. */
  readonly segments: Int32Array;
}

/** The documents of a text: what blank lines separate. */
export function documentsOf(text: string): string[] {
  return text.split(/\n\s*\n/).map((document) => document.trim()).filter((document) => document !== '');
}

/**
 * Packs documents into windows of `context` tokens in their order, each followed by the end-of-text token. A document that
 * does not fit goes on in the next window.
 */
export function pack(documents: Iterable<readonly number[]>, context: number, endOfText: number): Window[] {
  const windows: Window[] = [];
  let window: Window | undefined;
  let [at, segment] = [0, 2];
  for (const document of documents) {
    const tokens = [...document, endOfText];
    for (let start = 0; start < tokens.length; segment++) {
      if (!window || at === context) {
        window = { ids: new Int32Array(context), positions: new Int32Array(context), segments: new Int32Array(context) };
        windows.push(window);
        [at, segment] = [0, 2];
      }
      const count = Math.min(tokens.length - start, context - at);
      for (let i = 0; i < count; i++) {
        window.ids[at + i] = tokens[start + i]!;
        window.positions[at + i] = i;
        window.segments[at + i] = segment;
      }
      at += count;
      start += count;
    }
  }
  return windows;
}

/** Several windows as the inputs of one step: every token that has a successor in its document is asked for it. */
export function batchOf(windows: readonly Window[], context: number) {
  const cells = windows.length * context;
  const [ids, positions, segments] = [new Int32Array(cells), new Int32Array(cells), new Int32Array(cells)];
  const [index, token, weight] = [new Int32Array(cells), new Int32Array(cells), new Float32Array(cells)];
  windows.forEach((window, row) => {
    ids.set(window.ids, row * context);
    positions.set(window.positions, row * context);
    segments.set(window.segments, row * context);
  });
  let targets = 0;
  for (let cell = 0; cell < cells; cell++) {
    index[cell] = cell;
    const last = cell % context === context - 1;
    if (last || segments[cell] === 0 || segments[cell] !== segments[cell + 1]) continue;
    token[cell] = ids[cell + 1]!;
    weight[cell] = 1;
    targets++;
  }
  for (let cell = 0; cell < cells; cell++) weight[cell]! /= Math.max(targets, 1);
  return { ids, positions, segments, index, token, weight };
}
