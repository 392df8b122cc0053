export { type ScatterPoint, drawScatter } from './charts/scatter.js';
export { type StreamLine, drawStream, heightFor } from './charts/stream.js';
export { PRINT } from './charts/theme.js';
export { type Describer, type KnownMethod, type MethodNote, type ScoredRows } from './declared.js';
export { type Entry, type PublishedEntry, isEntry, readEntries, readEntry, resultsAt, resultsFile } from './entry.js';
export { bytes, count, counted, percent, placesOf, points, probability } from './format.js';
export { publishRuns } from './publish.js';
export { type Site, buildSite } from './site.js';
export { type ReportedRow, type ReportedTable, SEEN, readReported } from './reported.js';
