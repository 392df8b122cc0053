import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { LetheError } from '@lethe/core';
import { parse as parseCode } from 'acorn';
import { init, parse } from 'es-module-lexer';

const CODE = /\.[cm]?js$/;
const TEST = /\.test\.[cm]?js$/;
/** Folders of code that is no part of a plugin's own. */
const OTHERS = ['node_modules', 'test', 'tests'];

/** Names of files of code below a folder, relative to it. */
async function filesIn(folder: string, path = ''): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
    const name = path === '' ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory() && !OTHERS.includes(entry.name) && !entry.name.startsWith('.')) names.push(...await filesIn(folder, name));
    else if (!entry.isDirectory() && CODE.test(entry.name) && !TEST.test(entry.name)) names.push(name);
  }
  return names;
}

/** Paths of the modules that one imports by relative paths. Of what cannot be read as a module, or is computed, nothing is known. */
async function importsOf(file: string, code: Buffer): Promise<string[]> {
  await init;
  try {
    const [imports] = parse(code.toString('utf8'));
    return imports.flatMap(({ specifier }) => (specifier?.startsWith('.') && CODE.test(specifier) ? [resolve(dirname(file), specifier)] : []));
  } catch {
    return []; // importing it fails, and says why
  }
}

/** The tokens of a module, one a line, and where lines break, which may end a statement: comments and spaces compute nothing. All of what cannot be read as a module. */
function tokensOf(code: Buffer): string {
  const text = code.toString('utf8');
  const tokens: string[] = [];
  let end = 0;
  try {
    parseCode(text, {
      ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true,
      onToken(token) {
        const breaks = tokens.length > 0 && text.slice(end, token.start).includes('\n');
        tokens.push(`${breaks ? '\n' : ''}${text.slice(token.start, token.end)}`);
        ({ end } = token);
      },
    });
    return tokens.join('\n');
  } catch {
    return text;
  }
}

/**
 * sha256 of the code of a method, comments and spaces left out: the modules of the folder that it is loaded from, without tests and without packages, and those elsewhere that
 * they import by relative paths, directly or not.
 *
 * @param codePath path of its compiled module
 */
export async function codeSha256(codePath: string): Promise<string> {
  const folder = dirname(resolve(codePath));
  const code = new Map<string, Buffer>();
  const wanted = (await filesIn(folder)).map((name) => join(folder, name));
  for (const file of wanted) {
    if (code.has(file) || !existsSync(file)) continue;
    const bytes = await readFile(file);
    code.set(file, bytes);
    wanted.push(...await importsOf(file, bytes));
  }
  const named = [...code].map(([file, bytes]) => ({ name: relative(folder, file).replaceAll(sep, '/'), tokens: tokensOf(bytes) }));
  const hash = createHash('sha256');
  for (const { name, tokens } of named.sort((a, b) => (a.name < b.name ? -1 : 1))) hash.update(`${name}\n${tokens.length}\n`).update(tokens);
  return hash.digest('hex');
}

/** LETHE_RUN_CHANGED for a method whose code is another one than a run began with. */
export function changedCode(method: string, where: string): LetheError {
  return new LetheError('LETHE_RUN_CHANGED', `The code of method "${method}" is no longer what it was when the run began.`, {
    where, remedy: 'Take the old code back, or make the runs of the method again with what it is now: lethe resume RUN.',
  });
}
