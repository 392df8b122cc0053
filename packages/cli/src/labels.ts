import { type RunIdentity, canonicalJson, methodName } from '@lethe/core';

type Named = Pick<RunIdentity['method'], 'id' | 'label' | 'options'>;

/** Tells methods of one benchmark apart: equal for the same method with the same options under the same label. */
export const variantKey = ({ id, label, options }: Named): string => canonicalJson([id, label ?? null, options]);

/** An option and its value, in words. */
export const optionWords = ([name, value]: readonly [string, unknown]): string => `${name}=${JSON.stringify(value)}`;

/** What to call each method: its label, or its id with the options in which it differs from others of that id without a label. */
export function methodLabels(methods: readonly Named[]): string[] {
  const plain = methods.filter(({ label }) => label === undefined);
  return methods.map((method) => {
    const same = method.label === undefined ? plain.filter(({ id }) => id === method.id) : [];
    const differing = Object.entries(method.options).filter(([name, value]) =>
      same.some((other) => JSON.stringify(other.options[name]) !== JSON.stringify(value)));
    return [methodName(method), ...differing.map(optionWords)].join(' ');
  });
}

/** {@link methodLabels} of methods of which none is there twice: those that differ in version alone are told apart by it. */
export function distinctLabels(methods: readonly (Named & Pick<RunIdentity['method'], 'version'>)[]): string[] {
  const labels = methodLabels(methods);
  return labels.map((label, i) => (labels.indexOf(label) === labels.lastIndexOf(label) ? label : `${label} ${methods[i]!.version}`));
}
