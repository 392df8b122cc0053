export { cacheFolder } from './cache.js';
export { type DownloadOptions, type HubFile, downloadFile, hubAddress, sha256OfFile } from './download.js';
