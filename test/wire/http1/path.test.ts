import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PathSettings } from '../../../src/model/http-settings.ts';
import { HTTP_DEFAULTS } from '../../../src/model/http-settings.ts';
import { normalizePath, pathFault } from '../../../src/wire/http1/path.ts';

const settings: fc.Arbitrary<PathSettings> = fc.record({
  escapedSlashes: fc.constantFrom('Refuse', 'Keep', 'Decode'),
  doubleSlashes: fc.constantFrom('Merge', 'Keep', 'Refuse'),
  dotSegments: fc.constantFrom('Resolve', 'Refuse'),
});
const path = fc
  .array(
    fc.constantFrom(
      '/',
      '/',
      '.',
      '..',
      'a',
      'B',
      '%2F',
      '%2f',
      '%5c',
      '%2e',
      '%2E',
      '%25',
      '%252f',
      '%41',
      '%7e',
      '%C3%A9',
      '%c0',
      '%ae',
      ';x',
      '\\',
      '%',
      '2f',
      '-',
    ),
    { maxLength: 12 },
  )
  .map((parts) => `/${parts.join('')}`);

test('normalising is to a fixed point: once more changes nothing, by the same settings', () => {
  fc.assert(
    fc.property(path, settings, (text, by) => {
      const once = normalizePath(text, by);
      if (once !== null) assert.equal(normalizePath(once, by), once);
    }),
    { numRuns: 20_000 },
  );
});

/** What careless servers do with a path, one after another: decode, `\` to `/`, drop parameters, merge, resolve. */
function carelessly(text: string): string {
  const decoded = text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const merged = decoded.replaceAll('\\', '/').replaceAll(/\/+/g, '/');
  const kept: string[] = [];
  for (const segment of merged.split('/').slice(1)) {
    const bare = segment.replace(/;.*/, '');
    if (bare === '..') kept.pop();
    else if (bare !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}

const segmentsOf = (text: string): string[] => text.split('/').filter((segment) => segment !== '');

test('by default nobody who normalises once more sees other segments than the route decision did', () => {
  let taken = 0;
  fc.assert(
    fc.property(path, (text) => {
      const routed = normalizePath(text, HTTP_DEFAULTS.path);
      if (routed === null) return;
      taken += 1;
      const decoded = segmentsOf(routed).map((segment) =>
        segment.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
      );
      assert.deepEqual(segmentsOf(carelessly(routed)), decoded);
      assert.doesNotMatch(routed, /\/\/|\\|\/\.\.?(\/|;|$)|%2F|%5C|%2E/);
    }),
    { numRuns: 20_000 },
  );
  assert.ok(taken > 2000, `${taken} were taken`);
});

test('whatever the settings, no reading leads out of a prefix that the route was chosen by', () => {
  fc.assert(
    fc.property(path, settings, (rest, by) => {
      const routed = normalizePath(`/public${rest}`, by);
      if (routed?.startsWith('/public/')) assert.match(carelessly(routed), /^\/public(\/|$)/);
    }),
    { numRuns: 20_000 },
  );
});

const by = (change: Partial<PathSettings>): PathSettings => ({ ...HTTP_DEFAULTS.path, ...change });
for (const [text, change, wanted] of [
  ['/a%2fb', { escapedSlashes: 'Keep' }, '/a%2Fb'],
  ['/a%5cb', { escapedSlashes: 'Keep' }, '/a%5Cb'],
  ['/a/..%2fb', { escapedSlashes: 'Keep' }, null],
  ['/a%2f..', { escapedSlashes: 'Keep' }, null],
  ['/a%2F.%5Cb', { escapedSlashes: 'Keep' }, null],
  ['/a%2f%2e%2e;x', { escapedSlashes: 'Keep' }, null],
  ['/a%2f..b', { escapedSlashes: 'Keep' }, '/a%2F..b'],
  ['/a%2fb', { escapedSlashes: 'Decode' }, '/a/b'],
  ['/a%2f..%2fb', { escapedSlashes: 'Decode' }, '/b'],
  ['/..%2fb', { escapedSlashes: 'Decode' }, null],
  ['/a%2f/b', { escapedSlashes: 'Decode' }, '/a/b'],
  ['/a%2f/b', { escapedSlashes: 'Decode', doubleSlashes: 'Refuse' }, null],
  ['/a%2f/b', { escapedSlashes: 'Decode', doubleSlashes: 'Keep' }, '/a//b'],
  ['/a%5cb', { escapedSlashes: 'Decode' }, null],
  ['/a%252fb', { escapedSlashes: 'Decode' }, '/a%252fb'],
  ['//a', { doubleSlashes: 'Keep' }, '//a'],
  ['//a', { doubleSlashes: 'Refuse' }, null],
  ['/a//../b', { doubleSlashes: 'Keep' }, '/a/b'],
  ['/a//../b', {}, '/b'],
  ['/a/../b', { dotSegments: 'Refuse' }, null],
  ['/a/%2e', { dotSegments: 'Refuse' }, null],
  ['/.well-known/..a', { dotSegments: 'Refuse' }, '/.well-known/..a'],
  ['/%C3%A9', {}, '/%C3%A9'],
  ['/%c3%a9', {}, '/%C3%A9'],
  ['/%c0', {}, '/%C0'],
] as const) {
  test(`${text} with ${JSON.stringify(change)}`, () => assert.equal(normalizePath(text, by(change)), wanted));
}

for (const [text, change, wanted] of [
  ['/a%2fb', {}, 'escaped_slash_in_path'],
  ['/a%5Cb', {}, 'escaped_slash_in_path'],
  ['/a%2f..', {}, 'invalid_path'],
  ['/a//b', { doubleSlashes: 'Refuse' }, 'double_slash_in_path'],
  ['/a%2f/b', { escapedSlashes: 'Decode', doubleSlashes: 'Refuse' }, 'double_slash_in_path'],
  ['/a//../b', { doubleSlashes: 'Refuse', dotSegments: 'Refuse' }, 'dot_segment_in_path'],
  ['/a/./b', { dotSegments: 'Refuse' }, 'dot_segment_in_path'],
  ['/..', { dotSegments: 'Refuse' }, 'invalid_path'],
  ['/a%00', {}, 'invalid_path'],
] as const) {
  test(`why ${text} is refused with ${JSON.stringify(change)}`, () => {
    assert.equal(normalizePath(text, by(change)), null);
    assert.equal(pathFault(text, by(change)), wanted);
  });
}
