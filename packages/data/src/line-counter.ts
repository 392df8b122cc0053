const [NEWLINE, RETURN] = [0x0a, 0x0d];

/**
 * Counts the lines of bytes that stream by, as editors do: by newlines, whatever stands before them. A record that a carriage return alone
 * ends is a line as well, so that no two records begin on the same one.
 */
export class LineCounter {
  /** Bytes that are not passed yet. */
  private pending: Buffer[] = [];
  private passed = 0;
  private line = 1;

  push(chunk: Buffer): void {
    this.pending.push(chunk);
  }

  /** The line of the first byte ahead that ends no line: where the next record begins. Empty lines before it are passed. */
  next(): number {
    for (let byte = this.pending[0]?.[0]; byte === NEWLINE || byte === RETURN; byte = this.pending[0]?.[0]) this.take(1);
    return this.line;
  }

  /** Passes all bytes up to an offset, where a record ended. */
  passTo(offset: number): void {
    let last: number | undefined;
    while (this.passed < offset && this.pending.length > 0) last = this.take(Math.min(offset - this.passed, this.pending[0]!.length));
    if (last === RETURN) this.line++;
  }

  /** Passes so many bytes of the first chunk, and gives the last of them. */
  private take(count: number): number {
    const [chunk] = this.pending as [Buffer];
    const bytes = chunk.subarray(0, count);
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) this.line++;
    if (count === chunk.length) this.pending.shift();
    else this.pending[0] = chunk.subarray(count);
    this.passed += count;
    return bytes[count - 1]!;
  }
}
