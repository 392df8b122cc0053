import { type Run, methodName } from '@lethe/core';

/** The versions by which runs were made, for who cites numbers of them: of Lethe, and of every method, by its label where it has one. */
export function madeBy(runs: readonly Run[]): string {
  const lethe = new Set(runs.flatMap((run) => (run.status === 'completed' ? [run.environment.lethe] : [])));
  const methods = new Set(runs.map(({ method }) => `${methodName(method)}${method.label === undefined ? '' : ` (${method.id})`} ${method.version}`));
  return `made by Lethe ${[...lethe].join(', ')}: ${[...methods].join(', ')}`;
}
