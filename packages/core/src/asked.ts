import { LetheError } from './errors.js';

/** What a method has asked its host for that is still being made: `begin` and `end` are to wait for it. */
export class Asked {
  private readonly open = new Map<LetheError, Promise<unknown>>();
  private readonly failures: unknown[] = [];

  /**
   * Counts something as asked for until it is there.
   *
   * @param what it is, as a method names it: `host.moments`
   */
  during<T>(what: string, make: () => Promise<T>): Promise<T> {
    // made before it is known to be needed: here the stack has the line that asks
    const unawaited = new LetheError('LETHE_METHOD_FAILED', `A method asked for ${what} and went on without it.`, {
      remedy: 'Let begin and end be async, and await in them whatever asks the host, such as startAdapter.',
    });
    const made = make();
    this.open.set(unawaited, made);
    const given = made.finally(() => this.open.delete(unawaited));
    // where nobody waits for it, its failure would end the process before `check` can tell of it
    given.catch((cause: unknown) => this.failures.push(cause));
    return given;
  }

  /** The same for what comes one after the other: each counts while it is being made. */
  async *each<T>(what: string, all: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = all[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.during(what, () => iterator.next());
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  /**
   * To be called when `begin` or `end` is over.
   *
   * @throws LETHE_METHOD_FAILED where something is still being made, once it is there, with the line that asked for it in its stack; and what
   * something failed with that the method did not wait for
   */
  async check(): Promise<void> {
    const [unawaited] = this.open.keys();
    if (!unawaited) {
      if (this.failures.length > 0) throw this.failures[0];
      return;
    }
    // a thread that ends while the runtime computes takes the process with it
    while (this.open.size > 0) {
      await Promise.allSettled(this.open.values());
      await new Promise((done) => { setImmediate(done); }); // what the method goes on to ask
    }
    throw unawaited;
  }
}
