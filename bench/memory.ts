import { readFileSync } from 'node:fs';

/** Bytes as text. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

/** Most memory that this process ever held, in bytes. Where the system does not tell, the runtime's figure, which begins with that of the parent. */
export function peakBytes(): number {
  try {
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
  } catch {
    return 1024 * process.resourceUsage().maxRSS;
  }
}
