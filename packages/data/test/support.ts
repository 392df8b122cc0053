import { LetheError } from '@lethe/core';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SuiteReference } from '../src/index.js';

const at = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

/** The suites of this repository, and the real rows beside it where they are. */
export const INSTALLED = { suitesDir: at('suites'), builtDir: at('dist/suites') };
export const SHARED = at('../shared/data');
export const DATA = join(SHARED, 'standard_cl_5');

/** What was thrown, which must be one clear error. */
export async function errorOf(act: () => unknown): Promise<LetheError> {
  try {
    await act();
  } catch (error) {
    if (error instanceof LetheError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** The line of a text that a piece of it begins on, counted from 1. */
export const lineOf = (text: string, piece: string): number => text.slice(0, text.indexOf(piece)).split('\n').length;

/** The example of suites/README.md, with fewer words. */
export const YAML = `# yaml-language-server: $schema=../packages/data/schemas/suite.schema.json
id: my-suite
version: 1.0.0
kind: domain
title: Tickets and mails
description: Who should answer a message.
licence: CC-BY-4.0
seed: 1
prompt: |-
  {input}
  Who answers this: {options}?
  Answer:
training: { epochs: 4, batch: 16, learningRate: 1.0e-3, warmup: 0.1, weightDecay: 0, clip: 1, rank: 8, alpha: 16, sites: [q, v], maxTokens: 128 }
sizes:
  full: { train: all, validation: all, test: all }
  mini: { train: 20, validation: 4, test: 6 }
tasks:
  - { id: tickets, title: Tickets, labels: [hardware, software, accounts] }
  - { id: mails, title: Mails, labels: { hr: personnel, fin: finance } }
orders:
  1: [tickets, mails]
  2: [mails, tickets]
`;

export interface Row { id: string; input: string; output: string }

/** Rows whose labels are in unequal shares: the first one is half of them. */
export function rowsOf(task: string, split: string, count: number, labels: readonly string[]): Row[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `${task}-${split}-${i}`, input: `${task} ${split} message ${i}`,
    output: i % 2 === 0 ? labels[0]! : labels[1 + ((i - 1) / 2) % (labels.length - 1)]!,
  }));
}

export const jsonLines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** A suite in a folder of its own, as its owner would write it. */
export class OwnSuite {
  readonly folder = mkdtempSync(join(tmpdir(), 'lethe-suite-'));
  readonly file = join(this.folder, 'suite.yaml');

  constructor() {
    this.yaml(YAML);
    for (const [split, count] of [['train', 60], ['test', 12]] as const) {
      this.write(`tickets/${split}.jsonl`, jsonLines(rowsOf('t', split, count, ['hardware', 'software', 'accounts'])));
      this.write(`mails/${split}.jsonl`, jsonLines(rowsOf('m', split, count, ['hr', 'fin'])));
    }
  }

  write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), content);
  }

  yaml(text: string): void {
    this.write('suite.yaml', text);
  }

  /** Replaces a piece of the suite file; the piece must be there. */
  edit(from: string, to: string): void {
    if (!YAML.includes(from)) throw new Error(`the suite does not hold ${from}`);
    this.yaml(YAML.replace(from, to));
  }

  reference(more: Partial<SuiteReference> = {}): SuiteReference {
    return { ...INSTALLED, reference: this.folder, ...more };
  }
}
