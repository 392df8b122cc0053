import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

/** Folders in which distributions of Linux put Chromium's Vulkan loader and software driver. */
const FOLDERS = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/usr/lib64/chromium-browser'];
const FILES = ['libvulkan.so.1', 'libvk_swiftshader.so', 'vk_swiftshader_icd.json'];

describe('device webgpu', () => {
  it('computes what the plain backend computes, on a software driver', async function () {
    const folder = FOLDERS.find((one) => FILES.every((file) => existsSync(join(one, file))));
    if (folder === undefined) {
      this.test!.title += ' (skipped: no Vulkan software driver of Chromium here)';
      this.skip();
    }
    const driver = join(folder, 'vk_swiftshader_icd.json');
    const child = fileURLToPath(new URL('webgpu-child.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [child], {
      env: { ...process.env, LD_LIBRARY_PATH: folder, VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver },
    });
    expect(JSON.parse(stdout)).to.deep.equal([]);
  });
});
