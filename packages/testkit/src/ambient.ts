import { callerOf } from './caller.js';
import { afterwards } from './visit.js';

/** What gives another value at every call, from outside of the run. */
export const AMBIENT: readonly string[] = ['Math.random', 'Date', 'performance.now', 'crypto.getRandomValues', 'crypto.randomUUID'];

/**
 * Runs a call while {@link AMBIENT} tell when they are read. They work as ever.
 *
 * @param tell is given the name, and the line of the code that reads it
 */
export function watchAmbient<T>(call: () => T, tell: (what: string) => void): T {
  const told = (name: string) => {
    const place = callerOf(new Error());
    tell(place === undefined ? name : `${name} (${place})`);
  };
  const { Date: RealDate } = globalThis;
  const restore: (() => void)[] = [() => { globalThis.Date = RealDate; }];
  const watch = (owner: object, key: string, name: string) => {
    const [own, real] = [Object.getOwnPropertyDescriptor(owner, key), Reflect.get(owner, key) as (...given: unknown[]) => unknown];
    const watching = (...given: unknown[]): unknown => {
      told(name);
      return real.apply(owner, given);
    };
    Object.defineProperty(owner, key, { value: watching, configurable: true, writable: true });
    restore.push(() => {
      if (own) Object.defineProperty(owner, key, own);
      else Reflect.deleteProperty(owner, key);
    });
  };
  watch(Math, 'random', 'Math.random');
  watch(performance, 'now', 'performance.now');
  watch(crypto, 'getRandomValues', 'crypto.getRandomValues');
  watch(crypto, 'randomUUID', 'crypto.randomUUID');
  globalThis.Date = new Proxy(RealDate, {
    construct(target, given, newTarget): object {
      if (given.length === 0) told('Date');
      return Reflect.construct(target, given, newTarget) as object;
    },
    apply(target, self, given): string {
      told('Date');
      return Reflect.apply(target, self, given) as string;
    },
    get(target, key): unknown {
      if (key === 'now') return () => { told('Date'); return target.now(); };
      return Reflect.get(target, key, target);
    },
  });
  return afterwards(call, () => restore.forEach((undo) => undo()));
}
