import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { clocked, until } from './clocked.ts';
import { cluster, endpoint, route, start } from './harness.ts';
import { OK, RawClient, rawBackend } from './raw.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('how long an answer went on before it broke off is not taken for the latency of its endpoint', async (context) => {
  const { system, advance } = clocked();
  const asked: { readonly backend: number; readonly socket: Socket }[] = [];
  const backends = await Promise.all(
    [0, 1].map((backend) => rawBackend(context, (socket) => asked.push({ backend, socket }))),
  );
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster({ lbPolicy: 'EWMA' }) },
      ...backends.map(({ port }) => ({ kind: 'endpoint', value: endpoint(port) }) as const),
      { kind: 'route', value: route() },
    ],
    system,
  });
  context.after(() => harness.dataplane.shutdown());
  const ask = async (): Promise<RawClient> => {
    const before = asked.length;
    const client = new RawClient(harness.port).send(GET);
    context.after(() => client.socket.destroy());
    await until(() => asked.length > before);
    return client;
  };
  const long = await ask();
  asked[0]!.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart');
  await long.untilText('part');
  advance(30_000);
  const slow = await ask();
  assert.notEqual(asked[1]!.backend, asked[0]!.backend, 'nobody has asked that one yet');
  advance(100);
  asked[1]!.socket.write(OK);
  await slow.untilText('ok');
  asked[0]!.socket.resetAndDestroy();
  await long.untilOver();
  await ask();
  assert.equal(asked[2]!.backend, asked[0]!.backend, 'a failure of a fast one is cheaper than 100 ms');
});
