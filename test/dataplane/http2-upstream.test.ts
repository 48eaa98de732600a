import assert from 'node:assert/strict';
import { test } from 'node:test';
import { http2Backend, http2Proxy, saying } from './http2-backend.ts';
import { exchange } from './raw.ts';

test('a request goes to a backend in HTTP/2', async (context) => {
  const seen: Record<string, unknown>[] = [];
  const backend = await http2Backend(context, (stream, headers) => {
    seen.push({ ...headers });
    saying('hello')(stream, headers);
  });
  const harness = await http2Proxy(context, [backend.port]);
  const text = await exchange(
    harness.port,
    'GET /a?b=c HTTP/1.1\r\nHost: x.test\r\nX-Any: thing\r\nConnection: close\r\n\r\n',
  );
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(text, /hello$/);
  assert.equal(seen[0]![':path'], '/a?b=c');
  assert.equal(seen[0]!['x-any'], 'thing');
  assert.equal(seen[0]![':authority'], 'x.test');
});
