import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { until } from './clocked.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, route, start, withHttp } from './harness.ts';
import { answering, OK, RawClient, rawBackend } from './raw.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const BATCH = 2_000;
const BATCHES = 250;
const REQUESTS = 100_000;

async function proxy(context: TestContext, answersItself: boolean): Promise<Harness> {
  const backend = await rawBackend(context, answering(OK));
  const harness = await start({
    resources: answersItself
      ? []
      : [
          { kind: 'cluster', value: cluster() },
          { kind: 'endpoint', value: endpoint(backend.port) },
          { kind: 'route', value: route() },
        ],
    listener: withHttp({ writeMs: 0 }, { minimumBytesPerSecond: 0, requestsPerConnection: 0 }),
  });
  context.after(() => harness.dataplane.shutdown());
  return harness;
}

test('a client that sends requests and takes no answers has no more made than the kernel holds; later it gets them all', async (context) => {
  const harness = await proxy(context, true);
  const client = new RawClient(harness.port);
  client.socket.removeAllListeners('data').pause();
  const batch = Buffer.from(GET.repeat(BATCH));
  let left = BATCHES;
  const pump = (): void => {
    while (left > 0) {
      left -= 1;
      if (!client.socket.write(batch)) return;
    }
  };
  client.socket.on('drain', pump);
  pump();
  const answered = () => harness.count('request_count');
  for (let last = -1, still = 0; still < 20; still += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (answered() !== last) still = 0;
    last = answered();
  }
  assert.ok(left > 0, 'all requests were read, and their answers are kept');
  let bytes = 0;
  let last = '';
  client.socket.on('data', (piece: Buffer) => {
    bytes += piece.length;
    last = piece.toString('latin1').slice(-20);
  });
  client.socket.resume();
  await until(() => left === 0);
  const one = (await new RawClient(harness.port).send(GET).untilText('route_not_found\n')).text.length;
  await until(() => bytes >= one * BATCH * BATCHES);
  assert.equal(bytes, one * BATCH * BATCHES);
  assert.match(last, /route_not_found\n$/);
  client.socket.destroy();
});

test('what a client has sent ahead is answered to the last, though it takes nothing for a while and ends its half', async (context) => {
  const harness = await proxy(context, false);
  const client = new RawClient(harness.port);
  client.socket.pause();
  client.socket.end(GET.repeat(REQUESTS));
  for (let last = -1, still = 0; still < 20; still += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const count = harness.count('request_count');
    if (count !== last) still = 0;
    last = count;
  }
  let bytes = 0;
  client.socket.removeAllListeners('data').on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  client.socket.resume();
  await until(() => client.ended || client.closed);
  assert.equal(bytes, REQUESTS * OK.length + 'Connection: close\r\n'.length);
});
