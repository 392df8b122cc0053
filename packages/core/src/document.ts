import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type Alias, type Document as YamlDocument, LineCounter, type Node, isMap, isScalar, isSeq, parseDocument, visit } from 'yaml';
import { type ErrorCode, LetheError } from './errors.js';

/** A JSON or YAML file that was read. */
export interface Document {
  /** Plain JSON. */
  readonly value: unknown;
  /** Where a JSON pointer stands, as `file:line`: the line of a field's name, or of what should hold it where it is not there. */
  locate(pointer: string): string;
}

/** Where the name of a field or an item of a list begins, or the last thing on the way to it that is there. */
function offsetAt(root: Node | null, pointer: string): number | undefined {
  let node: unknown = root;
  let offset = root?.range?.[0];
  for (const part of pointer.split('/').slice(1).map((raw) => raw.replaceAll('~1', '/').replaceAll('~0', '~'))) {
    let found: unknown;
    if (isMap(node)) {
      // a key such as 1 is a number to YAML and a text to JSON
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
      [found, node] = [pair?.key, pair?.value];
    } else if (isSeq(node)) {
      found = node = node.items[Number(part)];
    }
    const range = (found as Node | undefined)?.range;
    if (!range) break;
    offset = range[0];
  }
  return offset;
}

/** The first alias that names no value before it. */
function strayAlias(document: YamlDocument): Alias | undefined {
  let stray: Alias | undefined;
  visit(document, { Alias: (_, alias) => {
    if (alias.resolve(document)) return undefined;
    stray = alias;
    return visit.BREAK;
  } });
  return stray;
}

/** A document as plain JSON. Throws what is made of the reason where aliases of aliases stand for more than can be held. */
function plain(document: YamlDocument, refuse: (message: string) => LetheError): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (error instanceof ReferenceError) throw refuse('its aliases stand for too many values');
    throw error;
  }
}

/**
 * Reads a JSON or YAML file, keeping where everything stands.
 *
 * @param code the code of the error for a file that cannot be parsed
 * @throws LetheError of that code with file:line
 */
export function readDocument(file: string, format: 'JSON' | 'YAML', code: ErrorCode): Document {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), {
    lineCounter: lines, version: '1.2', schema: format === 'JSON' ? 'json' : 'core',
  });
  const placed = (offset: number | undefined) => (offset === undefined ? file : `${file}:${lines.linePos(offset).line}`);
  const refuse = (problem: string, offset: number | undefined, remedy: string) =>
    new LetheError(code, `${basename(file)} is not valid ${format}: ${problem}`, { where: placed(offset), remedy });
  const problem = document.errors[0];
  // the place that the parser names is said by `where`
  if (problem) throw refuse(problem.message.split('\n')[0]!.replace(/ at line \d+, column \d+:$/, ''), problem.pos[0], `mend the ${format} at this line`);
  const stray = strayAlias(document);
  if (stray) {
    const { source, range } = stray;
    throw refuse(`*${source} stands for nothing: no value before it is named &${source}`, range?.[0], `name a value &${source}, or put the text in quotes`);
  }
  return {
    value: plain(document, (message) => refuse(message, undefined, 'write values out in the place of aliases')),
    locate: (pointer) => placed(offsetAt(document.contents, pointer)),
  };
}
