import { LetheError, didYouMean } from './errors.js';

/** What JavaScript itself asks of any object: whether it is a promise, and how it is written as JSON. */
const PROBED: readonly string[] = ['then', 'toJSON'];

/**
 * Options as a method is given them, a copy of its own. One that its plugin.json does not declare is refused where it is read: a name that is
 * misspelt would be undefined, which reads as switched off.
 *
 * @throws LETHE_METHOD_FAILED by what it gives, for such a name
 */
export function declaredOptions(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return new Proxy({ ...options }, {
    get(target, key, receiver): unknown {
      if (typeof key === 'symbol' || key in target || PROBED.includes(key)) return Reflect.get(target, key, receiver);
      throw new LetheError('LETHE_METHOD_FAILED', `The option "${key}" is none of those that plugin.json declares.${didYouMean(key, Object.keys(target))}`, {
        remedy: 'Declare it under options.properties of plugin.json, or mend the name.',
      });
    },
  });
}
