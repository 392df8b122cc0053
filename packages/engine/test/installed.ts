import { LetheError } from '@lethe/core';
import type { Context } from 'mocha';
import { type Device, openDevice } from '../src/index.js';

/** Opens a device; where its package is not installed, or its GPU not there, skips the test and says so in its title. */
export async function openInstalled(test: Context, name: string): Promise<Device> {
  try {
    return await openDevice({ name });
  } catch (error) {
    if (!(error instanceof LetheError) || !/is not installed|sees no GPU/.test(error.message)) throw error;
    test.test!.title += ` (skipped: ${error.message})`;
    return test.skip();
  }
}
