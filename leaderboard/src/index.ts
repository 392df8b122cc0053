export { type Entry, type MethodNote, type PublishedEntry, readEntries, readEntry, resultsAt, resultsFile } from './entry.js';
export { placesOf, probability } from './format.js';
export { type DescribeMethod, publishRuns } from './publish.js';
export { type Site, buildSite } from './site.js';
export { type ReportedRow, type ReportedTable, SEEN, readReported } from './reported.js';
