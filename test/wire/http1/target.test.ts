import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PathSettings } from '../../../src/model/http-settings.ts';
import { HTTP_DEFAULTS } from '../../../src/model/http-settings.ts';
import { HeadParser } from '../../../src/wire/http1/head-parser.ts';
import { RequestTarget } from '../../../src/wire/http1/target.ts';

function read(
  target: string,
  host: string | null = 'a.example',
  method = 'GET',
  settings: PathSettings = HTTP_DEFAULTS.path,
): string {
  const head = new HeadParser('request');
  const text =
    host === null
      ? `${method} ${target} HTTP/1.0\r\n\r\n`
      : `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  const bytes = Buffer.from(text, 'latin1');
  head.parse(bytes, 0, bytes.length);
  if (head.fault !== null) return head.fault;
  const result = new RequestTarget();
  const fault = result.read(head, settings);
  return fault ?? `${result.host} ${result.path} ${result.query}${result.verbatim ? '' : ' rewritten'}`;
}

for (const [target, wanted] of [
  ['/', 'a.example / '],
  ['/a/b?c=d?e', 'a.example /a/b ?c=d?e'],
  ['/a//b', 'a.example /a/b  rewritten'],
  ['/a/./b', 'a.example /a/b  rewritten'],
  ['/a/../b', 'a.example /b  rewritten'],
  ['/a/b/..', 'a.example /a/  rewritten'],
  ['/a/b/.', 'a.example /a/b/  rewritten'],
  ['/..', 'invalid_path'],
  ['/a/../../b', 'invalid_path'],
  ['/%2e%2e/b', 'invalid_path'],
  ['/a/%2E%2e/b', 'a.example /b  rewritten'],
  ['/a/.%2e/b', 'a.example /b  rewritten'],
  ['/%61dmin', 'a.example /admin  rewritten'],
  ['/a%2fb', 'escaped_slash_in_path'],
  ['/a%5Cb', 'escaped_slash_in_path'],
  ['/a%252fb', 'a.example /a%252fb '],
  ['/a\\b', 'invalid_path'],
  ['/a%00', 'invalid_path'],
  ['/a%0d%0a', 'invalid_path'],
  ['/a%7F', 'invalid_path'],
  ['/a%', 'invalid_path'],
  ['/a%4', 'invalid_path'],
  ['/a%zz', 'invalid_path'],
  ['/a?b=%zz\\', 'a.example /a ?b=%zz\\'],
  ['/a?b=/../c', 'a.example /a ?b=/../c'],
  ['/.well-known/x', 'a.example /.well-known/x '],
  ['/...', 'a.example /... '],
  ['/a#b', 'invalid_target'],
  ['*', 'invalid_target'],
  ['a', 'invalid_target'],
  ['a.example:80', 'invalid_target'],
  ['http://a.example/x?y', 'a.example /x ?y'],
  ['HTTP://A.example', 'a.example /  rewritten'],
  ['http://a.example/%61/..', 'a.example /  rewritten'],
  ['http://a.example?y', 'a.example / ?y rewritten'],
  ['http://b.example/', 'host_conflict'],
  ['http://u@a.example/', 'host_conflict'],
  ['ftp://a.example/', 'invalid_target'],
] as const) {
  test(`target ${target}`, () => assert.equal(read(target), wanted));
}

for (const [host, wanted] of [
  ['A.Example:8080', 'a.example / '],
  ['a.example.', 'a.example / '],
  ['[::1]:80', '[::1] / '],
  ['', 'invalid_host'],
  ['a b', 'invalid_host'],
  ['a,b', 'invalid_host'],
  ['a/b', 'invalid_host'],
  ['u@a', 'invalid_host'],
  ['a:x', 'invalid_host'],
  ['a:70000', 'invalid_host'],
  ['a:1:2', 'invalid_host'],
  ['a\x80', 'invalid_host'],
  ['.a', 'invalid_host'],
  [`${'a.'.repeat(200)}b`, 'invalid_host'],
] as const) {
  test(`host ${JSON.stringify(host.slice(0, 30))}`, () => assert.equal(read('/', host), wanted));
}

test('HTTP/1.0 may come without a host, OPTIONS may ask for *', () => {
  assert.equal(read('/x', null), ' /x ');
  assert.equal(read('*', 'a.example', 'OPTIONS'), 'a.example * ');
});
