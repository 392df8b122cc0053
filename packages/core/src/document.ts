import { readFileSync } from 'node:fs';
import type { ErrorObject } from 'ajv';
import { LineCounter, type Node, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { type ErrorCode, LetheError, didYouMean } from './errors.js';

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
  const problem = document.errors[0];
  if (problem) {
    throw new LetheError(code, `${file.split(/[\\/]/).pop()} is not valid ${format}: ${problem.message.split('\n')[0]}`, {
      where: `${file}:${lines.linePos(problem.pos[0]).line}`,
      remedy: `mend the ${format} at this line`,
    });
  }
  return {
    value: document.toJS(),
    locate: (pointer) => {
      const offset = offsetAt(document.contents, pointer);
      return offset === undefined ? file : `${file}:${lines.linePos(offset).line}`;
    },
  };
}

/** Of several schema errors the most telling: an unknown field explains the others that it causes. */
function mostTelling(errors: readonly ErrorObject[]): ErrorObject {
  return errors.find((e) => e.keyword === 'additionalProperties') ?? errors[0]!;
}

/**
 * What is wrong with a document, from the errors of a schema that was compiled with `verbose: true`.
 *
 * @param name what to call the whole document
 */
export function schemaFault(errors: readonly ErrorObject[], name: string): { pointer: string; message: string } {
  const error = mostTelling(errors);
  const at = error.instancePath;
  const params = error.params as Record<string, unknown>;
  if (error.keyword === 'additionalProperties') {
    const field = String(params['additionalProperty']);
    const known = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
    return { pointer: `${at}/${field}`, message: `unknown field "${field}".${didYouMean(field, known)}` };
  }
  const subject = at === '' ? name : `"${at.slice(1).replaceAll('/', '.')}"`;
  if (error.keyword === 'enum') {
    return { pointer: at, message: `${subject} ${listFault(params['allowedValues'] as unknown[], error.data)}` };
  }
  return { pointer: at, message: `${subject} ${error.message ?? 'is invalid'}` };
}

/** What is wrong with a value that is none of a list. */
export function listFault(values: readonly unknown[], given: unknown): string {
  const allowed = values.map(String);
  return `must be one of ${allowed.join(', ')}, not ${JSON.stringify(given)}.${typeof given === 'string' ? didYouMean(given, allowed) : ''}`;
}
