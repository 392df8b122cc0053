import { type Plugin, type Run, grouped, methodName, readManifest } from '@lethe/core';
import { sweepOf, trialMean, tunedIn } from '@lethe/metrics';
import type { Configuration, ConfiguredMethod } from '../run/configuration.js';
import { triedWith } from '../run/methods.js';
import { bestForm, trialsOf } from './trials.js';

/** What follows the forms of methods. */
interface LaterTrials {
  readonly methods: readonly ConfiguredMethod[];
  /** What was found of the forms, in words, of each method for which another than the defaults did better. */
  readonly found: readonly string[];
}

/**
 * The trials of a sweep that follow its forms, by how those did: the numbers of a method, under the form of it that did best. Its plugins are
 * those that it began with.
 *
 * @param runs all of the configuration, whose methods are forms, in their order
 * @param where the results of the sweep, for messages
 */
export function laterTrials({ methods, trials: count = 0 }: Configuration, runs: readonly Run[], where: string): LaterTrials {
  const sweep = sweepOf({ runs }, where);
  const later = grouped(methods, methodName).map((forms) => {
    const { label, given = {}, manifest: file, codePath } = forms[0]!;
    const plugin: Plugin = { manifest: readManifest(file), file, codePath };
    const form = bestForm(plugin.manifest, given, tunedIn(sweep, forms[0]!)!.trials.map(trialMean));
    const found = Object.entries(form).filter(([option]) => !Object.hasOwn(given, option)).map(([option, value]) => `${option}=${JSON.stringify(value)}`);
    const settings = trialsOf(plugin.manifest, given, count, form).slice(forms.length);
    return { methods: triedWith(plugin, label, given, settings), found: found.length > 0 && settings.length > 0 ? [`${methodName(forms[0]!)} ${found.join(' ')}`] : [] };
  });
  return { methods: later.flatMap((one) => one.methods), found: later.flatMap((one) => one.found) };
}
