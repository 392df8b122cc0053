/** What a field of CSV may hold; it is empty where there is none. */
export type Value = string | number | boolean | null | undefined;

/** A value as a field of RFC 4180: in quotes, which are doubled within, where it would end the field. Text that a spreadsheet would calculate is marked as text. */
function field(value: Value): string {
  const text = typeof value === 'string' && /^[=+@\t\r-]/.test(value) ? `'${value}` : String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Lines of CSV. They end as those of the terminal do, without a carriage return. */
export const csvLines = (lines: readonly (readonly Value[])[]): string => lines.map((values) => values.map(field).join(',')).join('\n');
