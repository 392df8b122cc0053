import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LetheError } from '@lethe/core';

export const REMEDY = 'Name a folder that holds config.json, tokenizer.json and model.safetensors (or its index and shards).';

/** What checkpoints have in the place of a file that is read, and the class of transformers that writes the file out of it. */
const INSTEAD: Readonly<Record<string, readonly [writer: string, others: readonly string[]]>> = {
  'tokenizer.json': ['AutoTokenizer', ['tokenizer.model', 'spiece.model', 'sentencepiece.bpe.model', 'vocab.json', 'vocab.txt']],
  'model.safetensors': ['AutoModelForCausalLM', ['pytorch_model.bin', 'pytorch_model.bin.index.json']],
};
const SEQUENCE_TO_SEQUENCE = '; for T5 it is AutoModelForSeq2SeqLM';

/**
 * The error of a file of a model that cannot be read. Where the folder has another form of it, the remedy is the line of Python that converts it.
 *
 * @param reason what the file system says, such as ENOENT
 */
export function cannotRead(file: string, reason: string, cause?: unknown): LetheError {
  const [folder, name] = [dirname(file), basename(file)];
  const [writer, others] = INSTEAD[name] ?? ['', []];
  const other = reason === 'ENOENT' ? others.find((one) => existsSync(join(folder, one))) : undefined;
  const path = JSON.stringify(folder);
  const remedy = other === undefined ? REMEDY
    : `Make it of ${other}, in Python: from transformers import ${writer}; ${writer}.from_pretrained(${path}).save_pretrained(${path})${writer === 'AutoModelForCausalLM' ? SEQUENCE_TO_SEQUENCE : ''}`;
  return new LetheError('LETHE_MODEL_MISSING', `The model file ${name} cannot be read (${reason}).`, { where: file, remedy, cause });
}

/** How a file begins that stands for one that Git LFS has not fetched. */
const POINTER = 'version https://git-lfs';

/** Whether what was read is no file of a model, but what a clone without Git LFS has in its place. */
export const isPointer = (beginning: string): boolean => beginning.length >= 8 && POINTER.startsWith(beginning.slice(0, POINTER.length));

/** What is wrong with such a file, and the remedy. */
export const POINTER_FAULT = { message: 'The file is a pointer of Git LFS: what it stands for was not fetched.', remedy: 'In the folder: git lfs install && git lfs pull.' } as const;
