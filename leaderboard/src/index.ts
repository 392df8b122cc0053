export { type Entry, type Validate, publishRun, readEntries } from './entry.js';
export { buildSite } from './site.js';
