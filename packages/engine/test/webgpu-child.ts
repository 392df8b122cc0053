// Runs kernels on webgpu in a process of its own: a driver is found by variables that are read when a process starts.
import { openDevice } from '../src/index.js';
import { PRODUCT } from './cases/algebra.js';
import { CREATION, FUSED, INDEXING, SHAPE } from './cases/layout.js';
import { differences } from './compare.js';

const [webgpu, plain] = [await openDevice({ name: 'webgpu' }), await openDevice({ name: 'tfjs-cpu' })];
const found: string[] = [];
for (const [family, cases] of Object.entries({ FUSED, PRODUCT, INDEXING, SHAPE, CREATION }))
  found.push(...(await differences(family, cases, webgpu, plain, 1e-4)));
process.stdout.write(JSON.stringify(found));
process.exit(0);
