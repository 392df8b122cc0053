import { LetheError, type Plugin, loadMethod, loadScorer, resolveOptions } from '@lethe/core';
import { SCORER_RULES, type Verdict, checkMethod, judgeScorer } from '@lethe/testkit';
import { here } from './paths.js';

/** A rule that a plugin breaks: what was seen, and how it is mended. */
interface Broken {
  readonly rule: { readonly id: string; readonly remedy: string };
  readonly seen: string;
}

/** One error for all rules that are broken. */
function nonconformance({ manifest: { kind, name }, codePath }: Plugin, broken: readonly Broken[]): LetheError {
  const rules = broken.map(({ rule, seen }) => `${rule.id}: ${seen}`);
  return new LetheError('LETHE_PLUGIN_CONFORMANCE',
    `${kind} "${name}" breaks ${broken.length === 1 ? 'a rule' : `${broken.length} rules`} of the conformance suite\n  ${rules.join('\n  ')}`, {
      where: codePath, remedy: broken.map(({ rule }) => (broken.length === 1 ? rule.remedy : `${rule.id}: ${rule.remedy}`)).join('\n      '),
    });
}

const imported = ({ codePath }: Plugin) => `checked: code, imported from ${here(codePath)}`;

/**
 * Imports a method whose manifest is sound and checks it against the conformance suite, with the defaults of its options.
 *
 * @returns what was checked and what was not, line by line
 * @throws LetheError LETHE_PLUGIN_CONFORMANCE, naming every rule that is broken with what was seen and the remedy, and the errors
 * of `loadMethod`
 */
export async function checkMethodCode(plugin: Plugin): Promise<string[]> {
  const options = resolveOptions(plugin, {});
  const verdicts = await checkMethod({ manifest: plugin.manifest, method: await loadMethod(plugin.codePath), options });
  const broken = verdicts.filter((verdict): verdict is Extract<Verdict, { status: 'broken' }> => verdict.status === 'broken');
  if (broken.length > 0) throw nonconformance(plugin, broken);
  const kept = verdicts.filter(({ status }) => status === 'kept').map(({ rule }) => rule.id);
  const open = verdicts.flatMap((verdict) => (verdict.status === 'not-checked' ? [`conformance: ${verdict.rule.id}, because ${verdict.why}`] : []));
  return [
    imported(plugin),
    `checked: conformance with the defaults of its options: ${kept.join(', ')}`,
    ...open.map((rule) => `not checked: ${rule}`),
    'not checked: its own tests (mocha), and what it does to a language model (lethe run)',
  ];
}

/** As {@link checkMethodCode}, of a scorer. Throws the errors of `loadScorer` too. */
export async function checkScorerCode(plugin: Plugin): Promise<string[]> {
  const scorer = await loadScorer(plugin.codePath);
  const broken = SCORER_RULES.flatMap((rule): Broken[] => {
    const seen = judgeScorer(rule, scorer);
    return seen === null ? [] : [{ rule, seen }];
  });
  if (broken.length > 0) throw nonconformance(plugin, broken);
  return [imported(plugin), `checked: conformance: ${SCORER_RULES.map(({ id }) => id).join(', ')}`, 'not checked: its own tests (mocha)'];
}
