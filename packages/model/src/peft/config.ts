import { LetheError, didYouMean, readDocument } from '@lethe/core';

/** What a PEFT `adapter_config.json` of LoRA says of its update. */
export interface PeftConfig {
  readonly file: string;
  /** Whether the update has a part at a linear layer. */
  targets(module: string): boolean;
  /** The rank at a linear layer. */
  rank(module: string): number;
  /** What multiplies (x A) B there: alpha / rank, or alpha / sqrt(rank) for rank-stabilised LoRA (arXiv 2312.03732, theorem 3.2). */
  scale(module: string): number;
}

/** Fields that, when they are set, make the update something else than scale (x A) B at linear layers. */
const OTHER_UPDATES = [
  'use_dora', 'modules_to_save', 'lora_bias', 'trainable_token_indices', 'layer_replication', 'target_parameters',
  'alora_invocation_tokens', 'use_qalora', 'use_bdlora', 'arrow_config', 'velora_config', 'kasa_config', 'monteclora_config',
] as const;
/** Ways to begin an adapter that leave the weights of the model as they are. */
const PLAIN_STARTS: readonly unknown[] = [undefined, true, false, 'gaussian', 'orthogonal', 'eva', 'mica'];
const isSet = (value: unknown) =>
  value !== undefined && value !== null && value !== false && !(typeof value === 'object' && Object.keys(value).length === 0);
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every((part) => typeof part === 'string');
const isAbove0 = (value: unknown): value is number => typeof value === 'number' && value > 0 && Number.isFinite(value);
const isRank = (value: unknown): value is number => isAbove0(value) && Number.isSafeInteger(value);

/** Whether a list of PEFT names a module: whole, or by the last parts of its name. */
const names = (list: readonly string[], module: string) => list.some((part) => module === part || module.endsWith(`.${part}`));

class AdapterFields {
  private readonly json: Readonly<Record<string, unknown>>;
  private readonly locate: (pointer: string) => string;

  constructor(readonly file: string) {
    const { value, locate } = readDocument(file, 'JSON', 'LETHE_ADAPTER_INVALID');
    this.locate = locate;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.refuse('', 'The configuration of the adapter is not a JSON object.');
    this.json = value as Record<string, unknown>;
  }

  refuse(field: string, message: string, remedy = 'Save the adapter again with PEFT.'): never {
    throw new LetheError('LETHE_ADAPTER_INVALID', message, { where: this.locate(field && `/${field}`), remedy });
  }

  get(field: string): unknown {
    return this.json[field] ?? undefined;
  }

  wrong(field: string, wanted: string): never {
    return this.refuse(field, `"${field}" must be ${wanted}, not ${JSON.stringify(this.get(field) ?? null)}.`);
  }

  /** A pattern of PEFT as it matches whole names. */
  expression(field: string, source: string): RegExp {
    try {
      return new RegExp(source);
    } catch {
      return this.refuse(field, `"${field}" has a pattern that cannot be read: ${source}`);
    }
  }

  /** A number by module: the first pattern that matches the end of its name, else `otherwise`. */
  byPattern<T extends number>(field: string, isValue: (value: unknown) => value is T, otherwise: T): (module: string) => T {
    const patterns = this.get(field) ?? {};
    if (typeof patterns !== 'object' || Array.isArray(patterns)) this.wrong(field, 'an object of numbers by module');
    const list = Object.entries(patterns as Record<string, unknown>).map(([source, value]) => {
      if (!isValue(value)) this.wrong(field, 'an object of numbers above 0');
      return { expression: this.expression(field, `^(?:.*\\.)?(?:${source})$`), value };
    });
    return (module) => list.find(({ expression }) => expression.test(module))?.value ?? otherwise;
  }

  /** Whether `field`, a list of names or one pattern, holds a module. */
  selection(field: string): ((module: string) => boolean) | undefined {
    const given = this.get(field);
    if (given === undefined) return undefined;
    if (isTexts(given)) return (module) => names(given, module);
    if (typeof given !== 'string') return this.wrong(field, 'a list of module names or a pattern');
    if (given === 'all-linear') return () => true;
    const expression = this.expression(field, `^(?:${given})$`);
    return (module) => expression.test(module);
  }

  /** Whether a module is in a layer that is adapted. As PEFT has it, its layer is the first number in its name, or that behind a part of a given name. */
  layers(): (module: string) => boolean {
    const given = this.get('layers_to_transform');
    if (!isSet(given)) return () => true;
    const list: unknown[] = Array.isArray(given) ? given : [given];
    if (!list.every((layer) => Number.isSafeInteger(layer))) this.wrong('layers_to_transform', 'a list of whole numbers');
    const parts = [this.get('layers_pattern') ?? []].flat();
    if (!isTexts(parts)) return this.wrong('layers_pattern', 'a name or a list of names');
    const expressions = parts.length > 0
      ? parts.map((part) => this.expression('layers_pattern', `^(?:|.*?\\.)${part}\\.(?<layer>\\d+)\\.`))
      : [/^.*?\.[^.]*\.(?<layer>\d+)\./];
    return (module) => {
      const found = expressions.map((expression) => expression.exec(module)).find((match) => match !== null);
      return found !== undefined && list.includes(Number(found.groups!['layer']));
    };
  }

  /** Whether `target_modules` and the settings of layers mean a module. One that is named in full is meant whatever its layer. */
  targets(): (module: string) => boolean {
    const selected = this.selection('target_modules') ?? this.wrong('target_modules', 'a list of module names or a pattern');
    const layers = this.layers();
    const given = this.get('target_modules');
    const whole: readonly unknown[] = Array.isArray(given) ? given : [];
    return (module) => selected(module) && (whole.includes(module) || layers(module));
  }
}

function checkKind(fields: AdapterFields): void {
  const kind = fields.get('peft_type');
  if (kind !== 'LORA') {
    fields.refuse('peft_type', `The adapter is of type ${JSON.stringify(kind ?? null)}; "LORA" can be used.`, 'Train and save a LoRA adapter.');
  }
  for (const field of OTHER_UPDATES) {
    if (isSet(fields.get(field))) {
      fields.refuse(field, `"${field}" is set, so that the adapter is not a low-rank update of linear layers alone.`,
        `Train the adapter without "${field}", or merge it into the model with PEFT and use that model.`);
    }
  }
  const start = fields.get('init_lora_weights');
  if (!PLAIN_STARTS.includes(typeof start === 'string' ? start.toLowerCase() : start)) {
    // PEFT changes the weights of the model whenever it builds such a layer, so that the update alone is another model
    const plain = PLAIN_STARTS.filter((each) => each !== undefined).join(', ');
    fields.refuse('init_lora_weights', `"init_lora_weights" is ${JSON.stringify(start)}, which may change the weights of the model; ${plain} do not.`,
      'Convert it with PEFT (save_pretrained with path_initial_model_for_weight_conversion), or merge it into the model and use that.');
  }
  const bias = fields.get('bias') ?? 'none';
  if (bias !== 'none') fields.refuse('bias', `"bias" is ${JSON.stringify(bias)}: trained biases are not part of a low-rank update.`, 'Train the adapter with bias="none".');
}

/** Every name in a list of targets must be one of the model, so that a misspelt one is not passed over. */
function checkTargets(fields: AdapterFields, modules: readonly string[]): void {
  const given = fields.get('target_modules');
  if (!isTexts(given)) return;
  const stray = given.find((part) => !modules.some((module) => names([part], module)));
  if (stray === undefined) return;
  const kinds = [...new Set(modules.map((module) => module.split('.').at(-1)!))];
  fields.refuse('target_modules', `The model has no linear layer called "${stray}".${didYouMean(stray, kinds)}`,
    `Use an adapter of this model; its linear layers are ${kinds.join(', ')}.`);
}

/**
 * Reads a PEFT `adapter_config.json` of LoRA.
 *
 * @param modules the names of the model's linear layers in its checkpoint
 * @throws LETHE_ADAPTER_INVALID with file:line, for another kind of adapter, fields of a wrong type, and targets that the model lacks
 */
export function readPeftConfig(file: string, modules: readonly string[]): PeftConfig {
  const fields: AdapterFields = new AdapterFields(file);
  checkKind(fields);
  checkTargets(fields, modules);
  const targets = fields.targets();
  const excluded = fields.selection('exclude_modules') ?? (() => false);
  const [r, alpha] = [fields.get('r'), fields.get('lora_alpha')];
  if (!isRank(r)) fields.wrong('r', 'a whole number above 0');
  if (!isAbove0(alpha)) fields.wrong('lora_alpha', 'a number above 0');
  const rank = fields.byPattern('rank_pattern', isRank, r);
  const alphaOf = fields.byPattern('alpha_pattern', isAbove0, alpha);
  const stabilised = isSet(fields.get('use_rslora'));
  return {
    file,
    targets: (module) => targets(module) && !excluded(module),
    rank,
    scale: (module) => alphaOf(module) / (stabilised ? Math.sqrt(rank(module)) : rank(module)),
  };
}

/**
 * The model that an adapter says it was trained on, as `adapter_config.json` names it: a folder, or a model of the hub with its revision.
 *
 * @throws LETHE_ADAPTER_INVALID where it names none
 */
export function readBaseName(file: string): { name: string; revision?: string } {
  const fields: AdapterFields = new AdapterFields(file);
  const [name, revision] = [fields.get('base_model_name_or_path'), fields.get('revision')];
  if (typeof name !== 'string' || name === '') return fields.refuse('base_model_name_or_path', 'The adapter does not say which model it was trained on.', 'Name the model with --model.');
  return { name, ...(typeof revision === 'string' ? { revision } : {}) };
}
