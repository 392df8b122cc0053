import { type Capabilities, type CompletedRun, LetheError, type Order, type Results, type Run, type SuiteTerms, type TaskPredictions, canonicalJson } from '@lethe/core';
import { isJoint } from '@lethe/metrics';
import { askedIn, isCompleted } from './whole.js';

/** What the plugin of a method says of itself. */
export interface MethodNote {
  readonly version: string;
  readonly description: string;
  /** Address of the paper, or why there is none. */
  readonly paper: string | null;
  /** The default of every option. */
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** A method whose plugin is at hand. */
export interface KnownMethod {
  readonly note: MethodNote;
  /** Whether it meets the tasks one after another or all at once. */
  readonly stream: 'continual' | 'joint';
  /** What it declares with these options. */
  capabilities(options: Readonly<Record<string, unknown>>): Capabilities;
  /** Whether a run can have these options. */
  accepts(options: Readonly<Record<string, unknown>>): boolean;
}

/** The rows of a task or probe by which runs are scored. */
export interface ScoredRows {
  /** As `environment.dataSha256` states it. */
  readonly sha256: string;
  /** Their right answers, with no predictions. */
  readonly asked: TaskPredictions;
}

/** What is known of that which results only name. */
export interface Describer {
  /** What is known of a method of this version, if anything. */
  method(id: string, version: string): KnownMethod | undefined;
  /** What a suite asks, with these prompts and changes of the budget; undefined where that version is not known, null where it has no such size or prompts. */
  suite(named: Run['suite']): SuiteTerms | null | undefined;
  /** By task and probe, the rows of a suite that is known; undefined where they are not at hand, or may be others than those of a run. */
  rows(named: Run['suite']): Promise<Readonly<Record<string, ScoredRows>> | undefined>;
}

/** Nothing is known. */
export const unknown: Describer = { method: () => undefined, suite: () => undefined, rows: async () => undefined };

const differ = (one: unknown, other: unknown): boolean => canonicalJson(one ?? null) !== canonicalJson(other ?? null);

/** What a run says otherwise than the plugin of its method, in words; null where nothing. */
function methodFault(run: Run, known: KnownMethod, note: MethodNote | undefined): string | null {
  const { version, options, capabilities } = run.method;
  if (differ(known.capabilities(options), capabilities)) return 'capabilities';
  if (!known.accepts(options)) return 'options';
  if (isCompleted(run) && run.order.tasks.length > 1 && isJoint(run.matrix) !== (known.stream === 'joint')) return 'points of the stream';
  return note?.version === version && differ(note.defaults, known.note.defaults) ? 'defaults' : null;
}

/** What runs or trials say otherwise than their suite, in words; null where nothing. Of trials only the ids of orders are kept. */
function suiteFault(
  { suite, training }: Pick<Run, 'suite' | 'training'>, orders: readonly (Pick<Order, 'id'> & Partial<Order>)[], terms: SuiteTerms | null,
): string | null {
  if (terms === null) return 'sizes or prompts';
  if (differ(suite.changed, terms.changed) || differ(training, terms.training)) return 'training budgets';
  const other = orders.find(({ id, tasks: named }) => !terms.orders.some(({ id: own, tasks }) => own === id && !differ(named ?? tasks, tasks)));
  return other ? `tasks in order ${other.id}` : null;
}

/** Whether a run was scored on other probes than its suite has. */
function hasOtherProbes({ order, predictions }: CompletedRun, { probes, probesOptional }: SuiteTerms): boolean {
  const scored = Object.keys(predictions).filter((id) => !order.tasks.includes(id)).sort();
  return differ(scored, [...probes].sort()) && !(probesOptional && scored.length === 0);
}

/** What a run says otherwise than the rows of its suite, in words; null where nothing. */
function rowsFault({ predictions, environment: { dataSha256 } }: CompletedRun, rows: Readonly<Record<string, ScoredRows>>): string | null {
  for (const [task, own] of Object.entries(predictions)) {
    const known = Object.hasOwn(rows, task) ? rows[task] : undefined;
    if (!known) continue;
    if (dataSha256[task] !== known.sha256) return `rows in ${task}`;
    if (differ(askedIn(own), askedIn(known.asked))) return `right answers in ${task}`;
  }
  return null;
}

/**
 * Checks what results say of methods and suites against these themselves, where those of the same version are at hand: a method that keeps rows,
 * is told the task or is a bound is not a rival like others, what learns one task after another was scored after each, options are those that
 * there are, in trials too, and the commands of an entry leave out what is a default; runs and trials had the budget and orders of their suite,
 * and its probes, and runs were scored on its rows and by its right answers.
 *
 * @param results with at least one run, whole as `checkWhole` asks
 * @throws LETHE_RESULTS_INVALID
 */
export async function checkDeclared(
  { runs, sweep }: Pick<Results, 'runs' | 'sweep'>, notes: Readonly<Record<string, MethodNote>>, describer: Describer, where: string,
): Promise<void> {
  const refuse = (told: string, fault: string, { id, version }: Pick<Run['method'], 'id' | 'version'>, by: string) => {
    throw new LetheError('LETHE_RESULTS_INVALID', `The ${told} name other ${fault} of ${id} ${version} than its ${by}, which is here.`, {
      where, remedy: `Make the runs again; where the ${by} was changed, give it another version.`,
    });
  };
  for (const run of runs) {
    const { method } = run;
    const known = describer.method(method.id, method.version);
    const fault = known ? methodFault(run, known, notes[method.id]) : null;
    if (fault !== null) refuse('results', fault, method, 'plugin');
  }
  for (const tuned of sweep?.methods ?? []) {
    const known = describer.method(tuned.id, tuned.version);
    if (known && !tuned.trials.every(({ options }) => known.accepts(options))) refuse('trials', 'options', tuned, 'plugin');
  }
  const [first] = runs as readonly [Run];
  const terms = describer.suite(first.suite);
  if (terms !== undefined) {
    const fault = suiteFault(first, runs.map(({ order }) => order), terms)
      ?? (runs.filter(isCompleted).some((run) => hasOtherProbes(run, terms!)) ? 'probes' : null);
    if (fault !== null) refuse('results', fault, first.suite, 'suite');
  }
  // in rows and right answers all runs agree, be they right or not
  const scored = runs.find(isCompleted);
  const rows = terms && scored && await describer.rows(scored.suite);
  const other = rows ? rowsFault(scored!, rows) : null;
  if (other !== null) refuse('results', other, first.suite, 'suite');
  const tunedOn = sweep && describer.suite(sweep.suite);
  const fault = sweep && tunedOn !== undefined ? suiteFault(sweep, sweep.orders.map((id) => ({ id })), tunedOn) : null;
  if (fault !== null) refuse('trials', fault, sweep!.suite, 'suite');
}
