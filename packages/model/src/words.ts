/**
 * How byte-level tokenizers cut text into words before they merge within them (Radford et al. 2019, section 2.2), as the source of a
 * regular expression with the flag `u`; white space is Unicode's.
 */
export const WORDS =
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+`;

/** Characters of words as the regular expressions of Rust have them (`\w`), as a class for the flag `u`. */
export const WORD_CHARACTERS = String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}`;
