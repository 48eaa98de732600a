import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseAllDocuments, stringify } from 'yaml';
import { durationMs } from '../../src/config/duration.ts';
import { fieldLocator, parseDocument } from '../../src/config/parse/parse-document.ts';
import { splitDocuments } from '../../src/config/parse/split-documents.ts';
import { editDistance } from '../../src/config/validate/did-you-mean.ts';

const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant('---'),
  fc.constant('a\n---\nb\n...\nc'),
  fc.constant('\n--- #\n'),
);
/** `<<` would be a merge. */
const key = fc.string({ minLength: 1 }).filter((name) => name !== '<<');
const value = fc.dictionary(key, fc.oneof(leaf, fc.array(leaf), fc.dictionary(key, leaf)), { minKeys: 1 });

describe('documents', () => {
  it('that cannot be read are not quoted: what is torn may be a key', () => {
    for (const text of [
      'tls.key: |c2VjcmV0',
      'a: b\n]c2VjcmV0',
      'a: *c2VjcmV0',
      'a: "x" c2VjcmV0',
      'c2VjcmV0\nb: c',
    ]) {
      const parsed = parseDocument(text);
      assert.ok('fault' in parsed, text);
      assert.doesNotMatch(parsed.fault.message, /c2VjcmV0/);
      assert.match(parsed.fault.message, /^[a-z].{10}/);
    }
  });

  it('split without a parser are those that a parser finds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(value, fc.constantFrom('---\n', '--- # c\n', '...\n---\n', '---\r\n')), {
          minLength: 1,
          maxLength: 5,
        }),
        (parts) => {
          const text = parts.map(([one, marker]) => marker + stringify(one)).join('');
          // A document without content is none of anybody's.
          const expected = parseAllDocuments(text, { merge: true })
            .map((document) => document.toJS() as unknown)
            .filter((one) => one !== null);
          const found = splitDocuments(text).map((part) => parseDocument(part.text));
          assert.deepEqual(
            found,
            expected.map((one) => ({ value: one })),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('know the lines they start at', () => {
    const text = '# head\n---\na: 1\n---\n\n# only a comment\n---\nb:\n  - c: 2\n    d: 3\n';
    const lines = splitDocuments(text).map((part) => {
      const locate = fieldLocator(part.text);
      return [part.line + locate(['b', 0, 'd']) - 1, part.line + locate(['a']) - 1];
    });
    assert.deepEqual(lines, [
      [3, 3],
      [10, 8],
    ]);
  });

  it('are refused rather than blown up', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join()}]`)
      .join('\n')}`;
    assert.ok('fault' in parseDocument(bomb));
  });
});

describe('small things', () => {
  it('durations', () => {
    assert.deepEqual(
      ['2s', '1m30s', '500ms', '1h', '0s', '1h2m3s4ms', ''].map(durationMs),
      [2000, 90_000, 500, 3_600_000, 0, 3_723_004, 0],
    );
  });

  it('edit distance is a distance as long as no letters are swapped', () => {
    const word = fc.string({ maxLength: 6 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        assert.equal(editDistance(a, b), editDistance(b, a));
        assert.equal(editDistance(a, a), 0);
        assert.ok(editDistance(a, b) <= Math.max(a.length, b.length));
        assert.ok(editDistance(a, b) >= Math.abs(a.length - b.length));
      }),
    );
    assert.equal(editDistance('prot', 'port'), 1);
    assert.equal(editDistance('kitten', 'sitting'), 3);
  });
});
