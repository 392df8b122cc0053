import type { Learner, Method } from '@lethe/core';

/**
 * Runs a call of a method's own code.
 *
 * @param name `create`, or the name of the learner's function
 * @param given its arguments
 */
export type Visitor = <T>(name: string, given: readonly unknown[], call: () => T) => T;

/** The method with a visitor around every call of its own code. */
export function visited(method: Method, visit: Visitor): Method {
  return {
    create: (host, options) => {
      const learner = visit('create', [host, options], () => method.create(host, options));
      return new Proxy(learner, {
        get(target, key): unknown {
          const value: unknown = Reflect.get(target, key, target);
          if (typeof value !== 'function') return value;
          return (...given: unknown[]): unknown => visit(String(key), given, () => value.apply(target, given) as unknown);
        },
      }) satisfies Learner;
    },
  };
}

/** Does something after a call, be it one that gives a promise or one that does not; also where it throws. */
export function afterwards<T>(call: () => T, then: () => void): T {
  let result: T;
  try {
    result = call();
  } catch (error) {
    then();
    throw error;
  }
  if (result instanceof Promise) return result.finally(then) as T;
  then();
  return result;
}
