import { LetheError, type RunIdentity, type SuiteData, canonicalJson, suiteLabel } from '@lethe/core';
import type { Claim } from './claims.js';

const short = (sha256: string) => sha256.slice(0, 12);

/** sha256 by id of the rows that a run of an order reads: those of its tasks and of all probes. */
function rowsRead({ tasks, probes }: SuiteData, order: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries([...tasks.filter(({ id }) => order.includes(id)), ...probes].map(({ id, sha256 }) => [id, sha256]));
}

function differences({ suite, method, model, training, run }: Claim, identity: RunIdentity, here: SuiteData): string[] {
  const all: string[] = [];
  const compare = (what: string, published: unknown, now: unknown, show: (value: never) => string = String) => {
    if (canonicalJson(published ?? null) !== canonicalJson(now ?? null)) all.push(`${what}: ${show(published as never)}, here ${show(now as never)}`);
  };
  compare('suite', suite, identity.suite, suiteLabel);
  compare(`method ${method.id}`, method.version, identity.method.version);
  compare(`options of ${method.id}`, method.options, identity.method.options, canonicalJson);
  compare('training', training, identity.training, canonicalJson);
  // a folder may have another name than it had where the run was made
  compare(`model ${model.id}`, model.sha256, identity.model.sha256, short);
  compare('chat template', model.chat ?? false, identity.model.chat ?? false);
  // of a trial neither the tasks of its order nor its rows are kept: that they are others shows in what comes of it
  if (!run) return all;
  const { order, environment } = run;
  compare(`tasks of order ${order.id}`, order.tasks, identity.order.tasks, (tasks: readonly string[]) => tasks.join(' '));
  const data = rowsRead(here, identity.order.tasks);
  // a run that failed at once names no rows
  const rows = new Set(run.status === 'failed' ? Object.keys(environment.dataSha256) : [...Object.keys(environment.dataSha256), ...Object.keys(data)]);
  for (const task of rows) compare(`rows of ${task}`, environment.dataSha256[task] ?? 'none', data[task] ?? 'none', short);
  return all;
}

/**
 * Checks that what a run would be made with is what it was made with.
 *
 * @param where the results
 * @throws LETHE_RUN_CHANGED with all that differs
 */
export function checkTerms(claim: Claim, identity: RunIdentity, suite: SuiteData, where: string): void {
  const all = differences(claim, identity, suite);
  if (all.length === 0) return;
  const { git, lethe } = claim.environment;
  throw new LetheError('LETHE_RUN_CHANGED', `The results were made with something else than is here. ${all.join('; ')}.`, {
    where, remedy: `Make them again with what they were made with: Lethe ${lethe}${git === null ? '' : `, commit ${git}`}; rows with --data-dir, a model with --model, a suite with --suite.`,
  });
}
