/** Control characters but tabs and new lines, and those that turn the direction of text; with the colours that Lethe itself writes, which are kept. */
const CONTROLS = /\x1b\[(?:[012]|22|3\d)m|[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

const written = (sign: string): string => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * Text as it may be put on a terminal: what files of others hold can neither move the cursor, nor hide or change what stands there, nor set a title. Control
 * characters are written as JSON has them.
 *
 * @param coloured whether colours of Lethe itself may be in it
 */
export const printable = (text: string, coloured = false): string =>
  text.replace(CONTROLS, (found) => (found.length === 1 ? written(found) : coloured ? found : written(found[0]!) + found.slice(1)));
