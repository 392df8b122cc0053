import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The exit status of a process that Ctrl-C ended. */
export const INTERRUPTED = 128 + constants.signals.SIGINT;

/**
 * Turns the first Ctrl-C (SIGINT or SIGTERM) into an abort signal, and lets the second end the process at once.
 *
 * @param onFirst told about the first one
 * @param onSecond the last thing that is done before the process ends
 */
export function stopOnInterrupt(onFirst: () => void, onSecond: () => void): { readonly signal: AbortSignal; close(): void } {
  const controller = new AbortController();
  const hear = () => {
    if (controller.signal.aborted) {
      onSecond();
      // not process.exit(): it takes worker threads down in the middle of native code, which then aborts with a core dump
      for (const name of SIGNALS) process.off(name, hear);
      process.kill(process.pid, 'SIGINT');
      return;
    }
    controller.abort();
    onFirst();
  };
  for (const name of SIGNALS) process.on(name, hear);
  return {
    signal: controller.signal,
    close: () => {
      for (const name of SIGNALS) process.off(name, hear);
    },
  };
}
