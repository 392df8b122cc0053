export { type PoolOptions, runJobs } from './pool.js';
