import { basename, dirname, join, relative, resolve } from 'node:path';
import { quoted } from '@lethe/core';
import { suiteSchema } from '@lethe/data';
import type { Command } from 'commander';
import { checkName, writeFolder } from './new-folder.js';
import type { Output } from './output.js';
import { here, npmRun } from './paths.js';

/** Inputs by label: the rows of one split. */
type Texts = Readonly<Record<string, readonly string[]>>;

const TICKETS: Readonly<Record<string, Texts>> = {
  train: {
    hardware: [
      'The printer on floor two is out of paper.', 'My screen stays black.', 'The keyboard lost three keys.',
      'The fan of my computer is very loud.',
    ],
    software: [
      'The editor closes when I save.', 'The update stops at half.', 'My calendar shows the wrong week.',
      'The browser cannot open the page.',
    ],
    accounts: [
      'I forgot my password.', 'My account is locked.', 'Please add me to the mailing list.',
      'My user name has a typing mistake.',
    ],
  },
  test: {
    hardware: ['The mouse does not move.', 'The cable of the projector is broken.'],
    software: ['The program does not start.', 'The text has the wrong font after the update.'],
    accounts: ['I cannot log in with my password.', 'Please close my old account.'],
  },
};

const MAILS: Readonly<Record<string, Texts>> = {
  train: {
    hr: [
      'I will be away next Monday.', 'When does my contract end?', 'May I work from home this week?',
      'A new colleague begins in May.', 'Who plans the summer holidays?', 'I was ill for two days.',
    ],
    fin: [
      'The invoice of March is not paid.', 'Where do I send the receipts of my trip?', 'The bank changed our number.',
      'Please send me the budget.', 'The bill was paid twice.', 'Who signs orders of this size?',
    ],
  },
  test: {
    hr: ['How many days of leave do I have?', 'I would like to work four days a week.', 'Who interviews the new colleague?'],
    fin: ['The price on the invoice is wrong.', 'When will my trip be paid?', 'We need an offer for ten chairs.'],
  },
};

const yaml = (id: string, schema: string): string => `# yaml-language-server: $schema=${schema}
id: ${id}
version: 1.0.0
kind: domain
title: Tickets and mails
description: Who should answer a message of our staff. Example rows, written by hand; put yours in their place.
licence: CC0-1.0
seed: 1
prompt: |-
  {input}
  Who answers this: {options}?
  Answer:
# twelve rows a task and a small model take many epochs: what is not learned cannot be forgotten, so that joint has to come out well above zero-shot
training: { epochs: 20, batch: 4, learningRate: 2.5e-3, warmup: 0.1, weightDecay: 0, clip: 1, rank: 8, alpha: 16, sites: [q, k, v, o, gate, up, down], maxTokens: 96 }
sizes:
  full: { train: all, validation: all, test: all }
tasks:
  - { id: tickets, title: Tickets of the help desk, labels: [hardware, software, accounts] }
  - { id: mails, title: Mails to the office, labels: { hr: personnel, fin: finance } }
orders:
  1: [tickets, mails]
  2: [mails, tickets]
`;

/** Rows as JSON lines; the labels take turns. */
function jsonLines(prefix: string, texts: Texts): string {
  const rows = Object.entries(texts).flatMap(([output, inputs]) => inputs.map((input, turn) => ({ input, output, turn }))).sort((a, b) => a.turn - b.turn);
  return rows.map(({ input, output }, i) => `${JSON.stringify({ id: `${prefix}-${i + 1}`, input, output })}\n`).join('');
}

/**
 * Writes a suite to begin with: a suite.yaml and four files of rows. The folder appears whole or not at all.
 *
 * @param name name of the suite, or the path of its folder
 * @returns the folder
 * @throws the errors of `checkName` and `writeFolder`
 */
function newSuite(name: string): string {
  const folder = resolve(name);
  const id = basename(folder);
  checkName('suite', id, (near) => quoted(join(dirname(name), near)));
  const files: Record<string, string> = { 'suite.yaml': yaml(id, relative(folder, suiteSchema).replaceAll('\\', '/')) };
  for (const [task, splits] of [['tickets', TICKETS], ['mails', MAILS]] as const) {
    for (const [split, texts] of Object.entries(splits)) files[`${task}/${split}.jsonl`] = jsonLines(`${task}-${split}`, texts);
  }
  writeFolder(folder, files);
  return folder;
}

/** Adds `lethe new suite`. */
export function addNewSuite(command: Command, output: Output): void {
  command.command('suite <name>')
    .description('a folder with a suite.yaml and rows of two tasks, which validates and runs; NAME may be a path')
    .action((name: string) => {
      const folder = here(newSuite(name));
      output.data(folder);
      output.note(`next: put your rows into it, then ${npmRun('lethe --')} validate ${quoted(folder)}, and ${npmRun('lethe --')} run ${quoted(`${folder}/suite.yaml`)}`);
    });
}
