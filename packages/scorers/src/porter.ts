/** Words that the rules would spoil. */
const IRREGULAR: Readonly<Record<string, string>> = {
  sky: 'sky', skies: 'sky', dying: 'die', lying: 'lie', tying: 'tie', news: 'news', innings: 'inning', inning: 'inning',
  outings: 'outing', outing: 'outing', cannings: 'canning', canning: 'canning', howe: 'howe', proceed: 'proceed', exceed: 'exceed', succeed: 'succeed',
};

/** A word's letters as c (consonant) and v (vowel); y is a vowel after a consonant. */
function kinds(word: string): string {
  let known = '';
  for (const letter of word) {
    const vowel = 'aeiou'.includes(letter) || (letter === 'y' && known.endsWith('c'));
    known += vowel ? 'v' : 'c';
  }
  return known;
}

/** How many times a vowel is followed by a consonant: m of the paper. */
const measure = (stem: string): number => kinds(stem).match(/vc/g)?.length ?? 0;
const hasVowel = (stem: string): boolean => kinds(stem).includes('v');
const endsInConsonant = (stem: string): boolean => kinds(stem).endsWith('c');
const endsDouble = (word: string): boolean => word.length > 1 && word.at(-1) === word.at(-2) && endsInConsonant(word);
/** Ends in consonant, vowel, consonant other than w, x, y; of two letters vowel and consonant are enough. */
const endsShort = (word: string): boolean => (/cvc$/.test(kinds(word)) && !/[wxy]$/.test(word)) || kinds(word) === 'vc';

type Rule = readonly [suffix: string, replacement: string, allowed: (stem: string) => boolean];

/** Applies the first rule whose suffix fits, if it is allowed; later rules are not tried. */
function apply(word: string, rules: readonly Rule[]): string {
  const rule = rules.find(([suffix]) => word.endsWith(suffix));
  if (!rule) return word;
  const [suffix, replacement, allowed] = rule;
  const stem = word.slice(0, word.length - suffix.length);
  return allowed(stem) ? stem + replacement : word;
}

/** Rules written as `suffix>replacement`, all with one condition. */
const rules = (text: string, allowed: (stem: string) => boolean): Rule[] =>
  text.split(' ').map((rule) => [...(rule.split('>') as [string, string]), allowed] as const);

const some = (stem: string): boolean => measure(stem) > 0;
const more = (stem: string): boolean => measure(stem) > 1;
const always = (): boolean => true;

const PLURALS = rules('sses>ss ies>i ss>ss s>', always);
const RESTORED = rules('at>ate bl>ble iz>ize', always);
const SECOND: readonly Rule[] = [
  ...rules('ational>ate tional>tion enci>ence anci>ance izer>ize bli>ble alli>al entli>ent eli>e ousli>ous ization>ize ation>ate ator>ate '
    + 'alism>al iveness>ive fulness>ful ousness>ous aliti>al iviti>ive biliti>ble fulli>ful', some),
  ['logi', 'log', (stem) => some(`${stem}l`)],
];
const THIRD = rules('icate>ic ative> alize>al iciti>ic ical>ic ful> ness>', some);
const FOURTH: readonly Rule[] = [
  ...rules('al> ance> ence> er> ic> able> ible> ant> ement> ment> ent>', more),
  ['ion', '', (stem) => more(stem) && /[st]$/.test(stem)],
  ...rules('ou> ism> ate> iti> ous> ive> ize>', more),
];

function pasts(word: string): string {
  if (word.endsWith('ied')) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith('eed')) return some(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const suffix = ['ed', 'ing'].find((end) => word.endsWith(end) && hasVowel(word.slice(0, -end.length)));
  if (suffix === undefined) return word;
  const stem = word.slice(0, -suffix.length);
  const restored = apply(stem, RESTORED);
  if (restored !== stem) return restored;
  if (endsDouble(stem)) return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

function second(word: string): string {
  if (word.endsWith('alli') && some(word.slice(0, -4))) return second(word.slice(0, -2));
  return apply(word, SECOND);
}

function last(word: string): string {
  const stem = word.slice(0, -1);
  const short = word.endsWith('e') && (more(stem) || (measure(stem) === 1 && !endsShort(stem))) ? stem : word;
  return short.endsWith('ll') && more(short.slice(0, -1)) ? short.slice(0, -1) : short;
}

/**
 * The stem of an English word in lower case (Porter 1980, "An algorithm for suffix stripping"), with the changes that NLTK makes by
 * default and rouge_score therefore uses: irregular words, `ie` of four-letter words, y only after a consonant, `bli`, `fulli`, `logi`.
 */
export function stemOf(word: string): string {
  const irregular = Object.hasOwn(IRREGULAR, word) ? IRREGULAR[word] : undefined;
  if (irregular !== undefined || word.length <= 2) return irregular ?? word;
  const singular = word.endsWith('ies') && word.length === 4 ? word.slice(0, -1) : apply(word, PLURALS);
  const present = apply(pasts(singular), [['y', 'i', (stem) => stem.length > 1 && endsInConsonant(stem)]]);
  return last(apply(apply(second(present), THIRD), FOURTH));
}
