import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cluster, filtered, route, rule, start, startProxy } from './harness.ts';
import { answering, exchange, OK, rawBackend } from './raw.ts';

const GET_CLOSE = 'GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';

test('no route, no cluster, no endpoint: 404, 500, 503, and the connection is kept', async (context) => {
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      {
        kind: 'route',
        value: route({
          rules: [
            rule({
              matches: [
                { path: { type: 'PathPrefix', value: '/empty' }, method: null, headers: [], queryParams: [] },
              ],
            }),
            rule({
              matches: [
                { path: { type: 'PathPrefix', value: '/none' }, method: null, headers: [], queryParams: [] },
              ],
              clusters: [{ cluster: 'default/missing', weight: 1 }],
            }),
          ],
        }),
      },
    ],
  });
  context.after(() => harness.dataplane.shutdown());
  const answer = await exchange(
    harness.port,
    'GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello' +
      'GET /empty HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  );
  const reasons = [...answer.matchAll(/HTTP\/1\.1 (\d+) .*?x-novaedge-reason: (\w+)/gs)].map(
    (match) => `${match[1]} ${match[2]}`,
  );
  assert.deepEqual(reasons, ['404 route_not_found', '500 cluster_not_found', '503 no_healthy_endpoint']);
});

test('filters change headers, host and path, and redirect', async (context) => {
  const backend = await rawBackend(
    context,
    answering('HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\nok'),
  );
  const path = { type: 'PathPrefix', value: '/old' } as const;
  const { port, change } = await startProxy(context, [backend.port], {
    more: [
      {
        kind: 'route',
        value: filtered(
          [
            {
              type: 'RequestHeaders',
              changes: {
                set: [{ name: 'X-A', value: '1' }],
                add: [{ name: 'X-B', value: '2' }],
                remove: ['x-c'],
              },
            },
            {
              type: 'ResponseHeaders',
              changes: { set: [], add: [{ name: 'X-Answer', value: 'yes' }], remove: ['server'] },
            },
            {
              type: 'Rewrite',
              hostname: 'inner.example',
              path: { type: 'ReplacePrefixMatch', value: '/new' },
            },
          ],
          path,
        ),
      },
    ],
  });
  const answer = await exchange(
    port,
    'GET /old/x?q=1 HTTP/1.1\r\nHost: a\r\nx-a: 0\r\nX-C: 3\r\nX-B: 1\r\nConnection: close\r\n\r\n',
  );
  assert.match(backend.received[0]!, /^GET \/new\/x\?q=1 HTTP\/1\.1\r\nHost: inner\.example\r\nX-B: 1\r\n/);
  assert.match(backend.received[0]!, /\r\nX-Forwarded-Host: a\r\n/);
  assert.match(backend.received[0]!, /\r\nX-A: 1\r\nX-B: 2\r\n/);
  assert.doesNotMatch(backend.received[0]!, /x-c|x-a: 0/);
  assert.match(answer, /\r\nX-Answer: yes\r\n/);
  assert.doesNotMatch(answer, /Server/);
  change([
    {
      kind: 'route',
      value: filtered(
        [
          {
            type: 'Redirect',
            scheme: 'https',
            hostname: null,
            port: null,
            path: { type: 'ReplacePrefixMatch', value: '/' },
            statusCode: 308,
          },
        ],
        path,
      ),
    },
  ]);
  const redirect = await exchange(
    port,
    'GET /old/x?q=1 HTTP/1.1\r\nHost: a:8080\r\nConnection: close\r\n\r\n',
  );
  assert.match(redirect, /^HTTP\/1\.1 308 Permanent Redirect\r\nLocation: https:\/\/a\/x\?q=1\r\n/);
});

test('a policy of the gateway holds for routes that came before it', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const { port, change } = await startProxy(context, [backend.port]);
  await exchange(port, GET_CLOSE);
  change([
    {
      kind: 'policy',
      value: {
        name: 'default/p',
        target: { kind: 'gateway', name: 'default/edge' },
        createdAt: 0,
        filters: [
          { type: 'ResponseHeaders', changes: { set: [{ name: 'X-P', value: '1' }], add: [], remove: [] } },
        ],
      },
    },
  ]);
  assert.match(await exchange(port, GET_CLOSE), /\r\nX-P: 1\r\n/);
  change([], ['policy/default/p']);
  assert.doesNotMatch(await exchange(port, GET_CLOSE), /X-P/);
});
