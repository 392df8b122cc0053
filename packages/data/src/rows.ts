import { basename } from 'node:path';
import { type Example, LetheError, didYouMean, sha256 } from '@lethe/core';
import type { FileTask, WrittenTask } from './definition.js';
import { type Line, LONGEST_LINE, rowFault, tooLong } from './line.js';
import { readLines } from './records.js';
import type { Places, Seen } from './seen.js';
import type { Shot, Shots } from './shots.js';
import { promptMaker } from './template.js';

/** A row and where it comes from. */
export interface Placed {
  readonly example: Example;
  /** `file:line`, or the task, split and id of a generated one. */
  readonly where: string;
  /** Line of its file, or its index among generated rows. */
  readonly at: number;
  /** What its task put into the prompt; empty for a generated row. */
  readonly text: string;
  /** Which of the few-shot rows stand before it: those of this group. */
  readonly group: string;
}

/** The fields of a row, read and checked. */
interface Fields {
  readonly id: string;
  readonly texts: readonly string[];
  readonly options: readonly string[];
  readonly answer: number;
  /** What `{options}` stands for. */
  readonly offered: string;
  /** What an answer rewrites, where that is asked for. */
  readonly source?: string;
  /** What a row must have in common with its few-shot rows. */
  readonly group: string;
}

const isNumber = (value: unknown): value is number | bigint => typeof value === 'bigint' || Number.isInteger(value);

/** The rows of a file of one task. */
export class RowReader {
  private readonly answers: ReadonlyMap<string, number>;
  /** What all rows with labels have in common. */
  private readonly labelled: Pick<Fields, 'options' | 'offered'>;
  private readonly promptOf: (texts: readonly string[], offered: string) => string;
  private readonly without: ReadonlySet<string>;
  /** Those of the ids to leave out that no row had so far. */
  readonly unmet: Set<string>;
  /** The fields that every row must have. */
  private readonly needed: readonly string[];
  private readonly remedy: string;

  /** @param shots what stands before the prompt of a row */
  constructor(private readonly task: FileTask, private readonly shots?: Shots) {
    this.answers = new Map(task.labels.map(({ output }, index) => [output, index]));
    const answers = task.labels.map(({ answer }) => answer);
    this.labelled = { options: answers.map((text) => ` ${text}`), offered: answers.join(', ') };
    this.promptOf = promptMaker(task);
    this.without = new Set(task.without);
    this.unmet = new Set(task.without);
    const texts = [...(task.ids ? [] : ['id']), ...task.inputs, ...(task.choices ? [] : [task.output])];
    const fields = [...texts.map((name) => `"${name}": "…"`), ...(task.choices ? ['"choices": ["…", "…"]', '"answer": 0'] : [])];
    this.remedy = `a row is {${fields.join(', ')}}; other fields are ignored`;
    const others = [task.choices ? ['choices', 'answer'] : [], task.written?.source ?? [], task.shots?.by ?? []].flat();
    this.needed = [...new Set([...texts, ...others])];
  }

  /**
   * The rows of a file, some at a time, prompts filled in, in the order of the file.
   *
   * @param ids the ids of the task so far; added to. A second reading of the same file finds its own
   * @param onFault hears of each row that cannot be used, and may throw
   */
  async *read(file: string, ids: Seen, places: Places, place: (at: number) => number, onFault: (fault: LetheError) => void): AsyncGenerator<Placed[]> {
    for await (const lines of readLines(file)) {
      const rows: Placed[] = [];
      for (const line of lines) {
        const row = this.row(line, file, ids, places, place);
        if (row instanceof LetheError) onFault(row);
        else if (row) rows.push(row);
      }
      yield rows;
    }
  }

  private row(line: Line, file: string, ids: Seen, places: Places, place: (at: number) => number): Placed | LetheError | null {
    const { at } = line;
    const where = `${file}:${at}`;
    if (this.isLeftOut(line, where)) return null;
    if (line.fault) return line.fault;
    try {
      const { id, texts, options, answer, offered, group, source } = this.fields(line.value, where);
      if (this.task.longestChoice !== undefined && options.some((option) => option.length - 1 > this.task.longestChoice!)) return null;
      const first = ids.claim(id, place(at));
      if (first !== place(at)) throw rowFault(where, `the id ${shown(id)} is taken by ${places.name(first)}`, 'give every row of a task an id of its own');
      const prompt = this.before(group, where) + this.promptOf(texts, offered);
      return { example: { id, prompt, options, answer, ...(source !== undefined && { source }) }, where, at, text: texts.join('\n'), group };
    } catch (fault) {
      if (fault instanceof LetheError) return fault;
      throw fault;
    }
  }

  private isLeftOut(line: Line, where: string): boolean {
    if (this.without.size === 0) return false;
    const id = this.task.ids === 'place' ? placeOf(where) : line.fault ? undefined : this.idOf(line.value);
    if (id === undefined || !this.without.has(id)) return false;
    this.unmet.delete(id);
    return true;
  }

  /** The id of a row that may have other faults; undefined where it has none. */
  private idOf(value: unknown): string | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    const row = value as Record<string, unknown>;
    if (this.task.ids === undefined) return Object.hasOwn(row, 'id') ? String(row['id']) : undefined;
    const texts = this.task.inputs.map((name) => row[name]);
    return texts.every((text) => typeof text === 'string') ? contentOf(texts) : undefined;
  }

  private before(group: string, where: string): string {
    if (!this.shots) return '';
    return this.shots.before(group) ?? refuse(where, `there are not enough few-shot rows for "${group}"`, 'add rows to the few-shot file, or lower "shots"');
  }

  private fields(value: unknown, where: string): Fields {
    if (Array.isArray(value)) throw rowFault(where, 'the row is a list', `${this.remedy}; a file that is one list of rows is called .json`);
    if (typeof value !== 'object' || value === null) throw rowFault(where, 'the row is not an object', this.remedy);
    const row = value as Record<string, unknown>;
    this.checkFields(row, this.needed, where);
    const { inputs, ids, choices, written, shots } = this.task;
    const texts = inputs.map((name) => this.text(row, name, where));
    const id = ids === 'content' ? contentOf(texts) : ids === 'place' ? placeOf(where) : this.id(row, where);
    const group = shots?.by === undefined ? '' : this.text(row, shots.by, where);
    const answers = written ? this.written(row, written, where) : choices ? this.choice(row, choices, where) : this.label(row, where);
    return { id, texts, group, ...answers };
  }

  /** Refuses a row that lacks fields, all of them at once: whoever brings rows of another shape mends them in one go. */
  private checkFields(row: Record<string, unknown>, needed: readonly string[], where: string): void {
    const lacking = needed.filter((name) => !Object.hasOwn(row, name));
    if (lacking.length === 0) return;
    const names = Object.keys(row);
    const hint = lacking.length === 1 ? didYouMean(lacking[0]!, names) : '';
    const what = `${lacking.length === 1 ? 'field' : 'fields'} ${lacking.map((name) => `"${name}"`).join(', ')}`;
    const renamings = lacking.map((name) => this.renaming(name)).join('');
    throw rowFault(where, `the row has no ${what}; it has ${shown(names)}.${hint}`,
      `${this.remedy}${renamings}${/\.csv:\d+$/.test(where) ? '; the first line of CSV names the fields' : ''}`);
  }

  /** How a suite takes rows whose fields are called otherwise. */
  private renaming(name: string): string {
    const { inputs, output, choices } = this.task;
    return name === 'id' ? '; for rows without ids the task in suite.yaml says ids: content'
      : inputs.includes(name) ? `; where "${name}" has another name, the task in suite.yaml says inputs: [NAME], and its prompt {NAME}`
        : name === output && !choices ? `; where "${name}" has another name, the task in suite.yaml says output: NAME` : '';
  }

  private text(row: Record<string, unknown>, name: string, where: string): string {
    const text = row[name];
    if (typeof text !== 'string' || text.trim() === '') return refuse(where, `the field "${name}" is ${shown(text)}, not a text`, this.remedy);
    if (text.length > LONGEST_LINE) throw tooLong(where, `the field "${name}"`);
    return text;
  }

  private id(row: Record<string, unknown>, where: string): string {
    const id = row['id'];
    if (Number.isInteger(id) && !Number.isSafeInteger(id)) {
      throw rowFault(where, `the id is a number beyond 2^53, read as ${shown(id)}: such numbers are rounded, and two ids may become one`, 'write ids as texts: {"id": "…"}');
    }
    return isNumber(id) ? String(id) : this.text(row, 'id', where);
  }

  private label(row: Record<string, unknown>, where: string): Pick<Fields, 'options' | 'answer' | 'offered'> {
    const { id, output: name } = this.task;
    const value = row[name];
    // what a table calls 0 or true stands in the suite as "0" or "true"
    const plain = (isNumber(value) || typeof value === 'boolean') && this.answers.has(String(value));
    const output = plain ? String(value) : this.text(row, name, where);
    const answer = this.answers.get(output);
    if (answer === undefined) {
      const known = [...this.answers.keys()];
      throw rowFault(where, `the output ${shown(output)} is not a label of task "${id}".${didYouMean(output, known)}`, `the labels are: ${known.join(', ')}`);
    }
    return { ...this.labelled, answer };
  }

  /** Right answers, the first of them to train on. */
  private written(row: Record<string, unknown>, { source }: WrittenTask, where: string): Pick<Fields, 'options' | 'answer' | 'offered' | 'source'> {
    const value = row[this.task.output];
    const texts = Array.isArray(value) ? listOf(value) : isNumber(value) ? [String(value)] : [this.text(row, this.task.output, where).trim()];
    if (!texts || texts.length === 0) throw rowFault(where, `the field "${this.task.output}" is ${shown(value)}, not a text or a list of texts`, this.remedy);
    const options = [...new Set(texts)].map((text) => ` ${text}`);
    return { options, answer: 0, offered: '', ...(source !== undefined && { source: this.text(row, source, where) }) };
  }

  private choice(row: Record<string, unknown>, kind: 'letters' | 'texts', where: string): Pick<Fields, 'options' | 'answer' | 'offered'> {
    const choices = listOf(row['choices']);
    if (!choices || choices.length < 2 || choices.length > 26) throw rowFault(where, '"choices" is not a list of 2 to 26 texts', this.remedy);
    const twice = choices.find((choice, i) => choices.indexOf(choice) !== i);
    if (kind === 'texts' && twice !== undefined) throw rowFault(where, `two choices are ${shown(twice)}`, 'give the row choices that differ');
    const given = row['answer'];
    const answer = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given;
    if (!isNumber(answer) || answer < 0 || answer >= choices.length) {
      throw rowFault(where, `"answer" is ${shown(given)}, not the place of a choice from 0 to ${choices.length - 1}`, this.remedy);
    }
    const letters = choices.map((_, i) => String.fromCharCode(65 + i));
    return {
      options: (kind === 'letters' ? letters : choices).map((text) => ` ${text}`), answer: Number(answer),
      offered: kind === 'letters' ? choices.map((choice, i) => `${letters[i]}. ${choice}`).join('\n') : choices.join(', '),
    };
  }

  /** A row of few-shot examples. Throws LETHE_DATA_ROW. */
  shot(line: Line, file: string): Shot {
    if (line.fault) throw line.fault;
    const where = `${file}:${line.at}`;
    const { texts, offered, options, answer, group } = this.fields(line.value, where);
    const { answer: field } = this.task.shots!;
    const row = line.value as Record<string, unknown>;
    if (field !== undefined) this.checkFields(row, [field], where);
    const written = field === undefined ? options[answer]! : ` ${this.text(row, field, where).trim()}`;
    return { where, text: texts.join('\n'), group, prompt: this.promptOf(texts, offered), written };
  }
}

const contentOf = (texts: readonly string[]): string => sha256(texts).slice(0, 16);

/** `train-17` for line 17 of train.jsonl. */
const placeOf = (where: string): string => basename(where).replace(/\.\w+:(\d+)$/, '-$1');

function refuse(where: string, message: string, remedy: string): never {
  throw rowFault(where, message, remedy);
}

/** The texts of a list, or of one written as JSON in a CSV file; undefined where it is none, or a text is empty. */
function listOf(value: unknown): string[] | undefined {
  let list = value;
  if (typeof value === 'string') {
    try {
      list = JSON.parse(value);
    } catch {
      return undefined;
    }
  }
  const texts = Array.isArray(list) ? list.map((item: unknown) => (typeof item === 'string' ? item.trim() : '')) : [''];
  return texts.includes('') ? undefined : texts;
}

/** A value as an error shows it, not too much of it. */
function shown(value: unknown): string {
  if (value instanceof Uint8Array) return 'bytes that are not valid UTF-8';
  const text = typeof value === 'bigint' ? String(value) : JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part)) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
