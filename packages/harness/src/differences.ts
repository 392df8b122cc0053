const MOST = 4;

const isTree = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function* places(one: unknown, other: unknown, path: string): Generator<string> {
  if (isTree(one) && isTree(other)) {
    for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) yield* places(one[name], other[name], path === '' ? name : `${path}.${name}`);
  } else if (one !== other) yield path;
}

/** Where two values of plain JSON differ, in words: `seeds.1, suite.data.mails and 3 more`. */
export function differences(one: unknown, other: unknown): string {
  const found = [...places(one, other, '')];
  const more = found.length - MOST;
  return `${found.slice(0, MOST).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
