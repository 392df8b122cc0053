import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LetheError } from '@lethe/core';
import { expect } from 'chai';
import fc from 'fast-check';
import { SCORERS, addScorers, findScorer, normalised, refuseScorer, scorerOf, textScorers } from '../src/index.js';
import { stemOf } from '../src/porter.js';

interface Row {
  readonly scorer: string;
  readonly prediction: string;
  readonly references: readonly string[];
  readonly source?: string;
  readonly score: number;
}

/** What the Python references say; see the README beside it. */
const expected = JSON.parse(readFileSync(new URL('../../../../test/fixtures/scorers/expected.json', import.meta.url), 'utf8')) as
  { rows: Row[]; stems: Record<string, string> };
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'cats', 'é', '😀', ' ', '.', ',', '3', '-', '\n', '支') });

describe('scorers agree with the Python references', () => {
  for (const id of ['exact-match', 'numeric-answer', 'rouge-l', 'rouge-l-stemmed', 'rouge-l-trace', 'sari', 'edit-similarity']) {
    it(id, () => {
      const rows = expected.rows.filter(({ scorer }) => scorer === id);
      expect(rows.length).to.be.at.least(13);
      for (const { prediction, references, source, score } of rows) {
        expect(scorerOf(id).score(prediction, references, source), JSON.stringify({ prediction, references, source })).to.be.closeTo(score, 1e-12);
      }
    });
  }

  it('stems', () => {
    expect(Object.keys(expected.stems)).to.have.length.above(100);
    for (const [word, stem] of Object.entries(expected.stems)) expect(stemOf(word), word).to.equal(stem);
  });
});

describe('every scorer', () => {
  for (const scorer of SCORERS) {
    const source = scorer.needsSource ? 'a cats 3' : undefined;
    it(`${scorer.id} gives scores from 0 to 1, the same each time, and never less for one more reference that is the answer`, () => {
      fc.assert(fc.property(text, fc.array(text, { minLength: 1, maxLength: 3 }), (prediction, references) => {
        const score = scorer.score(prediction, references, source);
        expect(score).to.be.at.least(0).and.at.most(1);
        expect(scorer.score(prediction, references, source)).to.equal(score);
        if (!scorer.needsSource) expect(scorer.score(prediction, [...references, prediction], source)).to.be.at.least(score);
      }));
    });
  }

  it('is found by its id, and an unknown one is named with what was meant', () => {
    expect(findScorer('rouge-l')?.needs).to.equal('text');
    expect(findScorer('rouge')).to.equal(undefined);
    expect(() => scorerOf('rogue-l', 'suite.yaml:7')).to.throw('Did you mean "rouge-l"?').with.property('code', 'LETHE_SCORER_UNKNOWN');
    expect(new Set(SCORERS.map(({ id }) => id)).size).to.equal(SCORERS.length);
  });
});

describe('a scorer of a plugin', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lethe-scorers-')); });
  after(() => rmSync(folder, { recursive: true }));
  const written = (file: string, fields: string) => {
    const codePath = join(folder, file);
    writeFileSync(codePath, `export default { ${fields} };\n`);
    return codePath;
  };
  const sound = "needs: 'text', needsSource: false, score: () => 0.5";
  const refused = (id: string, codePath: string) => addScorers([{ id, codePath }]).then(() => expect.fail('nothing was refused'), (error: LetheError) => error);

  it('is known by its own name, however often it is added, and takes the place of no other', async () => {
    const codePath = written('half.mjs', `id: 'half', ${sound}`);
    for (let i = 0; i < 2; i++) await addScorers([{ id: 'half', codePath }]);
    expect(scorerOf('half').score('a', ['b'])).to.equal(0.5);
    expect(textScorers()).to.include('half').and.not.include('accuracy');
    expect(await refused('whole', codePath)).to.include({ code: 'LETHE_PLUGIN_EXPORT', where: codePath, message: 'The plugin is called "whole", and its scorer "half".' });
    expect(findScorer('whole')).to.equal(undefined);
    expect((await refused('half', written('again.mjs', `id: 'half', ${sound}`))).code).to.equal('LETHE_PLUGIN_DUPLICATE');
  });

  it('is refused where it is none, with what it lacks', async () => {
    for (const [i, [fields, lacks]] of [
      ["id: 'a'", 'no function "score"'], ['score() {}', 'no "id"'], ["id: 'a', needs: 'options', score() {}", 'no "needs" that is "text"'],
      ["id: 'a', needs: 'text', score() {}", 'no "needsSource" that is true or false'],
    ].entries()) {
      const error = await refused('a', written(`${i}.mjs`, fields!));
      expect(error.code).to.equal('LETHE_PLUGIN_EXPORT');
      expect(error.message).to.equal(`The default export is not a scorer: it has ${lacks}.`);
    }
  });

  it('that is broken says so where it is asked for, unless another has the name', () => {
    const fault = new LetheError('LETHE_PLUGIN_MANIFEST', 'broken');
    for (const id of ['broken', 'rouge-l']) refuseScorer(id, fault);
    expect(() => findScorer('broken')).to.throw(fault);
    expect(findScorer('rouge-l')?.id).to.equal('rouge-l');
  });
});

describe('what a scorer counts', () => {
  it('accuracy compares options as they are', () => {
    expect(scorerOf('accuracy').score(' yes', [' yes'])).to.equal(1);
    expect(scorerOf('accuracy').score(' yes', ['yes'])).to.equal(0);
  });
  it('exact match ignores case, ASCII punctuation and the width of white space, and keeps articles', () => {
    expect(normalised(' The  «Cat», really?! ')).to.equal('the «cat» really');
    expect(scorerOf('exact-match').score('cat', ['the cat'])).to.equal(0);
  });
  it('verbatim ignores white space at the ends alone', () => {
    expect(scorerOf('verbatim').score(' A\n', ['A'])).to.equal(1);
    expect(scorerOf('verbatim').score('a', ['A'])).to.equal(0);
    expect(scorerOf('verbatim').score('A', ['B', 'A']), 'one of several').to.equal(1);
  });
  it('the first character alone counts, white space before it aside', () => {
    for (const [prediction, reference, score] of [[' B', 'B\nBecause it is.', 1], ['B is right', 'B', 1], ['A', 'B\nA', 0], ['b', 'B', 0], ['', 'B', 0], ['😀', '😀!', 1]] as const) {
      expect(scorerOf('first-character').score(prediction, ['C', reference]), prediction).to.equal(score);
    }
  });
  it('literals of Py150 are put back before code is compared', () => {
    const [similar, plain] = [scorerOf('edit-similarity-py150'), scorerOf('edit-similarity')];
    for (const [code, literal] of [
      ['x = <NUM_LIT:3>', 'x = 3'], ["f ( '<STR_LIT:a b>' )", "f ( 'a b' )"], ["'<STR_LIT>' + '<CHAR_LIT>' * <NUM_LIT>", "'' + '' * 0"], ['<STR_LIT:a\nb>', 'a\nb'], ['a < b > c', 'a < b > c'],
    ] as const) {
      expect(similar.score(code, [literal]), code).to.equal(1);
      expect(similar.score(literal, [code]), code).to.equal(1);
      expect(similar.score('x = 4', [code])).to.equal(plain.score('x = 4', [literal]));
    }
  });
  it('numbers are compared as numbers, where the reference compares strings', () => {
    for (const [prediction, reference] of [['$72.00', '72'], ['.5', '0.5'], ['1,234.50', '1234.5']]) {
      expect(scorerOf('numeric-answer').score(prediction!, [reference!]), prediction).to.equal(1);
    }
    expect(scorerOf('numeric-answer').score('none', ['none'])).to.equal(0);
  });
  it('SARI says so where it is given no source', () => expect(() => scorerOf('sari').score('a', ['b'])).to.throw('source'));
});
