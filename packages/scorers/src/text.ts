/** White space as Python's `str.split` has it, which the references use: JavaScript's `\s` lacks some of it and adds the byte order mark. */
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/gu;

/** The words of a text between white space; none of an empty one. */
export const wordsOf = (text: string): string[] => text.split(SPACE).filter((word) => word !== '');

/**
 * The length of the longest common subsequence of two lists, by the row-wise table of Wagner and Fischer 1974: time is the product
 * of the lengths, memory the second length.
 */
export function commonLength<T>(a: readonly T[], b: readonly T[]): number {
  const row = new Uint32Array(b.length + 1);
  for (const item of a) {
    let diagonal = 0;
    for (let j = 0; j < b.length; j++) {
      const above = row[j + 1]!;
      row[j + 1] = item === b[j] ? diagonal + 1 : Math.max(above, row[j]!);
      diagonal = above;
    }
  }
  return row[b.length]!;
}

/** The largest score over references, which is how the field counts several right answers. */
export const best = (references: readonly string[], score: (reference: string) => number): number => Math.max(...references.map(score));
