import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULTS, MALFORMED_HTTP2 } from '../../../src/wire/http1/fault.ts';
import { NASTY_ANSWERS } from './nasty-answers.ts';
import { NASTY_REQUESTS } from './nasty-requests.ts';
import { readStream } from './stream.ts';

for (const [role, table] of [
  ['request', NASTY_REQUESTS],
  ['response', NASTY_ANSWERS],
] as const) {
  for (const { name, text, fault } of table) {
    test(`${role}: ${name}: ${fault ?? 'in order'}`, () => {
      const bytes = Buffer.from(text, 'latin1');
      const whole = readStream(role, bytes);
      if (fault === null) {
        assert.equal(whole.messages.length, 1);
        assert.equal(whole.consumed, bytes.length);
        assert.match(whole.ending, /^(clean|closed)$/);
      } else {
        assert.deepEqual([whole.messages.length, whole.ending], [0, fault]);
        assert.ok(FAULTS[fault] >= 400);
      }
      // One byte a read, and a cut at each place: the same.
      const every = bytes.length < 500 ? Array.from(bytes.keys()) : [1, 2, 3, bytes.length - 1];
      assert.deepEqual(readStream(role, bytes, { cuts: every }), whole);
      for (const cut of every) assert.deepEqual(readStream(role, bytes, { cuts: [cut] }), whole);
      // Behind a good message it is what it is alone, and the good one is read.
      const good = Buffer.from(
        role === 'request'
          ? 'GET /good HTTP/1.1\r\nHost: g\r\n\r\n'
          : 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      );
      const behind = readStream(role, Buffer.concat([good, bytes]));
      assert.equal(behind.messages.length, whole.messages.length + 1);
      assert.equal(behind.ending, whole.ending);
    });
  }
}

test('the tables have every fault, and names that are told apart', () => {
  const rows = [...NASTY_REQUESTS, ...NASTY_ANSWERS];
  const faults = new Set(rows.map(({ fault }) => fault));
  // By settings that are not the default; their own tests have them.
  for (const fault of ['underscore_in_field_name', 'double_slash_in_path', 'dot_segment_in_path'] as const)
    faults.add(fault);
  assert.deepEqual(
    Object.keys(FAULTS).filter(
      (fault) => !faults.has(fault as keyof typeof FAULTS) && !(fault in MALFORMED_HTTP2),
    ),
    [],
  );
  for (const table of [NASTY_REQUESTS, NASTY_ANSWERS])
    assert.equal(new Set(table.map(({ name, fault }) => `${name} ${fault}`)).size, table.length);
  assert.ok(rows.length >= 300, `${rows.length} rows`);
});
