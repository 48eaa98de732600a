import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HttpSettings, RequestLimits } from '../../../src/model/http-settings.ts';
import { HTTP_DEFAULTS } from '../../../src/model/http-settings.ts';
import { NEVER_FORWARDED_IN_REQUEST } from '../../../src/wire/http1/field-name.ts';
import { HEAD_DONE, HEAD_FAILED, HeadParser } from '../../../src/wire/http1/head-parser.ts';
import { damage, requestStream } from './generator.ts';
import { readStream } from './stream.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const limited = (limits: Partial<RequestLimits>): HttpSettings => ({
  ...HTTP_DEFAULTS,
  limits: { ...HTTP_DEFAULTS.limits, ...limits },
});
const get = (fields: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

test('each limit takes what is as large as it, and nothing larger', () => {
  const chunked = 'Transfer-Encoding: chunked\r\n';
  for (const [change, text, fault] of [
    [{ requestLineBytes: 14 }, get(''), 'request_line_too_long'],
    [{ headerBytes: 15 }, get('X: 1\r\n'), 'fields_too_large'],
    [{ headerCount: 2 }, get('X: 1\r\n'), 'too_many_fields'],
    [{ trailerBytes: 6 }, `${get(chunked)}0\r\nX: 1\r\n\r\n`, 'trailer_too_large'],
    [{ chunkExtensionBytes: 4 }, `${get(chunked)}1;a\r\nx\r\n0;b\r\n\r\n`, 'chunk_extension_too_long'],
  ] as const) {
    const name = Object.keys(change)[0] as keyof RequestLimits;
    const most = Object.values(change)[0]!;
    assert.equal(
      readStream('request', latin1(text), { settings: limited({ [name]: most }) }).messages.length,
      1,
      name,
    );
    assert.equal(
      readStream('request', latin1(text), { settings: limited({ [name]: most - 1 }) }).ending,
      fault,
    );
  }
});

test('whatever the limits, any split of the bytes gives the same', () => {
  fc.assert(
    fc.property(
      requestStream,
      fc.array(damage, { maxLength: 1 }),
      fc.record({
        requestLineBytes: fc.integer({ min: 10, max: 40 }),
        headerBytes: fc.integer({ min: 10, max: 120 }),
        headerCount: fc.integer({ min: 1, max: 6 }),
        trailerBytes: fc.integer({ min: 1, max: 20 }),
        chunkExtensionBytes: fc.integer({ min: 1, max: 20 }),
      }),
      fc.array(fc.nat(500), { maxLength: 6 }),
      (stream, harms, limits, cuts) => {
        const bytes = latin1(harms.reduce((damaged, harm) => harm(damaged), stream));
        const settings = limited(limits);
        const whole = readStream('request', bytes, { settings });
        assert.deepEqual(readStream('request', bytes, { settings, cuts }), whole);
        assert.deepEqual(readStream('request', bytes, { settings, cuts: Array.from(bytes.keys()) }), whole);
      },
    ),
    { numRuns: 1500 },
  );
});

test('a parser takes other limits with each message, larger ones too', () => {
  const head = new HeadParser('request', limited({ headerCount: 2 }));
  const bytes = latin1(get('X:1\r\n'.repeat(300)));
  assert.equal(head.parse(bytes, 0, bytes.length), HEAD_FAILED);
  head.reset(limited({ headerCount: 400 }));
  assert.equal(head.parse(bytes, 0, bytes.length), HEAD_DONE);
  assert.equal(head.fieldCount, 301);
  head.reset(limited({ headerCount: 300 }));
  assert.equal(head.parse(bytes, 0, bytes.length), HEAD_FAILED);
});

function forwarded(underscores: HttpSettings['underscores'], fields: string): string[] | string {
  const head = new HeadParser('request', { ...HTTP_DEFAULTS, underscores });
  const bytes = latin1(get(fields));
  if (head.parse(bytes, 0, bytes.length) === HEAD_FAILED) return head.fault!;
  return Array.from({ length: head.fieldCount }, (_, field) => field)
    .filter((field) => NEVER_FORWARDED_IN_REQUEST[head.ids[field]!] === 0)
    .map((field) => head.name(field));
}

test('names with underscores are dropped, refused or kept; those that resemble a field of ours never pass', () => {
  const fields = 'X_A: 1\r\nX-B: 2\r\n';
  assert.deepEqual(forwarded('Drop', fields), ['X-B']);
  assert.equal(forwarded('Refuse', fields), 'underscore_in_field_name');
  assert.deepEqual(forwarded('Keep', fields), ['X_A', 'X-B']);
  for (const name of [
    'X_Forwarded_For',
    'X-Forwarded_For',
    'x_request_id',
    'Proxy_Connection',
    'X_Real_IP',
    'If_None_Match',
  ]) {
    assert.deepEqual(forwarded('Keep', `${name}: 1\r\n`), [], name);
    assert.deepEqual(forwarded('Drop', `${name}: 1\r\n`), [], name);
  }
  assert.deepEqual(forwarded('Keep', 'X.Forwarded.For: 1\r\nX.Y: 2\r\n'), ['X.Y']);
  for (const how of ['Drop', 'Refuse', 'Keep'] as const) {
    assert.equal(forwarded(how, 'Transfer_Encoding: chunked\r\n'), 'framing_near_miss');
    assert.equal(forwarded(how, 'Content.Length: 1\r\n'), 'framing_near_miss');
  }
});
