import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RULES, judge } from './conformance.js';
import { Subject } from './rule.js';
import { manifestOf, methodBeside } from './tested.js';

/** How a method is tried. */
export interface Trial {
  /** Options that differ from the defaults of the manifest. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/**
 * Describes, for mocha, that the method of a plugin keeps every rule of the conformance suite: a test a rule, named by it.
 * One line in the plugin's own test: `describeMethod(import.meta.url);`
 *
 * @param url `import.meta.url` of the test, which lies in the folder of the plugin
 * @throws LetheError the errors of `manifestOf`
 */
export function describeMethod(url: string, { options = {} }: Trial = {}): void {
  describe(`conformance of ${basename(dirname(manifestOf(dirname(fileURLToPath(url)))))}`, () => {
    let subject: Subject;
    before(async () => { subject = new Subject(await methodBeside(url, options)); });
    for (const rule of RULES) {
      it(`${rule.id}: ${rule.title}`, async function () {
        const verdict = await judge(rule, subject);
        if (verdict.status === 'not-checked') {
          this.test!.title += ` (not checked: ${verdict.why})`;
          this.skip();
        }
        if (verdict.status === 'broken') throw new Error(`${verdict.seen}. ${rule.remedy} (rule "${rule.id}")`);
      });
    }
  });
}
