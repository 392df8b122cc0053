import { type Run, type TunedMethod, canonicalJson, departureWords, deviceWords, methodName, quoted, unlabelled } from '@lethe/core';

/** The defaults of a method's options, or undefined where they are not known. */
export type DefaultsOf = (method: string) => Readonly<Record<string, unknown>> | undefined;

const unique = (values: readonly string[]): string[] => [...new Set(values)];

/** The options that differ from the defaults; all of them where the defaults are not known. */
export function changedOptions({ method }: Pick<Run, 'method'>, defaultsOf: DefaultsOf): [name: string, value: unknown][] {
  const defaults = defaultsOf(method.id) ?? {};
  return Object.entries(method.options).filter(([name, value]) =>
    !Object.hasOwn(defaults, name) || canonicalJson(defaults[name]) !== canonicalJson(value));
}

/** A value as `--set` reads it back: JSON where the text would be read as JSON, else the text itself. */
function settingValue(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  try {
    JSON.parse(value);
  } catch {
    return value;
  }
  return JSON.stringify(value);
}

/** Splits runs so that no part has a method with two sets of options: `--set` holds for every run of a command. */
function rounds(runs: readonly Run[]): Run[][] {
  const variants = new Map<string, string[]>();
  const parts: Run[][] = [];
  for (const run of runs) {
    const known = variants.get(run.method.id) ?? [];
    variants.set(run.method.id, known);
    const options = canonicalJson(run.method.options);
    if (!known.includes(options)) known.push(options);
    (parts[known.indexOf(options)] ??= []).push(run);
  }
  return parts;
}

function commandOf(runs: readonly Run[], defaultsOf: DefaultsOf): string {
  const { suite, model, environment } = runs[0]!;
  const flag = (name: string, value: string, byDefault?: string) => (value === byDefault ? [] : [`--${name} ${quoted(value)}`]);
  const list = (name: string, values: readonly string[]) => flag(name, unique(values).join(','));
  const settings = runs.flatMap((run) => changedOptions(run, defaultsOf).map(([name, value]) =>
    `--set ${quoted(`${run.method.id}.${name}=${settingValue(value)}`)}`));
  return [
    'lethe run', quoted(suite.id), ...flag('size', suite.size, 'full'), ...departureWords(suite),
    ...list('methods', runs.map((run) => run.method.id)), ...list('orders', runs.map((run) => run.order.id)),
    ...list('seeds', runs.map((run) => String(run.seed))),
    ...flag('model', model.adapter?.base.id ?? model.id), ...(model.adapter ? flag('adapter', model.adapter.id) : []), ...(model.chat ? ['--chat'] : []),
    ...(runs.some((run) => run.environment.skippedRows) ? ['--skip-bad-rows'] : []), ...flag('device', deviceWords(runs.map((run) => run.environment.device)), 'cpu'), ...flag('threads', String(environment.threads), '1'),
    ...(environment.microBatch === undefined ? [] : [`--micro-batch ${environment.microBatch}`]),
    ...unique(settings),
  ].join(' ');
}

/**
 * The command lines that make these runs again, mostly one: a method that ran with several sets of options needs several.
 *
 * @param runs of one suite and model, not empty
 */
export function commandsOf(runs: readonly Run[], defaultsOf: DefaultsOf): string[] {
  return rounds(runs).map((part) => commandOf(part, defaultsOf));
}

/** How many runs of methods x orders x seeds are not there: a command would make more than was published. */
export function missingRuns(runs: readonly Run[]): number {
  const count = (key: (run: Run) => unknown) => new Set(runs.map((run) => canonicalJson(key(run)))).size;
  return count((run) => unlabelled(run.method)) * count((run) => run.order) * count((run) => run.seed) - runs.length;
}

const reproduce = (file: string): string => `lethe reproduce ${quoted(`leaderboard/entries/${file}`)}`;

/** The command line that makes some runs of an entry again, drawn by a number, and compares their answers. */
export const drawCommand = (file: string): string => `${reproduce(file)} --draw 7`;

/** The command line that makes trials of a method again, by which its options were chosen, and compares their accuracies. */
export const retryCommand = (tuned: TunedMethod, file: string): string =>
  `${reproduce(file)} --trials --method ${quoted(methodName(tuned))}`;

/** The command line that makes a run of an entry again and compares its answers; null where the name of its method means several. */
export function reproduceCommand(run: Run, all: readonly Run[], file: string): string | null {
  const same = all.filter(({ method }) => methodName(method) === methodName(run.method));
  if (new Set(same.map(({ method }) => canonicalJson(method.options))).size > 1) return null;
  return `${reproduce(file)} --method ${quoted(methodName(run.method))} --order ${quoted(run.order.id)} --seed ${run.seed}`;
}
