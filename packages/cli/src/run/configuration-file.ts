import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, LetheError, isPath, parseHubReference, readDocument, schemaFault } from '@lethe/core';
import { budgetFault } from '@lethe/data';
import { Ajv } from 'ajv';
import type { MethodRequest, RunRequest } from './request.js';

/** A configuration file as its schema, `schemas/run.schema.json`, lets it be. */
interface ConfigurationFile extends Omit<RunRequest, 'methods' | 'orders'> {
  readonly methods?: readonly (string | (Omit<MethodRequest, 'options' | 'locate'> & Partial<Pick<MethodRequest, 'options'>>))[];
  readonly orders?: readonly (string | number)[];
}

const validate = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true, keywords: ['patternErrorMessage'] }).compile<ConfigurationFile>(
  JSON.parse(readFileSync(new URL('../../../schemas/run.schema.json', import.meta.url), 'utf8')) as object);

/** The remedy for a field that there is not: those that there are; another one for anything else. */
const fieldsOr = (fields: readonly string[] | undefined, other: string) => (fields ? `the fields here are: ${fields.join(', ')}` : other);

/** Whether a document is a suite instead of a configuration: a suite has tasks. */
const isSuite = (value: unknown) => typeof value === 'object' && value !== null && 'tasks' in value;

/**
 * Reads the file of a benchmark. Names that are paths are taken from the folder of the file.
 *
 * @returns what it asks for; for a suite.yaml a request of that suite with everything else left out
 * @throws LETHE_USAGE with file:line where it does not match its schema
 */
export function readConfigurationFile(file: string): RunRequest {
  let document: Document;
  try {
    document = readDocument(file, 'YAML', 'LETHE_USAGE');
  } catch (cause) {
    if (cause instanceof LetheError) throw cause;
    throw new LetheError('LETHE_USAGE', 'The file cannot be read.', { where: file, remedy: 'give the name of a suite or the path of a file', cause });
  }
  const { value, locate } = document;
  if (isSuite(value)) return { suite: file };
  if (!validate(value)) {
    const { pointer, message, fields, remedy = 'see packages/cli/schemas/run.schema.json' } = schemaFault(validate.errors!, 'the configuration');
    throw new LetheError('LETHE_USAGE', message, { where: locate(pointer), remedy: fieldsOr(fields, remedy) });
  }
  const fault = value.training === undefined ? null : budgetFault(value.training);
  if (fault) {
    const { pointer, message, fields, remedy = 'write it as "training" of a suite, with those fields alone that differ' } = fault;
    throw new LetheError('LETHE_USAGE', `training: ${message}`, { where: locate(`/training${pointer}`), remedy: fieldsOr(fields, remedy) });
  }
  const here = (path: string) => resolve(dirname(file), path);
  const named = (name: string) => (isPath(name) ? here(name) : name);
  const { suite, methods, plugins, orders, model, adapter, dataDir, tuned, out, ...rest } = value;
  return {
    ...rest,
    suite: named(suite),
    ...(methods && { methods: methods.map((method, i) => (typeof method === 'string'
      ? { name: named(method), options: {} }
      : { ...method, name: named(method.name), options: method.options ?? {}, locate: (option) => locate(`/methods/${i}/options/${option}`) })) }),
    ...(plugins && { plugins: plugins.map(here) }),
    ...(orders && { orders: orders.map(String) }),
    // what could be a folder beside the file or a model of the hub is the folder where there is one
    ...(model && { model: parseHubReference(model) && !existsSync(here(model)) ? model : named(model) }),
    ...(adapter && { adapter: here(adapter) }),
    ...(dataDir && { dataDir: here(dataDir) }),
    ...(tuned && { tuned: tuned.map(here) }),
    ...(out && { out: here(out) }),
  };
}
