import { didYouMean } from '@lethe/core';
import type { FileTask } from './definition.js';

const PLACEHOLDERS = ['input', 'options'];

/** The first of `names` that stands as a word of its own in `text`, whatever its case and with or without its hyphens. */
function nameIn(text: string, names: readonly string[]): string | undefined {
  return names.find((name) => {
    const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
    return new RegExp(`(?<![A-Za-z0-9])${words.join('[-_ ]?')}(?![A-Za-z0-9])`, 'i').test(text);
  });
}

/**
 * What is wrong with a prompt template, if anything.
 *
 * @param names what it may not give away: the suite, its tasks and their data sets
 */
export function templateFault(template: string, names: readonly string[]): { message: string; remedy: string } | undefined {
  const used = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const unknown = used.find((name) => !PLACEHOLDERS.includes(name));
  if (unknown !== undefined) {
    return { message: `a prompt has no {${unknown}}.${didYouMean(unknown, PLACEHOLDERS)}`, remedy: 'use {input} and, where wanted, {options}' };
  }
  if (used.filter((name) => name === 'input').length !== 1) {
    return { message: 'a prompt holds {input} exactly once', remedy: 'write {input} where the input of a row belongs' };
  }
  if (/\s$/.test(template)) {
    return { message: 'a prompt may not end with white space: tokens of answers begin with it', remedy: 'take it away (in YAML, "|-" instead of "|")' };
  }
  const name = nameIn(template, names);
  if (name !== undefined) {
    return { message: `the prompt gives away the name "${name}": predictions are made without knowing the task`, remedy: 'reword the prompt, or rename the task or folder' };
  }
  return undefined;
}

/** The prompt of a row. Braces of the input are left as they are. */
export function fillPrompt({ prompt, labels }: FileTask, input: string): string {
  return prompt.replace(/\{(input|options)\}/g, (_, name) =>
    (name === 'input' ? input : labels.map(({ answer }) => answer).join(', ')));
}
