import { expect } from 'chai';
import fc from 'fast-check';
import { LetheError } from '../src/index.js';

/**
 * What must come of any input: use of it, or one error that says what to do and, if that is in the file, where. Anything else is a crash.
 *
 * @param codes of the errors that may come
 * @param placed whether an error must say where
 */
export async function soundly(act: () => unknown, codes: RegExp, placed = true): Promise<'used' | LetheError> {
  try {
    await act();
    return 'used';
  } catch (error) {
    expect(error, error instanceof Error ? error.stack : String(error)).to.be.instanceOf(LetheError);
    const { code, message, where, remedy } = error as LetheError;
    expect(code, message).to.match(codes);
    for (const text of [message, remedy, ...(placed ? [where] : [])]) expect(text, message).to.be.a('string').that.is.not.empty;
    return error as LetheError;
  }
}

/** A place from 0 to 1; without bias, which would damage the beginning over and over. */
export const fraction = fc.noBias(fc.nat(999_999)).map((n) => n / 1_000_000);

/** A copy of a document with a value, or none, at one of its places, chosen by a fraction. */
export function replaceAt(document: unknown, place: number, value: unknown, remove: boolean): unknown {
  const copy = structuredClone(document);
  const places: (() => void)[] = [];
  const visit = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      const holder = node as Record<string, unknown>;
      places.push(() => {
        if (remove) delete holder[key];
        else holder[key] = value;
      });
      visit(holder[key]);
    }
  };
  visit(copy);
  places[Math.floor(place * places.length)]!();
  return copy;
}
