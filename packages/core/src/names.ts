import { isAbsolute, sep } from 'node:path';

/** Whether a name that a user gave is a path: it has a separator, begins with a dot or ends as YAML files do. */
export function isPath(name: string): boolean {
  return isAbsolute(name) || name.startsWith('.') || name.includes('/') || name.includes(sep) || /\.ya?ml$/.test(name);
}
