import { LetheError } from '@lethe/core';
import type { Context } from 'mocha';
import { type Device, openDevice } from '../src/index.js';

/** Opens a device; where the package that brings it is not installed, skips the test and says so in its title. */
export async function openInstalled(test: Context, name: string): Promise<Device> {
  try {
    return await openDevice({ name });
  } catch (error) {
    if (!(error instanceof LetheError) || !/Cannot find package/.test(error.message)) throw error;
    test.test!.title += ' (skipped: its package is not installed)';
    return test.skip();
  }
}
