export { type DescribeMethod, type Entry, type MethodNote, type PublishedEntry, publishRun, readEntries, readEntry } from './entry.js';
export { placesOf, probability } from './format.js';
export { type Site, buildSite } from './site.js';
export { type ReportedRow, type ReportedTable, SEEN, readReported } from './reported.js';
