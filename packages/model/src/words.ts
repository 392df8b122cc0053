/**
 * How byte-level tokenizers cut text into words before they merge within them (Radford et al. 2019, section 2.2), as the source of a
 * regular expression with the flag `u`; white space is Unicode's.
 */
export const WORDS =
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+`;
