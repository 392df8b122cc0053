import { didYouMean } from '@lethe/core';
import type { FileTask } from './definition.js';
import type { TaskEntry } from './suite-file.js';

/** The first of `names` that stands as a word of its own in `text`, whatever its case and with or without its hyphens. */
function nameIn(text: string, names: readonly string[]): string | undefined {
  return names.find((name) => {
    const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
    return words.length > 0 && new RegExp(`(?<![A-Za-z0-9])${words.join('[-_ ]?')}(?![A-Za-z0-9])`, 'i').test(text);
  });
}

/** What is wrong with a prompt template, and how it is mended. */
export interface TemplateFault {
  readonly message: string;
  readonly remedy: string;
}

/** Where a prompt template and the rows of a task are at odds, if anywhere: the prompt takes in each of its inputs, once. */
export function fieldsFault(template: string, { id, inputs = ['input'] }: Pick<TaskEntry, 'id' | 'inputs'>): TemplateFault | undefined {
  const known = [...inputs, 'options'];
  const used = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const unknown = used.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const fields = [...new Set(used)].filter((name) => name !== 'options');
    return {
      message: `the prompt takes in {${unknown}}, and task "${id}" has no such field: it has ${inputs.join(', ')}.${didYouMean(unknown, known)}`,
      remedy: `give the task a prompt of ${inputs.map((name) => `{${name}}`).join(', ')} and, where wanted, {options}; or, where its rows do have what this one takes in, inputs: [${fields.join(', ')}]`,
    };
  }
  const other = inputs.find((input) => used.filter((name) => name === input).length !== 1);
  if (other === undefined) return undefined;
  const once = `a prompt holds {${other}} exactly once`;
  return used.includes(other)
    ? { message: `the prompt takes in {${other}} several times: ${once}`, remedy: `leave one {${other}}, where this part of a row belongs` }
    : {
      message: `task "${id}" has the field ${other}, and the prompt does not take it in: ${once}`,
      remedy: `write {${other}} where this part of a row belongs, or give the task a prompt of its own, or inputs without ${other}`,
    };
}

/**
 * What is wrong with the words of a prompt template, if anything.
 *
 * @param names what it may not give away: the suite, its tasks and their data sets
 */
export function wordsFault(template: string, names: readonly string[]): TemplateFault | undefined {
  if (/\s$/.test(template)) {
    return { message: 'a prompt may not end with white space: tokens of answers begin with it', remedy: 'take it away (in YAML, "|-" instead of "|")' };
  }
  const name = nameIn(template, names);
  if (name !== undefined) {
    return { message: `the prompt gives away the name "${name}": predictions are made without knowing the task`, remedy: 'reword the prompt, or rename the task or folder' };
  }
  return undefined;
}

/** A template with the task's own one in it, where it names that as `{prompt}`. */
export const withPrompt = (template: string, prompt: string): string => template.replace('{prompt}', () => prompt);

/**
 * Makes the prompts of a task's rows, of the values of its inputs, in their order, and what `{options}` stands for. Braces of the texts
 * are left as they are.
 */
export function promptMaker({ prompt, inputs }: FileTask): (texts: readonly string[], offered: string) => string {
  const [beginning, ...pairs] = prompt.split(/\{(\w+)\}/) as [string, ...string[]];
  const holes = Array.from({ length: pairs.length / 2 }, (_, i) => {
    const [name, after] = [pairs[2 * i]!, pairs[2 * i + 1]!];
    return { input: name === 'options' ? undefined : inputs.indexOf(name), after };
  });
  return (texts, offered) => holes.reduce((made, { input, after }) => made + (input === undefined ? offered : texts[input]!) + after, beginning);
}
