import { LetheError, type Plugin, loadScorer } from '@lethe/core';
import { SCORER_RULES, type TestedMethod, type Verdict, checkMethod, judgeScorer, testedMethod } from '@lethe/testkit';
import { optionWords } from './labels.js';
import { here } from './paths.js';
import type { MethodRequest } from './run/request.js';

/** A rule that a plugin breaks: what was seen, and how it is mended. */
interface Broken {
  readonly rule: { readonly id: string; readonly remedy: string };
  readonly seen: string;
}

/** Options in words; empty where there are none. */
const wordsOf = (options: MethodRequest['options']): string => Object.entries(options).map(optionWords).join(', ');

/** One error for all rules that are broken, with these options in the place of defaults. */
function nonconformance({ manifest: { kind, name }, codePath }: Plugin, broken: readonly Broken[], given: MethodRequest['options'] = {}): LetheError {
  const rules = broken.map(({ rule, seen }) => `${rule.id}: ${seen}`);
  const words = wordsOf(given);
  return new LetheError('LETHE_PLUGIN_CONFORMANCE',
    `${kind} "${name}"${words && ` with ${words}`} breaks ${broken.length === 1 ? 'a rule' : `${broken.length} rules`} of the conformance suite\n  ${rules.join('\n  ')}`, {
      where: codePath, remedy: broken.map(({ rule }) => (broken.length === 1 ? rule.remedy : `${rule.id}: ${rule.remedy}`)).join('\n      '),
    });
}

const imported = ({ codePath }: Plugin) => `checked: code, imported from ${here(codePath)}`;

/**
 * Imports a method whose manifest is sound and checks it against the conformance suite.
 *
 * @param given its options that are to differ from the defaults
 * @param options all of them
 * @returns what was checked and what was not, line by line
 * @throws LetheError LETHE_PLUGIN_CONFORMANCE, naming every rule that is broken with what was seen and the remedy, and the errors
 * of `loadMethod`
 */
export async function checkMethodCode(plugin: Plugin, given: MethodRequest['options'], options: TestedMethod['options']): Promise<string[]> {
  const verdicts = await checkMethod(await testedMethod(plugin, options));
  const broken = verdicts.filter((verdict): verdict is Extract<Verdict, { status: 'broken' }> => verdict.status === 'broken');
  if (broken.length > 0) throw nonconformance(plugin, broken, given);
  const kept = verdicts.filter(({ status }) => status === 'kept').map(({ rule }) => rule.id);
  const open = verdicts.flatMap((verdict) => (verdict.status === 'not-checked' ? [`conformance: ${verdict.rule.id}, because ${verdict.why}`] : []));
  const words = wordsOf(given);
  return [
    imported(plugin),
    `checked: conformance with ${words === '' ? 'the defaults of its options' : `${words} and the defaults of its other options`}: ${kept.join(', ')}`,
    ...open.map((rule) => `not checked: ${rule}`),
    'not checked: its own tests (mocha), its options with other values (--set OPTION=VALUE), and what it does to a language model (lethe run)',
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
