export { type HubAccess, hubAccess } from './access.js';
export { cacheFolder } from './cache.js';
export { type DownloadOptions, type HubFile, downloadFile, sha256OfFile } from './download.js';
export { COMMIT, type ListedFile, listModel, modelFolder } from './model.js';
