/** Characters whose replacement is kept; when there are more, all are forgotten. */
const CAPACITY = 1 << 14;
const PLAIN = /^[\x20-\x7e]*$/;

/**
 * The table by which SentencePiece replaces characters before it cuts a text (Kudo and Richardson 2018, arXiv 1808.06226, section 3.3), as
 * `tokenizer.json` holds it: the size in bytes of a double-array trie, the trie, whose units are 32 bits wide, and the replacements,
 * each ended by a zero byte.
 */
export class CharsMap {
  private readonly units: Uint32Array;
  private readonly replacements: Buffer;
  private readonly known = new Map<string, string>();
  private readonly graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

  /** @throws RangeError for a table that ends early */
  constructor(base64: string) {
    const bytes = Buffer.from(base64, 'base64');
    const size = bytes.readUInt32LE(0);
    this.units = Uint32Array.from({ length: size / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
    this.replacements = bytes.subarray(4 + size);
  }

  /** What stands for a text by its shortest beginning that the table has, as the original takes it; undefined where it has none. */
  private replacementOf(text: string): string | undefined {
    const below = (place: number, unit: number) => place ^ ((unit >>> 10) << ((unit & 0x200) >>> 6));
    let place = below(0, this.units[0]!);
    for (const byte of Buffer.from(text)) {
      place ^= byte;
      const unit = this.units[place] ?? 0;
      if (byte === 0 || (unit & 0x800000ff) !== byte) return undefined;
      place = below(place, unit);
      if ((unit >>> 8) & 1) {
        const start = this.units[place]! & 0x7fffffff;
        return this.replacements.toString('utf8', start, this.replacements.indexOf(0, start));
      }
    }
    return undefined;
  }

  /** As the original: characters that are seen as one are replaced as one where they are short, which makes one space of a line's end of two. */
  normalize(text: string): string {
    // the segmenter takes as long as all else, and of such texts each character stands alone
    const seen = PLAIN.test(text) ? text : Array.from(this.graphemes.segment(text), ({ segment }) => segment);
    let result = '';
    for (const segment of seen) result += this.known.get(segment) ?? this.learn(segment);
    return result;
  }

  private learn(segment: string): string {
    const whole = Buffer.byteLength(segment) < 6 ? this.replacementOf(segment) : undefined;
    const replaced = whole ?? Array.from(segment, (char) => this.replacementOf(char) ?? char).join('');
    if (this.known.size >= CAPACITY) this.known.clear();
    this.known.set(segment, replaced);
    return replaced;
  }
}
