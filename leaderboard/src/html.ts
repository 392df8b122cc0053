const NAMES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text made safe inside HTML elements and quoted attributes. */
export const escapeHtml = (value: unknown): string => String(value).replace(/[&<>"']/g, (c) => NAMES[c] ?? c);

/** A number with three decimals and a true minus sign; a dash where it is not defined. */
export const fixed = (value: number | null): string => (value === null ? '–' : value.toFixed(3).replace('-', '−'));

/** A whole number in groups of three digits. */
export const whole = (value: number | null): string => (value === null ? '–' : Math.round(value).toLocaleString('en-GB'));
