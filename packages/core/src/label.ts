import type { RunIdentity } from './results.js';

type RunMethod = RunIdentity['method'];

/** What to call a method of a run: its label, where it was given one. */
export const methodName = ({ id, label }: Pick<RunMethod, 'id' | 'label'>): string => label ?? id;

/** A method without its label, which has no part in its numbers: runs of equals under two labels are runs of one method. */
export function unlabelled({ label: _, ...method }: RunMethod): Omit<RunMethod, 'label'> {
  return method;
}
