import { LetheError, type Manifest, loadMethod, resolveOptions } from '@lethe/core';
import { type Verdict, checkMethod } from '@lethe/testkit';
import { here } from './paths.js';

type Broken = Extract<Verdict, { status: 'broken' }>;

/** One error for all rules that are broken. */
function nonconformance({ name }: Manifest, broken: readonly Broken[], codePath: string): LetheError {
  const rules = broken.map(({ rule, seen }) => `${rule.id}: ${seen}`);
  return new LetheError('LETHE_PLUGIN_CONFORMANCE',
    `method "${name}" breaks ${broken.length === 1 ? 'a rule' : `${broken.length} rules`} of the conformance suite\n  ${rules.join('\n  ')}`, {
      where: codePath, remedy: broken.map(({ rule }) => (broken.length === 1 ? rule.remedy : `${rule.id}: ${rule.remedy}`)).join('\n      '),
    });
}

/**
 * Imports a method whose manifest is sound and checks it against the conformance suite, with the defaults of its options.
 *
 * @returns what was checked and what was not, line by line
 * @throws LetheError LETHE_PLUGIN_CONFORMANCE, naming every rule that is broken with what was seen and the remedy, and the errors
 * of `loadMethod`
 */
export async function checkMethodCode(manifest: Manifest, file: string, codePath: string): Promise<string[]> {
  const options = resolveOptions({ manifest, file, codePath }, {});
  const verdicts = await checkMethod({ manifest, method: await loadMethod(codePath), options });
  const broken = verdicts.filter((verdict): verdict is Broken => verdict.status === 'broken');
  if (broken.length > 0) throw nonconformance(manifest, broken, codePath);
  const kept = verdicts.filter(({ status }) => status === 'kept').map(({ rule }) => rule.id);
  const open = verdicts.flatMap((verdict) => (verdict.status === 'not-checked' ? [`conformance: ${verdict.rule.id}, because ${verdict.why}`] : []));
  return [
    `checked: code, imported from ${here(codePath)}`,
    `checked: conformance with the defaults of its options: ${kept.join(', ')}`,
    ...open.map((rule) => `not checked: ${rule}`),
    'not checked: its own tests (mocha), and what it does to a language model (lethe run)',
  ];
}
