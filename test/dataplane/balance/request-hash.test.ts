import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_KEY } from '../../../src/dataplane/balance/balancer.ts';
import { RequestHash } from '../../../src/dataplane/balance/request-hash.ts';
import { hashText } from '../../../src/dataplane/balance/xxhash32.ts';
import type { HashSource } from '../../../src/model/cluster.ts';
import { HEAD_DONE, HeadParser } from '../../../src/wire/http1/head-parser.ts';
import { chance } from './targets.ts';

/** As it may lie in memory: after other bytes. */
function head(...fields: string[]): HeadParser {
  const text = ['GET /a?b HTTP/1.1', 'Host: shop.test', ...fields, '', ''].join('\r\n');
  const bytes = Buffer.from(`before${text}`, 'latin1');
  const parser = new HeadParser('request');
  assert.equal(parser.parse(bytes, 6, bytes.length), HEAD_DONE);
  return parser;
}

function key(source: HashSource, ...fields: string[]): number {
  return new RequestHash(source, chance()).read(head(...fields), '/a', '192.0.2.7');
}

const USER: HashSource = { type: 'Header', name: 'x-user' };
const COOKIE: HashSource = { type: 'Cookie', name: 'stick', path: '/shop', ttlSeconds: 3600 };

test('address and path', () => {
  assert.equal(key({ type: 'SourceIP' }), hashText('192.0.2.7'));
  assert.equal(key({ type: 'Path' }), hashText('/a'));
});

test('a field, in any case of its name; the first one that says something', () => {
  assert.equal(key(USER, 'X-USER: alice'), hashText('alice'));
  assert.equal(key(USER, 'X-Users: bob', 'x-user:', 'x-user: carol ', 'x-user: dave'), hashText('carol'));
  assert.equal(key(USER), NO_KEY);
  assert.equal(key(USER, 'X-User:'), NO_KEY);
  assert.equal(key(USER, 'X-User: \xe9t\xe9'), hashText('\xe9t\xe9'));
});

test('a cookie, wherever it stands', () => {
  for (const fields of [
    ['Cookie: stick=v1'],
    ['Cookie: a=b; stick=v1; c=d'],
    ['cookie: stick=; stick=v1'],
    ['Cookie: sticky=no; astick=no; stick=v1'],
    ['Cookie: a=stick=no; stick=v1'],
    ['Cookie: a=b', 'COOKIE: stick=v1'],
    ['Cookie: ;;  stick=v1;'],
  ]) {
    const hash = new RequestHash(COOKIE, chance());
    assert.equal(hash.read(head(...fields), '/a', ''), hashText('v1'), fields.join());
    assert.equal(hash.setCookie, '');
  }
});

test('no such cookie: one is set, and the request belongs to it already', () => {
  for (const fields of [
    [],
    ['Cookie: stick='],
    ['Cookie: Stick=v1'],
    ['Cookie: stick'],
    ['X-Cookie: stick=v1'],
  ]) {
    const hash = new RequestHash(COOKIE, chance());
    const first = hash.read(head(...fields), '/a', '');
    const match =
      /^Set-Cookie: stick=([0-9a-f]{32}); Path=\/shop; Max-Age=3600; HttpOnly; SameSite=Lax\r\n$/.exec(
        hash.setCookie,
      );
    assert.ok(match, hash.setCookie);
    assert.equal(first, hashText(match[1]!));
    assert.equal(hash.read(head(`Cookie: x=1; stick=${match[1]!}`), '/a', ''), first);
    assert.equal(hash.setCookie, '');
  }
});

test('every client gets a value of its own; without a time it is for the session', () => {
  const hash = new RequestHash({ ...COOKIE, ttlSeconds: 0 }, chance());
  const values = new Set<string>();
  for (let client = 0; client < 1_000; client += 1) {
    hash.read(head(), '/a', '');
    assert.doesNotMatch(hash.setCookie, /Max-Age/);
    values.add(hash.setCookie);
  }
  assert.equal(values.size, 1_000);
});
