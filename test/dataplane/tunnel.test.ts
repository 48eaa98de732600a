import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Listener } from '../../src/model/gateway.ts';
import type { Clocked } from './clocked.ts';
import { clocked, until } from './clocked.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, route, start, withHttp } from './harness.ts';
import { OK, RawClient, rawBackend } from './raw.ts';

const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n';
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n';

interface Tunnel extends Clocked {
  readonly harness: Harness;
  readonly client: RawClient;
  readonly backend: Socket;
  readonly heard: () => string;
}

async function tunnel(context: TestContext, settings: Partial<Listener> = {}): Promise<Tunnel> {
  const clock = clocked();
  let heard = '';
  let backendSocket: Socket | null = null;
  const { createServer } = await import('node:net');
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    backendSocket = socket;
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      heard += bytes.toString('latin1');
      if (heard.endsWith('\r\n\r\n')) {
        heard = '';
        socket.write(SWITCHED);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(address.port) },
      { kind: 'route', value: route() },
    ],
    listener: settings,
    system: clock.system,
  });
  const client = new RawClient(harness.port);
  context.after(() => {
    client.socket.destroy();
    backendSocket?.destroy();
    server.close();
    harness.dataplane.shutdown();
  });
  client.send(UPGRADE);
  await client.untilText('\r\n\r\n');
  client.text = '';
  return { ...clock, harness, client, backend: backendSocket!, heard: () => heard };
}

async function assertOver({ harness, backend }: Tunnel): Promise<void> {
  await until(() => harness.count('open_connections') === 0);
  backend.destroy();
  await until(() => harness.dataplane.armedTimers === 0);
  assert.equal(harness.count('active_connections'), 0);
  assert.equal(harness.count('upstream_open_connections'), 0);
  for (const { activeRequests } of harness.dataplane.report('whole').endpoints)
    assert.equal(activeRequests, 0);
  assert.equal(harness.dataplane.armedTimers, 0);
}

test('a tunnel stays while either side says something, and goes when neither does', async (context) => {
  const on = await tunnel(context, withHttp({ tunnelIdleMs: 60_000 }));
  for (const side of ['client', 'backend', 'client', 'backend'] as const) {
    on.advance(59_000);
    if (side === 'client') {
      const before = on.heard().length;
      on.client.send('x');
      await until(() => on.heard().length > before);
    } else {
      on.client.text = '';
      on.backend.write('y');
      await on.client.untilText('y');
    }
  }
  on.advance(59_900);
  assert.equal(on.harness.count('open_connections'), 1);
  on.advance(300);
  await assertOver(on);
  assert.equal(on.harness.count('local_response_count', { reason: 'tunnel_idle' }), 1);
});

test('an idle time of 0 is for ever', async (context) => {
  const on = await tunnel(context, withHttp({ tunnelIdleMs: 0 }));
  on.advance(100_000_000);
  on.client.send('x');
  await until(() => on.heard() === 'x');
});

for (const first of ['client', 'backend'] as const)
  test(`the ${first} ends its half, the other side goes on until it ends too`, async (context) => {
    const on = await tunnel(context);
    const [one, other] = first === 'client' ? [on.client.socket, on.backend] : [on.backend, on.client.socket];
    let ended = false;
    other.once('end', () => {
      ended = true;
    });
    one.end('last words');
    await until(() => ended);
    for (let turn = 0; turn < 3; turn += 1) {
      other.write(`word ${turn}`);
      if (first === 'client') await on.client.untilText(`word ${turn}`);
      else await until(() => on.heard().includes(`word ${turn}`));
    }
    if (first === 'client') assert.equal(on.heard(), 'last words');
    else assert.match(on.client.text, /^last words/);
    other.end();
    await until(() => on.harness.count('open_connections') === 0);
    on.backend.destroy();
    await assertOver(on);
    assert.equal(on.harness.count('local_response_count'), 0);
    assert.equal(on.harness.dataplane.report('whole').endpoints[0]!.failures, 0, 'that is how tunnels end');
  });

test('a reset of either side ends both, and nobody is blamed', async (context) => {
  for (const side of ['client', 'backend'] as const) {
    const on = await tunnel(context);
    (side === 'client' ? on.client.socket : on.backend).resetAndDestroy();
    if (side === 'backend') await on.client.untilOver();
    else await new Promise((resolve) => on.backend.once('end', resolve).resume());
    await assertOver(on);
    assert.equal(on.harness.count('local_response_count'), 0, side);
  }
});

test('whoever does not read holds the other side back, each way; memory stays what one read brings', async (context) => {
  const on = await tunnel(context, withHttp({ writeMs: 0 }));
  const chunk = Buffer.alloc(65_536, 120);
  on.client.socket.removeAllListeners('data');
  on.backend.removeAllListeners('data');
  for (const [from, to] of [
    [on.client.socket, on.backend],
    [on.backend, on.client.socket],
  ] as const) {
    to.pause();
    const before = process.memoryUsage().arrayBuffers;
    let left = 64 * 1024 * 1024;
    const total = left;
    let received = 0;
    const count = (bytes: Buffer): void => {
      received += bytes.length;
    };
    to.on('data', count);
    to.pause();
    let written = 0;
    const pump = (): void => {
      while (left > 0) {
        left -= chunk.length;
        written += chunk.length;
        if (!from.write(chunk)) return;
      }
    };
    from.on('drain', pump);
    pump();
    let last = -1;
    for (let still = 0; still < 20; still += 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (written !== last) still = 0;
      last = written;
    }
    assert.ok(written < 32 * 1024 * 1024, `${written} bytes left one side though the other takes none`);
    assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024);
    to.resume();
    await until(() => received === total);
    from.off('drain', pump);
    to.off('data', count);
  }
});

test('a client that takes nothing of a tunnel is cut after its write time, though it sends', async (context) => {
  const on = await tunnel(context);
  on.client.socket.pause();
  const chunk = Buffer.alloc(65_536, 97);
  let left = 512;
  const pump = (): void => {
    while (left > 0) {
      left -= 1;
      if (!on.backend.write(chunk)) return;
    }
  };
  on.backend.on('drain', pump);
  pump();
  let last = -1;
  for (let still = 0; still < 20; still += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (left !== last) still = 0;
    last = left;
  }
  assert.ok(left > 0, 'it took everything');
  for (let second = 0; second < 9; second += 1) {
    const before = on.heard().length;
    on.client.send('x');
    await until(() => on.heard().length > before);
    on.advance(1000);
  }
  assert.equal(on.harness.count('open_connections'), 1);
  on.advance(2000);
  await assertOver(on);
  assert.equal(on.harness.count('local_response_count', { reason: 'client_stalled' }), 1);
});

test('bytes that came before the answer to an upgrade go to the backend with it, or nowhere', async (context) => {
  for (const agrees of [true, false]) {
    const backend = await rawBackend(context, () => {});
    const harness = await start({
      resources: [
        { kind: 'cluster', value: cluster() },
        { kind: 'endpoint', value: endpoint(backend.port) },
        { kind: 'route', value: route() },
      ],
    });
    context.after(() => harness.dataplane.shutdown());
    const early = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
    const client = new RawClient(harness.port).send(UPGRADE).send(early);
    await until(() => (backend.received[0] ?? '').includes('\r\n\r\n'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(!backend.received[0]!.includes('smuggled'), 'nothing passes before the backend has agreed');
    // Bytes of the new protocol right behind the 101, in one segment with it.
    backend.connections[0]!.write(agrees ? `${SWITCHED}welcome` : OK);
    if (agrees) {
      await client.untilText('welcome');
      client.send('hello');
      await until(() => backend.received[0]!.endsWith('hello'));
      assert.ok(backend.received[0]!.endsWith(`\r\n\r\n${early}hello`));
      client.socket.destroy();
    } else {
      await client.untilOver();
      assert.match(client.text, /^HTTP\/1\.1 200 .*Connection: close\r\n.*ok$/s);
    }
    assert.equal(backend.received.length, 1);
    assert.equal(backend.received[0]!.includes('smuggled'), agrees);
  }
});

test('a request to upgrade that has a body is an ordinary request', async (context) => {
  const backend = await rawBackend(context, (socket, bytes) => {
    if (bytes.toString('latin1').endsWith('body!')) socket.write(OK);
  });
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(backend.port) },
      { kind: 'route', value: route() },
    ],
  });
  context.after(() => harness.dataplane.shutdown());
  const client = new RawClient(harness.port).send(
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\nContent-Length: 5\r\n\r\nbody!',
  );
  await client.untilText('ok');
  assert.ok(!/upgrade/i.test(backend.received[0]!));
  client.text = '';
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => backend.received.join('').includes('GET /'));
  client.socket.destroy();
});

test('a backend that switches to what it was not asked for is at fault', async (context) => {
  for (const [asked, given, status] of [
    ['websocket', 'h2c', 502],
    ['websocket', 'websocket, h2c', 502],
    ['websocket', ',', 502],
    ['foo/1', 'foo/2', 502],
    ['websocket', 'WebSocket', 101],
    ['foo/2, bar', 'BAR', 101],
  ] as const) {
    const backend = await rawBackend(context, (socket) =>
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ${given}\r\n\r\n`),
    );
    const harness = await start({
      resources: [
        { kind: 'cluster', value: cluster() },
        { kind: 'endpoint', value: endpoint(backend.port) },
        { kind: 'route', value: route() },
      ],
    });
    context.after(() => harness.dataplane.shutdown());
    const client = new RawClient(harness.port).send(UPGRADE.replace('echo', asked));
    await client.untilText('\r\n\r\n');
    client.socket.destroy();
    assert.equal(client.text.slice(9, 12), String(status), `${given} for ${asked}`);
  }
});
