import type { InitializeHook, ResolveHook } from 'node:module';

/** Packages that a plugin, and its test, may import without having installed them. */
const LENT = /^(@lethe\/(core|model|testkit)|@tensorflow\/tfjs|chai)(\/|$)/;

let from: string;

/** Runs on the thread of the hooks. `from` is the URL of a module that can import what is lent. */
export const initialize: InitializeHook<{ from: string }> = (data) => {
  ({ from } = data);
};

export const resolve: ResolveHook = async (specifier, context, next) => {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!LENT.test(specifier)) throw error;
    return next(specifier, { ...context, parentURL: from });
  }
};
