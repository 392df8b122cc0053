import { readFileSync } from 'node:fs';
import type { ErrorObject } from 'ajv';
import { LineCounter, parseDocument } from 'yaml';
import { type ErrorCode, LetheError, didYouMean } from './errors.js';

/** A JSON or YAML file that was read. */
export interface Document {
  /** Plain JSON. */
  readonly value: unknown;
  /** Where a JSON pointer stands, as `file:line`. */
  locate(pointer: string): string;
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
      const path = pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
      const node = path.length === 0 ? document.contents : document.getIn(path, true);
      const range = (node as { range?: readonly number[] } | undefined)?.range;
      return range ? `${file}:${lines.linePos(range[0]!).line}` : file;
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
  const allowed = Array.isArray(params['allowedValues']) ? `: ${params['allowedValues'].join(', ')}` : '';
  return { pointer: at, message: `${subject} ${error.message ?? 'is invalid'}${allowed}` };
}
