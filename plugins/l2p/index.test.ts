import { describeMethod } from '@lethe/testkit';

describeMethod(import.meta.url);
