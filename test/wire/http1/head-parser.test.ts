import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { requestHead, responseHead } from './generator.ts';
import { parseHead } from './messages.ts';

const cuts = fc.array(fc.nat(600), { maxLength: 8 });

test('any split of the bytes gives the same head', () => {
  fc.assert(
    fc.property(requestHead, cuts, (head, at) => {
      const whole = parseHead('request', head);
      assert.equal(whole.outcome, 'done');
      assert.deepEqual(parseHead('request', head, at), whole);
    }),
  );
  fc.assert(
    fc.property(responseHead, cuts, (head, at) => {
      const whole = parseHead('response', head);
      assert.equal(whole.outcome, 'done');
      assert.deepEqual(parseHead('response', head, at), whole);
    }),
  );
});

test('any split of any bytes gives the same verdict', () => {
  const noise = fc.string({
    unit: fc.constantFrom('GET', ' ', '/', 'HTTP/1.1', '\r\n', '\r', '\n', 'Host', ':', 'a', '\t', '\0', '5'),
  });
  fc.assert(
    fc.property(noise, cuts, (text, at) => {
      assert.deepEqual(parseHead('request', text, at), parseHead('request', text));
    }),
    { numRuns: 1000 },
  );
});

test('a head cut off at any byte is neither done nor refused', () => {
  fc.assert(
    fc.property(requestHead, (head) => {
      for (let end = 0; end < head.length; end += 1) {
        assert.equal(
          parseHead('request', head.slice(0, end)).outcome,
          'more',
          JSON.stringify(head.slice(0, end)),
        );
      }
    }),
    { numRuns: 30 },
  );
});

const HOST = 'Host: a\r\n';
for (const [text, fault] of [
  [
    `GET / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    'content_length_with_transfer_encoding',
  ],
  [`GET / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`, 'repeated_content_length'],
  [`GET / HTTP/1.1\r\n${HOST}Content-Length: +1\r\n\r\n`, 'invalid_content_length'],
  [`GET / HTTP/1.1\r\n${HOST}Content-Length: 01\r\n\r\n`, 'invalid_content_length'],
  [`GET / HTTP/1.1\r\n${HOST}Content-Length:\r\n\r\n`, 'invalid_content_length'],
  [`GET / HTTP/1.1\r\n${HOST}Content-Length: 1,1\r\n\r\n`, 'invalid_content_length'],
  [`GET / HTTP/1.1\r\n${HOST}Content-Length: 1 1\r\n\r\n`, 'invalid_content_length'],
  [`GET / HTTP/1.1\r\n${HOST}Content-Length: 9999999999999999\r\n\r\n`, 'invalid_content_length'],
  [`GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'invalid_transfer_encoding'],
  [
    `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
    'invalid_transfer_encoding',
  ],
  [`GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: "chunked"\r\n\r\n`, 'invalid_transfer_encoding'],
  [`GET / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`, 'transfer_encoding_in_http_1_0'],
  [`GET / HTTP/1.1\r\n${HOST}X : 1\r\n\r\n`, 'invalid_field_name'],
  [`GET / HTTP/1.1\r\n${HOST} X: 1\r\n\r\n`, 'folded_line'],
  [`GET / HTTP/1.1\r\n X: 1\r\n${HOST}\r\n`, 'folded_line'],
  [`GET / HTTP/1.1\r\n${HOST}X: 1\n\r\n`, 'invalid_line_end'],
  [`GET / HTTP/1.1\n${HOST}\r\n`, 'invalid_line_end'],
  [`GET / HTTP/1.1\r\n${HOST}X: 1\rY: 2\r\n\r\n`, 'invalid_line_end'],
  [`GET / HTTP/1.1\r\n${HOST}X: \0\r\n\r\n`, 'invalid_field_value'],
  [`GET / HTTP/1.1\r\n${HOST}X: \x7f\r\n\r\n`, 'invalid_field_value'],
  [`GET / HTTP/1.1\r\n${HOST}: 1\r\n\r\n`, 'invalid_field_name'],
  [`GET / HTTP/1.1\r\n${HOST}Expect: 102\r\n\r\n`, 'invalid_expectation'],
  [`GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 'repeated_host'],
  ['GET / HTTP/1.1\r\n\r\n', 'missing_host'],
  ['GET  / HTTP/1.1\r\n\r\n', 'invalid_target'],
  [' GET / HTTP/1.1\r\n\r\n', 'invalid_method'],
  ['GET / HTTP/1.1 \r\n\r\n', 'invalid_line_end'],
  ['GET /\r\n', 'invalid_target'],
  ['GET /\x80 HTTP/1.1\r\n', 'invalid_target'],
  ['GET / HTTP/1.2\r\n', 'version_not_supported'],
  ['GET / HTTP/2.0\r\n', 'version_not_supported'],
  ['GET / HTTP/0.9\r\n', 'version_not_supported'],
  ['GET / http/1.1\r\n', 'invalid_version'],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'version_not_supported'],
  [`GET /${'a'.repeat(8192)}`, 'request_line_too_long'],
  [`${'A'.repeat(8193)}`, 'request_line_too_long'],
  [`GET / HTTP/1.1\r\n${HOST}X: ${'a'.repeat(65_536)}`, 'fields_too_large'],
  [`GET / HTTP/1.1\r\n${HOST}X: ${' '.repeat(65_536)}`, 'fields_too_large'],
  [`GET / HTTP/1.1\r\n${'X: 1\r\n'.repeat(101)}`, 'too_many_fields'],
] as const) {
  test(`refused: ${JSON.stringify(text.length > 90 ? `${text.slice(0, 70)}…` : text)}`, () => {
    assert.equal(parseHead('request', text).fault, fault);
  });
}

for (const [text, fault] of [
  ['HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n', 'invalid_transfer_encoding'],
  ['HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n', 'invalid_content_length'],
  ['HTTP/1.1 2000 OK\r\n\r\n', 'invalid_status'],
  ['HTTP/1.1 99 OK\r\n\r\n', 'invalid_status'],
  ['HTTP/1.1 600 OK\r\n\r\n', 'invalid_status'],
  ['HTTP/1.1  200 OK\r\n\r\n', 'invalid_status'],
  ['\r\nHTTP/1.1 200 OK\r\n\r\n', 'invalid_version'],
  ['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'transfer_encoding_in_http_1_0'],
] as const) {
  test(`refused answer: ${JSON.stringify(text)}`, () => {
    assert.equal(parseHead('response', text).fault, fault);
  });
}

test('what the head says of the connection', () => {
  const framing = (text: string): string => parseHead('request', text).framing;
  assert.equal(framing(`GET / HTTP/1.1\r\n${HOST}\r\n`), '-1 false true false false');
  assert.equal(framing('GET / HTTP/1.0\r\n\r\n'), '-1 false false false false');
  assert.equal(framing('GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n'), '-1 false true false false');
  assert.equal(
    framing(`GET / HTTP/1.1\r\n${HOST}Connection: x, CLOSE\r\n\r\n`),
    '-1 false false false false',
  );
  assert.equal(
    framing(`GET / HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: x\r\n\r\n`),
    '-1 false true true false',
  );
  assert.equal(framing(`GET / HTTP/1.1\r\n${HOST}Connection: upgrade\r\n\r\n`), '-1 false true false false');
  assert.equal(
    framing(`GET / HTTP/1.1\r\n${HOST}Expect: 100-Continue\r\nContent-Length: 7\r\n\r\n`),
    '7 false true false true',
  );
});

test('one empty line before a request is passed over, more are not', () => {
  assert.equal(parseHead('request', `\r\nGET / HTTP/1.1\r\n${HOST}\r\n`).outcome, 'done');
  assert.equal(parseHead('request', `\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`).fault, 'invalid_method');
});
