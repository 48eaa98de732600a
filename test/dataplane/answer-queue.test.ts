import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { cluster, endpoint, route, rule, start } from './harness.ts';
import type { RawBackend } from './raw.ts';
import { OK, RawClient, rawBackend } from './raw.ts';

const CHUNKS = 'Transfer-Encoding: chunked\r\n\r\n';
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

async function proxy(context: TestContext, backends: readonly RawBackend[]): Promise<number> {
  const harness = await start({
    resources: backends.flatMap((backend, index) => [
      { kind: 'cluster', value: cluster({ name: `default/${index}` }) } as const,
      { kind: 'endpoint', value: endpoint(backend.port, { cluster: `default/${index}` }) } as const,
      {
        kind: 'route',
        value: route({
          rules: [
            rule({
              clusters: [{ cluster: 'default/0', weight: 1 }],
              mirrors: backends.slice(1).map((_, at) => ({ cluster: `default/${at + 1}`, share: 1 })),
            }),
          ],
        }),
      } as const,
    ]),
  });
  context.after(() => harness.dataplane.shutdown());
  return harness.port;
}

/** Answers once whatever one read brings: it looks for no body, and answers what it took for a request later. */
function careless(context: TestContext): Promise<RawBackend> {
  return rawBackend(context, (socket) => socket.write(OK));
}

async function ask(port: number, request: string): Promise<void> {
  const client = new RawClient(port).send(request);
  await client.untilText('\r\n\r\n');
  client.socket.destroy();
}

test('a connection that may hold one answer more than requests serves nobody else', async (context) => {
  const backend = await careless(context);
  const mirror = await careless(context);
  const port = await proxy(context, [backend, mirror]);
  let expected = 0;
  for (const method of ['GET', 'HEAD', 'DELETE', 'TRACE'])
    for (const body of [
      `Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
      `${CHUNKS}${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    ]) {
      await ask(port, `${method} / HTTP/1.1\r\nHost: a\r\n${body}`);
      expected += 1;
      while (mirror.connections.length < expected) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(backend.connections.length, expected, `${method} ${body}`);
    }
  while (mirror.connections.some((socket) => !socket.destroyed))
    await new Promise((resolve) => setImmediate(resolve));
  for (let round = 0; round < 3; round += 1)
    await ask(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
  assert.equal(backend.connections.length, expected + 1, 'a connection after an ordinary body is kept');
});

test('who is answered before the end of its request is told that the connection ends', async (context) => {
  const backend = await rawBackend(context, (socket) => socket.write(OK));
  const port = await proxy(context, [backend]);
  for (const framing of ['Content-Length: 10\r\n\r\n12345', `${CHUNKS}5\r\n12345\r\n`]) {
    const client = new RawClient(port).send(`POST / HTTP/1.1\r\nHost: a\r\n${framing}`);
    await client.untilOver();
    assert.match(client.text, /^HTTP\/1\.1 200 OK\r\n.*Connection: close\r\n.*ok$/s);
  }
});
