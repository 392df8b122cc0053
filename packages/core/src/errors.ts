import { distance } from 'fastest-levenshtein';

/** Every error that a user can cause or meet, with what it means and how to mend it. Codes are stable. */
export const ERROR_CATALOGUE = {
  // plugins
  LETHE_PLUGIN_UNKNOWN: 'No plugin of this kind has this name.',
  LETHE_PLUGIN_MANIFEST: 'A plugin.json does not match its schema.',
  LETHE_PLUGIN_VERSION: 'A plugin asks for another version of Lethe.',
  LETHE_PLUGIN_DEPENDENCY: 'A plugin needs a package that is not installed.',
  LETHE_PLUGIN_OPTIONS: 'A method option is unknown, of the wrong type or out of range.',
  LETHE_PLUGIN_EXPORT: 'The code of a plugin does not export what its kind asks for.',
  LETHE_PLUGIN_DUPLICATE: 'Two plugins of one kind have the same name.',
  LETHE_FOLDER_EXISTS: 'The folder of a new plugin, suite or run is taken.',
  LETHE_PLUGIN_CONFORMANCE: 'A method breaks rules of the conformance suite.',
  LETHE_METHOD_FAILED: 'A method broke its contract or threw while it ran.',
  LETHE_METHOD_CAPABILITY: 'A method used what its manifest does not declare.',
  // suites and data
  LETHE_SUITE_UNKNOWN: 'No suite, or no size of a suite, has this name.',
  LETHE_SUITE_INVALID: 'A suite file does not match its schema or contradicts itself.',
  LETHE_DATA_MISSING: 'The rows of a task were not found.',
  LETHE_DATA_AMBIGUOUS: 'The rows of a task are there in several formats.',
  LETHE_DATA_CHANGED: 'A data file is not the one that a suite was made with.',
  LETHE_DATA_ROW: 'A row of a data file cannot be used.',
  LETHE_SCORER_UNKNOWN: 'No scorer has this name.',
  // downloads
  LETHE_HUB_UNREACHABLE: 'The hub that files are downloaded from cannot be reached.',
  LETHE_HUB_FILE: 'The hub has no such file, does not give it out, or gave another one.',
  LETHE_HUB_STORE: 'What the hub gives cannot be written to this machine.',
  // models
  LETHE_MODEL_MISSING: 'The model was not found.',
  LETHE_MODEL_HUB: 'A model of the hub is not on this machine, and the hub does not give it.',
  LETHE_MODEL_CONFIG: 'The configuration of a model cannot be used.',
  LETHE_MODEL_WEIGHTS: 'A weights file is damaged or does not fit the configuration.',
  LETHE_MODEL_TOKENIZER: 'The tokenizer of a model cannot be used.',
  LETHE_MODEL_CHAT: 'A model has no chat template, or one that cannot be used.',
  LETHE_MODEL_CODE: 'The architecture that a model plugin brings threw, or broke its contract.',
  LETHE_MODEL_SITES: 'A suite adapts linear layers of kinds that the model does not have.',
  LETHE_MODEL_LENGTH: 'Longer sequences are asked for than the model can read.',
  // adapters
  LETHE_ADAPTER_MISSING: 'The files of a PEFT adapter were not found.',
  LETHE_ADAPTER_INVALID: 'A PEFT adapter is damaged, of a kind that cannot be used, or made for another model.',
  LETHE_ADAPTER_NONE: 'What a method adds to the model is not a low-rank adapter.',
  LETHE_ADAPTER_EXISTS: 'The folder already holds an adapter.',
  // generation
  LETHE_GENERATION_OPTIONS: 'An option of generation is out of range.',
  // engine
  LETHE_ENGINE_KERNEL: 'The compiler has no kernel for this operation.',
  LETHE_ENGINE_READ: 'Values were read while a function was being traced.',
  LETHE_ENGINE_SHAPE: 'A traced function combined tensors whose shapes do not go together.',
  LETHE_ENGINE_TRACE: 'A traced function used a tensor that another program made, or gave something else than tensors.',
  LETHE_ENGINE_INPUT: 'A program was given inputs of another name, shape or type.',
  LETHE_ENGINE_MEMORY: 'There is not enough memory to run a program.',
  LETHE_ENGINE_DEVICE: 'The device is not there or cannot run this.',
  LETHE_ENGINE_NUMBERS: 'A loss or score is not a finite number.',
  // runs and results
  LETHE_RUN_EXISTS: 'The output folder already holds another run.',
  LETHE_RUN_MISSING: 'There is no run in this folder.',
  LETHE_RUN_VERSION: 'The run was made by another version of Lethe and cannot be continued.',
  LETHE_RUN_DAMAGED: 'A file of a run is damaged.',
  LETHE_RUN_CHANGED: 'The model, the rows or a method of a run are no longer what they were when it began.',
  LETHE_RUN_BUSY: 'Another process is at work on the run.',
  LETHE_RUN_CRASHED: 'The worker thread of a run ended by an uncaught error.',
  LETHE_RUN_STOPPED: 'The run was stopped before its end.',
  LETHE_RESULTS_INVALID: 'A results file does not match its schema or its own numbers.',
  LETHE_RUN_AMBIGUOUS: 'The same run is there with two outcomes.',
  LETHE_STATISTICS_MISSING: 'A mean was asked for where a value is missing.',
  LETHE_REPORTED_INVALID: 'A table of numbers that papers report cannot be used.',
  LETHE_ENTRY_EXISTS: 'The leaderboard already has this entry.',
  // command line
  LETHE_FILES: 'A file or folder cannot be read or written.',
  LETHE_PORT_BUSY: 'The port of a server is taken or not allowed.',
  LETHE_USAGE: 'The command line cannot be understood.',
  LETHE_INTERNAL: 'A defect in Lethe.',
} as const;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export interface ErrorDetails {
  /** Where: `file:line`, a plugin folder, an option's name. */
  readonly where?: string;
  /** How to mend it, as an instruction. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** One clear error: a stable code, what is wrong, where, and how to mend it. */
export class LetheError extends Error {
  readonly where: string | undefined;
  readonly remedy: string | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'LetheError';
    this.where = details.where;
    this.remedy = details.remedy;
  }

  /** The same error, which is its cause, with another message, place or remedy. */
  with({ message = this.message, where = this.where, remedy = this.remedy }: Omit<ErrorDetails, 'cause'> & { readonly message?: string }): LetheError {
    return new LetheError(this.code, message, { ...(where !== undefined && { where }), ...(remedy !== undefined && { remedy }), cause: this });
  }

  /** Several lines: code and message, then place and remedy where there are any. */
  describe(): string {
    return [
      `${this.code}: ${this.message}`,
      ...(this.where ? [`  at  ${this.where}`] : []),
      ...(this.remedy ? [`  fix ${this.remedy}`] : []),
    ].join('\n');
  }
}

/** ` Did you mean "x"?` for the nearest of `known`, else for the first that has `given` in it; the empty string when there is none. */
export function didYouMean(given: string, known: readonly string[]): string {
  const asked = given.toLowerCase();
  const [best] = known
    .map((name) => ({ name, d: distance(asked, name.toLowerCase()) }))
    .sort((a, b) => a.d - b.d);
  const isNear = best !== undefined && best.d < given.length && best.d <= Math.max(2, Math.floor(best.name.length / 3));
  // a word of a name is far from it in letters
  const meant = isNear ? best.name : known.find((name) => asked.length > 3 && name.toLowerCase().includes(asked));
  return meant === undefined ? '' : ` Did you mean "${meant}"?`;
}
