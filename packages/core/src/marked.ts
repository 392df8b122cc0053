/**
 * A page with a text between two marks, in the place of what is there: how documents hold tables that are made.
 *
 * @param where the page, for the error
 * @throws Error where the marks are not there, one behind the other
 */
export function withMarked(page: string, where: string, [start, end]: readonly [string, string], text: string): string {
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${where} has no place for a table: "${start}" … "${end}".`);
  return `${page.slice(0, from + start.length)}\n\n${text}\n\n${page.slice(to)}`;
}
