import { type Plugin, type Run, canonicalJson, grouped, methodName, readManifest } from '@lethe/core';
import { sweepOf, trialMean } from '@lethe/metrics';
import type { Configuration, ConfiguredMethod } from '../run/configuration.js';
import { optionsOf, triedWith } from '../run/methods.js';
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
 * @param runs those of all methods of the configuration, which are forms; others are passed over
 * @param where the results of the sweep, for messages
 */
export function laterTrials({ methods, trials: count = 0 }: Configuration, runs: readonly Run[], where: string): LaterTrials {
  const sweep = sweepOf({ runs }, where);
  const later = grouped(methods, methodName).map((forms) => {
    const { label, given = {}, manifest: file, codePath } = forms[0]!;
    const plugin: Plugin = { manifest: readManifest(file), file, codePath };
    const name = methodName(forms[0]!);
    const tried = sweep.methods.find((method) => methodName(method) === name)?.trials ?? [];
    const resultOf = (form: ConfiguredMethod['options']) => tried.find(({ options }) => canonicalJson(options) === canonicalJson(optionsOf(plugin, form)));
    const form = bestForm(plugin.manifest, given, (options) => {
      const trial = resultOf(options);
      return trial === undefined ? null : trialMean(trial);
    });
    const found = Object.entries(form).filter(([option]) => !Object.hasOwn(given, option)).map(([option, value]) => `${option}=${JSON.stringify(value)}`);
    const settings = trialsOf(plugin.manifest, given, count, form).slice(forms.length);
    return { methods: triedWith(plugin, label, given, settings), found: found.length > 0 && settings.length > 0 ? [`${name} ${found.join(' ')}`] : [] };
  });
  return { methods: later.flatMap((one) => one.methods), found: later.flatMap((one) => one.found) };
}
