import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { age, humanDuration } from '../../src/cli/age.ts';
import { kindOf } from '../../src/cli/kinds.ts';
import { painter, showsUnicode } from '../../src/cli/paint.ts';
import { renderTable } from '../../src/cli/table.ts';
import { displayWidth, visible } from '../../src/cli/width.ts';
import { editDistance } from '../../src/observe/nearest.ts';

const PLAIN = { paint: painter(false) };
const CELL = fc.string({ unit: fc.constantFrom('a', 'Z', '0', 'é', '日', '本', '한', '🚀', 'e\u0301', '/') });

test('display width of narrow, wide, combining and coloured text', () => {
  for (const [text, width] of [
    ['', 0],
    ['abc', 3],
    ['日本', 4],
    ['한글', 4],
    ['e\u0301', 1],
    ['🚀', 2],
    ['👩‍👩‍👧', 2],
    ['ｆｕ', 4],
    ['\u001b[31mred\u001b[39m', 3],
    ['├─ ●', 4],
  ] as const) {
    assert.equal(displayWidth(text), width, JSON.stringify(text));
  }
});

test('every column begins at the same display column in every row', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(CELL, CELL), { minLength: 1, maxLength: 6 }), (rows) => {
      const marked = rows.map(([first, second]) => [first, second, '|']);
      const text = renderTable(
        [{ title: 'FIRST' }, { title: 'N', align: 'right' }, { title: '|' }],
        marked,
        PLAIN,
      );
      const starts = text
        .trimEnd()
        .split('\n')
        .map((line) => displayWidth(line.slice(0, line.lastIndexOf('|'))));
      assert.equal(new Set(starts).size, 1, text);
    }),
  );
});

test('colour changes no column', () => {
  const columns = [{ title: 'A' }, { title: 'B' }];
  const rows = [
    [{ text: 'True', tone: 'good' as const }, 'x'],
    ['-', 'y'],
  ];
  const coloured = renderTable(columns, rows, { paint: painter(true) });
  assert.match(coloured, /\u001b\[32mTrue\u001b\[39m/);
  assert.equal(coloured.replaceAll(/\u001b\[\d+m/g, ''), renderTable(columns, rows, PLAIN));
});

test('on a terminal a sentence that does not fit stands below its row', () => {
  const columns = [{ title: 'NAME' }, { title: 'REASON', prose: true }];
  const rows = [
    ['web', 'a path must begin with "/"'],
    ['api', 'short'],
  ];
  assert.equal(
    renderTable(columns, rows, { ...PLAIN, columns: 20 }),
    'NAME   REASON\nweb\n   a path must begin with "/"\napi    short\n',
  );
  assert.equal(
    renderTable(columns, rows, { ...PLAIN, columns: 33 }),
    'NAME   REASON\nweb    a path must begin with "/"\napi    short\n',
  );
});

test('control characters become visible', () => {
  assert.equal(visible('a\u001b[2Jb\nc\u009b'), 'a\\x1b[2Jb c\\x9b');
});

test('ages as kubectl shows them', () => {
  const second = 1000;
  const minute = 60 * second;
  const hour = 60 * minute;
  const day = 24 * hour;
  for (const [ms, expected] of [
    [0, '0s'],
    [-5, '0s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [3 * minute + 20 * second, '3m20s'],
    [10 * minute, '10m'],
    [179 * minute, '179m'],
    [5 * hour + 12 * minute, '5h12m'],
    [8 * hour, '8h'],
    [47 * hour, '47h'],
    [3 * day + 4 * hour, '3d4h'],
    [300 * day, '300d'],
    [800 * day, '2y70d'],
    [9 * 365 * day, '9y'],
  ] as const) {
    assert.equal(humanDuration(ms), expected);
  }
  assert.equal(age('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:42Z')), '42s');
  for (const unknown of [undefined, '', 'yesterday', 0]) assert.equal(age(unknown, 1), '-');
});

test('kinds in every spelling, and none that is inherited', () => {
  for (const spelling of ['ProxyPolicy', 'proxypolicies', 'policy', 'policies', 'pp']) {
    assert.equal(kindOf(spelling), 'ProxyPolicy');
  }
  for (const spelling of ['gw', 'gateways', 'PROXYGATEWAY', 'proxygateways.novaedge.io']) {
    assert.equal(kindOf(spelling), 'ProxyGateway');
  }
  assert.equal(kindOf('vips'), 'ProxyVIP');
  assert.equal(kindOf('endpointslices.discovery.k8s.io'), 'EndpointSlice');
  assert.throws(() => kindOf('constructor'), /no kind/);
});

test('the locale says whether Unicode can be shown; the first variable that is set decides', () => {
  assert.ok(showsUnicode({}));
  assert.ok(showsUnicode({ LANG: 'de_DE.UTF-8' }));
  assert.ok(showsUnicode({ LC_ALL: '', LANG: 'C.utf8' }));
  assert.ok(!showsUnicode({ LC_ALL: 'C', LANG: 'de_DE.UTF-8' }));
  assert.ok(!showsUnicode({ LANG: 'C.UTF-8', TERM: 'dumb' }));
});

test('edit distance is a distance', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 7 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(editDistance(a, a), 0);
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.ok(editDistance(a, b) >= Math.abs(a.length - b.length));
      assert.ok(editDistance(a, b) <= Math.max(a.length, b.length));
    }),
  );
  assert.equal(editDistance('rotue', 'route'), 1);
  assert.equal(editDistance('kitten', 'sitting'), 3);
});
