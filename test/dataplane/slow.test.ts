import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Listener } from '../../src/model/gateway.ts';
import { clocked, until } from './clocked.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, route, start, withHttp } from './harness.ts';
import type { RawBackend } from './raw.ts';
import { OK, RawClient, rawBackend } from './raw.ts';

const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

interface Scene {
  readonly harness: Harness;
  readonly backend: RawBackend;
  readonly client: RawClient;
  advance(milliseconds: number): void;
}

async function scene(
  context: TestContext,
  serve: (socket: Socket, bytes: Buffer) => void,
  listener: Partial<Listener> = {},
): Promise<Scene> {
  const { system, advance } = clocked();
  const backend = await rawBackend(context, serve);
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(backend.port) },
      { kind: 'route', value: route() },
    ],
    listener,
    system,
  });
  const client = new RawClient(harness.port);
  context.after(() => {
    client.socket.destroy();
    harness.dataplane.shutdown();
  });
  return { harness, backend, client, advance };
}

function bodyOf({ received }: RawBackend): string {
  return received.join('').split('\r\n\r\n')[1] ?? '';
}

/** Nothing is held for a request any more. */
function assertNothingHeld({ harness }: Scene): void {
  for (const gauge of ['open_connections', 'active_connections', 'upstream_pending_requests'])
    assert.equal(harness.count(gauge), 0, gauge);
  for (const { activeRequests } of harness.dataplane.report('whole').endpoints)
    assert.equal(activeRequests, 0);
}

test('a body that trickles in is answered with 408 after one window of 5 s, whatever bodyIdle says', async (context) => {
  const on = await scene(context, () => {});
  on.client.send(POST);
  let sent = 0;
  for (let second = 0; second < 5; second += 1) {
    on.client.send('x');
    sent += 1;
    await until(() => bodyOf(on.backend).length === sent);
    assert.equal(on.client.text, '', `after ${second} s`);
    on.advance(1000);
  }
  on.advance(200);
  await on.client.untilText('request_timeout');
  assert.match(on.client.text, /^HTTP\/1\.1 408 .*\r\nConnection: close\r\n/s);
  assert.equal(on.harness.count('local_response_count', { reason: 'request_timeout' }), 1);
  on.advance(2200);
  await on.client.untilOver();
  await until(() => on.harness.count('open_connections') === 0);
  assertNothingHeld(on);
});

test('a body that keeps to the rate passes, in gulps too', async (context) => {
  const on = await scene(context, () => {});
  on.client.send(POST);
  let sent = 0;
  for (let round = 0; round < 6; round += 1) {
    on.client.send('x'.repeat(2400));
    sent += 2400;
    await until(() => bodyOf(on.backend).length === sent);
    on.advance(9500);
  }
  assert.equal(on.client.text, '');
  on.advance(800);
  await on.client.untilText('request_timeout');
});

test("a body is not the client's to hurry while its backend does not take it", async (context) => {
  let taking: Socket | null = null;
  const on = await scene(context, (socket) => {
    taking = socket;
    socket.pause();
  });
  const chunk = Buffer.alloc(65_536, 120);
  on.client.send(POST);
  await until(() => taking !== null);
  // Until nothing moves any more: the kernel's buffers on both sides of the proxy are full.
  let last = -1;
  for (let still = 0; still < 40; still += 1) {
    if (on.client.socket.writableLength === 0) on.client.send(chunk);
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (on.client.socket.bytesWritten - on.client.socket.writableLength !== last) still = 0;
    last = on.client.socket.bytesWritten - on.client.socket.writableLength;
  }
  on.advance(59_000);
  assert.equal(on.client.text, '');
  on.advance(1500);
  await on.client.untilText('upstream_timeout');
  assert.match(on.client.text, /^HTTP\/1\.1 504 /);
});

test('a client that waits for 100 is not hurried; once it sends, it is', async (context) => {
  const on = await scene(context, () => {});
  on.client.send(POST.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'));
  await until(() => on.backend.received.join('').includes('\r\n\r\n'));
  on.advance(30_000);
  assert.equal(on.client.text, '');
  on.backend.connections[0]!.write('HTTP/1.1 100 Continue\r\n\r\n');
  await on.client.untilText('100 Continue');
  on.advance(4000);
  assert.ok(!on.client.text.includes('408'));
  on.advance(1300);
  await on.client.untilText('HTTP/1.1 408 ');
});

test('whoever waits for a 100 that never comes hears that the backend is to blame', async (context) => {
  const on = await scene(context, () => {});
  on.client.send(POST.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'));
  await until(() => on.backend.received.join('').includes('\r\n\r\n'));
  on.advance(60_200);
  await on.client.untilText('HTTP/1.1 504 ');
});

test('a request has only so long from its first byte to its last', async (context) => {
  const on = await scene(context, () => {}, withHttp({ requestMs: 20_000 }, { minimumBytesPerSecond: 0 }));
  on.client.send('POST / HTTP/1.1\r\n');
  await until(() => on.harness.dataplane.armedTimers > 0 && on.client.socket.bytesWritten > 0);
  await new Promise((resolve) => setImmediate(resolve));
  on.advance(9000);
  on.client.send(POST.slice('POST / HTTP/1.1\r\n'.length));
  let sent = 0;
  while (on.client.text === '' && sent < 30) {
    on.client.send('x');
    sent += 1;
    await until(() => bodyOf(on.backend).length === sent || on.client.text !== '');
    on.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await on.client.untilText('HTTP/1.1 408 ');
  assert.ok(sent >= 11 && sent <= 13, `${sent} s after the head`);
});

/** A client that has taken what fits into kernel buffers, and nothing since. */
async function deaf(context: TestContext, listener?: Partial<Listener>): Promise<Scene> {
  const piece = Buffer.alloc(65_536, 97);
  const on = await scene(
    context,
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
      const pump = (): void => {
        while (!socket.destroyed && socket.write(piece)) {}
      };
      socket.on('drain', pump);
      pump();
    },
    listener,
  );
  on.client.socket.pause();
  on.client.send(GET);
  let last = -1;
  for (let still = 0; still < 40; still += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { bytesWritten } = on.backend.connections[0] ?? { bytesWritten: -2 };
    if (bytesWritten !== last || bytesWritten < 65_536) still = 0;
    last = bytesWritten;
  }
  return on;
}

test('a client that takes nothing of its answer is cut after two windows, or its write time', async (context) => {
  const on = await deaf(context);
  on.advance(9500);
  assert.equal(on.harness.count('open_connections'), 1);
  on.advance(1000);
  await until(() => on.harness.count('open_connections') === 0);
  assert.equal(on.harness.count('local_response_count', { reason: 'client_stalled' }), 1);
  await until(() => on.backend.connections.every(({ destroyed }) => destroyed));
  assertNothingHeld(on);
});

test('write time alone, and neither', async (context) => {
  const on = await deaf(context, withHttp({ writeMs: 20_000 }, { minimumBytesPerSecond: 0 }));
  on.advance(19_500);
  assert.equal(on.harness.count('open_connections'), 1);
  on.advance(1000);
  await until(() => on.harness.count('open_connections') === 0);
  const off = await deaf(context, withHttp({ writeMs: 0 }, { minimumBytesPerSecond: 0 }));
  off.advance(10_000_000);
  assert.equal(off.harness.count('open_connections'), 1);
});

test('a client that takes its answer in drops is cut, though each write makes headway', async (context) => {
  const on = await deaf(context, withHttp({ writeMs: 10_000 }, { minimumBytesPerSecond: 10_000_000 }));
  const { socket } = on.client;
  let seconds = 0;
  while (on.harness.count('open_connections') === 1 && seconds < 60) {
    // A megabyte a second: headway that the proxy sees, at a tenth of the rate.
    const before = on.client.text.length;
    socket.resume();
    await until(() => on.client.text.length >= before + 1_000_000 || on.client.closed);
    socket.pause();
    on.client.text = '';
    await new Promise((resolve) => setTimeout(resolve, 20));
    on.advance(1000);
    seconds += 1;
  }
  assert.ok(seconds >= 5 && seconds <= 11, `${seconds} s`);
  assert.equal(on.harness.count('local_response_count', { reason: 'client_stalled' }), 1);
});

test('the tail of an answer that its client does not take keeps nothing for longer', async (context) => {
  const body = Buffer.alloc(12_000_000, 97);
  const on = await scene(context, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 12000000\r\n\r\n');
    socket.write(body);
  });
  on.client.socket.pause();
  on.client.send(GET);
  await until(() => on.backend.connections.length > 0);
  let last = -1;
  for (let still = 0; still < 40; still += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const left = on.backend.connections[0]!.writableLength;
    if (left !== last) still = 0;
    last = left;
  }
  on.advance(10_500);
  await until(() => on.harness.count('open_connections') === 0);
  assert.equal(on.harness.count('local_response_count', { reason: 'client_stalled' }), 1);
});

test('settings are those of the moment: a request sees what was committed before it', async (context) => {
  const on = await scene(context, (socket) => socket.write(OK));
  on.client.send(GET);
  await on.client.untilText('ok');
  const config = { ...on.harness.listenerConfig(), ...withHttp({ headerMs: 30_000 }) };
  on.harness.change([{ kind: 'listener', value: config }]);
  on.client.send('GET / HT');
  await until(() => on.client.socket.bytesWritten === GET.length + 8);
  await new Promise((resolve) => setTimeout(resolve, 20));
  on.advance(29_000);
  assert.ok(!on.client.text.includes('408'));
  on.advance(1300);
  await on.client.untilText('HTTP/1.1 408 ');
});
