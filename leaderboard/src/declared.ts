import { type Capabilities, LetheError, type Run, canonicalJson } from '@lethe/core';
import { isJoint } from '@lethe/metrics';

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

/** What is known of a method of this version, if anything. */
export type DescribeMethod = (id: string, version: string) => KnownMethod | undefined;

/** Of methods without their plugins, nothing. */
export const unknown: DescribeMethod = () => undefined;

/**
 * Checks what results say of methods against their plugins, where those of the same version are at hand: a method that keeps rows, is told the
 * task or is a bound is not a rival like others, what learns one task after another was scored after each, options are those that there are, and the commands of an entry leave out what is a default.
 *
 * @throws LETHE_RESULTS_INVALID
 */
export function checkDeclared(runs: readonly Run[], notes: Readonly<Record<string, MethodNote>>, describe: DescribeMethod, where: string): void {
  for (const run of runs) {
    const { method: { id, version, options, capabilities } } = run;
    const known = describe(id, version);
    if (!known) continue;
    const fault = canonicalJson(known.capabilities(options)) !== canonicalJson(capabilities) ? 'capabilities'
      : !known.accepts(options) ? 'options'
      : run.status === 'completed' && run.order.tasks.length > 1 && isJoint(run.matrix) !== (known.stream === 'joint') ? 'points of the stream'
      : notes[id]?.version === version && canonicalJson(notes[id].defaults) !== canonicalJson(known.note.defaults) ? 'defaults' : null;
    if (fault === null) continue;
    throw new LetheError('LETHE_RESULTS_INVALID', `The results name other ${fault} of ${id} ${version} than its plugin, which is here.`, {
      where, remedy: 'Make the runs again; where the plugin was changed, give it another version.',
    });
  }
}
