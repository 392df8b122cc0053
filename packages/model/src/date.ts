/**
 * The day that chat templates are told, at its beginning: what a prompt says must depend neither on the clock nor on the language of the
 * machine. It is the one that the templates of Llama 3 say where they are told none.
 */
export const TODAY = '2024-07-26';

/** What each directive of Python's `strftime` gives for that day in the C locale. */
const DIRECTIVES: Readonly<Record<string, string>> = {
  a: 'Fri', A: 'Friday', w: '5', u: '5',
  d: '26', e: '26', j: '208', U: '29', W: '30', V: '30',
  b: 'Jul', h: 'Jul', B: 'July', m: '07',
  y: '24', Y: '2024', G: '2024', C: '20',
  H: '00', I: '12', p: 'AM', M: '00', S: '00', f: '000000', z: '', Z: '',
  c: 'Fri Jul 26 00:00:00 2024', x: '07/26/24', X: '00:00:00', D: '07/26/24', F: TODAY, T: '00:00:00', R: '00:00', r: '12:00:00 AM',
  n: '\n', t: '\t', '%': '%',
};

/**
 * That day as Python's `strftime` writes it; `%-d` is a number without a leading 0.
 *
 * @throws Error for a directive that is not known
 */
export function writeToday(format: unknown): string {
  if (typeof format !== 'string') throw new Error('strftime_now wants a text that says how the date is written');
  return format.replace(/%(-?)(.?)/gsu, (directive, bare: string, name: string) => {
    const text = Object.hasOwn(DIRECTIVES, name) ? DIRECTIVES[name]! : undefined;
    if (text === undefined) {
      throw new Error(`dates have no directive "${directive}"; ${Object.keys(DIRECTIVES).map((each) => `%${each}`).join(' ')} can be written`);
    }
    return bare ? text.replace(/^0+(?=\d+$)/, '') : text;
  });
}
