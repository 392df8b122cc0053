import type { Learner, Method } from '@lethe/core';

/** Learns nothing: what the base model does by itself. */
class ZeroShot implements Learner {
  readonly trainable = {};
  readonly frozen = {};
  begin(): void {}
  adapt(): null {
    return null;
  }
  end(): void {}
  save() {
    return { trainable: {}, frozen: {}, stored: {}, json: null };
  }
  restore(): void {}
}

const method: Method = { create: () => new ZeroShot() };
export default method;
