import { LetheError } from './errors.js';

/** What a method has asked its host for that is still being made: `begin` and `end` are to wait for it. */
export class Asked {
  private readonly open = new Map<LetheError, Promise<unknown>>();

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
    const given = this.counted(unawaited, make());
    this.open.set(unawaited, given);
    return given;
  }

  private async counted<T>(unawaited: LetheError, made: Promise<T>): Promise<T> {
    try {
      return await made; // so that the stack of a failure goes on to the line that waits
    } finally {
      this.open.delete(unawaited);
    }
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

  /** @throws LETHE_METHOD_FAILED where something is still being made, once it is there or has failed, with the line that asked for it in its stack */
  async check(): Promise<void> {
    const [unawaited] = this.open.keys();
    if (!unawaited) return;
    // a thread that ends while the runtime computes takes the process with it, and so would a failure that nobody waits for
    while (this.open.size > 0) {
      await Promise.allSettled(this.open.values());
      await new Promise((done) => { setImmediate(done); }); // what the method goes on to ask
    }
    throw unawaited;
  }
}
