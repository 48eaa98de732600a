import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Cluster } from '../../src/model/cluster.ts';
import { limitBytes, limitTotalIndex } from '../../src/model/limits.ts';
import type { Harness } from './harness.ts';
import { cluster, startProxy } from './harness.ts';
import { answering, exchange, OK, RawClient, rawBackend } from './raw.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const SLOT = 16;
const turn = () => new Promise(setImmediate);

async function proxy(
  context: TestContext,
  port: number,
  settings: Partial<Cluster>,
  options: { readonly limits?: SharedArrayBuffer; readonly worker?: number } = {},
): Promise<Harness> {
  const harness = await startProxy(context, [port], {
    ...options,
    more: [{ kind: 'cluster', value: cluster(settings) }],
  });
  return harness;
}

test('a connection is closed after as many requests as it may have', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const harness = await proxy(context, backend.port, { maxRequestsPerConnection: 3 });
  const client = new RawClient(harness.port).send(GET.repeat(7));
  await client.until(({ text }) => text.split('\r\n\r\nok').length === 8);
  client.socket.destroy();
  assert.deepEqual(
    backend.received.map((text) => text.split('GET').length - 1),
    [3, 3, 1],
  );
});

test('no more unused connections are kept than may be', async (context) => {
  const busy: Socket[] = [];
  const backend = await rawBackend(context, (socket) => busy.push(socket));
  const harness = await proxy(context, backend.port, { maxIdleConnections: 2 });
  const clients = Array.from({ length: 5 }, () => new RawClient(harness.port).send(GET));
  while (busy.length < 5) await turn();
  for (const socket of busy) socket.write(OK);
  for (const client of clients) {
    await client.untilText('ok');
    client.socket.destroy();
  }
  assert.equal(harness.count('upstream_open_connections'), 2);
});

test('an unused connection is closed when its time is over', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const harness = await proxy(context, backend.port, { idleTimeoutMs: 50 });
  const client = await new RawClient(harness.port).send(GET).untilText('ok');
  client.socket.destroy();
  while (harness.count('upstream_open_connections') > 0) await turn();
});

test('an endpoint that is removed finishes what it has; its unused connections close at once', async (context) => {
  const busy: Socket[] = [];
  const backend = await rawBackend(context, (socket, bytes) => {
    if (bytes.includes('/slow')) busy.push(socket);
    else socket.write(OK);
  });
  const harness = await proxy(context, backend.port, {});
  const slow = new RawClient(harness.port).send(GET.replace('/', '/slow'));
  while (busy.length === 0) await turn();
  const quick = await new RawClient(harness.port).send(GET).untilText('ok');
  assert.equal(harness.count('upstream_open_connections'), 2);
  harness.change([], [`endpoint/default/api/127.0.0.1:${backend.port}`]);
  assert.equal(harness.count('upstream_open_connections'), 1);
  busy[0]!.write(OK);
  await slow.untilText('ok');
  assert.equal(harness.count('upstream_open_connections'), 0);
  slow.socket.destroy();
  quick.socket.destroy();
});

test('a limit that is met and left with every request makes at most one pair of events a tick', async (context) => {
  let ticks = 0;
  const backend = await rawBackend(context, (socket) => socket.end(`${OK.replace('OK', 'OK')}`));
  const harness = await proxy(context, backend.port, { maxConnections: 1, maxPendingRequests: 1 });
  const clock = setInterval(() => {
    ticks += 1;
  }, 50);
  context.after(() => clearInterval(clock));
  const clients = Array.from({ length: 4 }, () => new RawClient(harness.port));
  for (let round = 0; round < 200; round += 1) {
    for (const client of clients) client.send(GET);
    await Promise.all(
      clients.map((client) => client.until(({ text }) => text.split('HTTP/1.1 ').length === round + 2)),
    );
  }
  for (const client of clients) client.socket.destroy();
  const reached = harness.notifications.filter(({ type }) => type === 'limit.reached');
  assert.ok(reached.length > 0);
  // Two limits; a tick more for the one at hand, and one that the counting clock may be behind.
  assert.ok(reached.length <= 2 * (ticks + 2), `${reached.length} events in ${ticks} ticks`);
  const balance = (limit: string) =>
    harness.notifications.reduce((sum, each) => {
      if (!('limit' in each) || each.limit !== limit) return sum;
      const next = sum + (each.type === 'limit.reached' ? 1 : -1);
      assert.ok(next === 0 || next === 1, 'reached and cleared take turns');
      return next;
    }, 0);
  while (balance('maxConnections') + balance('maxPendingRequests') > 0) await turn();
});

test('a worker whose requests wait gives connections to a worker that has none', async (context) => {
  const backend = await rawBackend(context, (socket) => setTimeout(() => socket.write(OK), 2));
  const limits = new SharedArrayBuffer(limitBytes(2));
  const settings = { maxConnections: 1, maxPendingRequests: 100, pendingTimeoutMs: 60_000 };
  const [one, other] = [
    await proxy(context, backend.port, settings, { limits, worker: 0 }),
    await proxy(context, backend.port, settings, { limits, worker: 1 }),
  ];
  // One worker always has requests that wait.
  const greedy = Array.from({ length: 3 }, () => {
    const client = new RawClient(one.port).send(GET);
    client.socket.on('data', () => client.send(GET));
    return client;
  });
  await greedy[0]!.untilText('ok');
  const client = new RawClient(other.port).send(GET);
  await client.untilText('ok');
  for (const each of [...greedy, client]) each.socket.destroy();
});

test('over worker threads a backend never has more connections than allowed, nor more requests wait', async (context) => {
  const [workers, most, mostPending] = [3, 4, 6];
  let open = 0;
  let peak = 0;
  let made = 0;
  // A connection that has ended may be noticed after the one that took its place: counted when all that came by then
  // has been read.
  const server = createServer({ noDelay: true }, (socket) => {
    open += 1;
    made += 1;
    let isOpen = true;
    const gone = () => {
      if (isOpen) open -= 1;
      isOpen = false;
    };
    socket.on('end', gone).on('close', gone).on('error', gone);
    setImmediate(() =>
      setImmediate(() => {
        peak = Math.max(peak, open);
      }),
    );
    socket.on('data', () =>
      setTimeout(() => {
        // Some answers end their connection, so that places change hands.
        if (made % 3 === 0) socket.end(OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
        else socket.write(OK);
      }, 1),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const { port: backend } = server.address() as { port: number };
  const limits = new SharedArrayBuffer(limitBytes(workers));
  const cells = new Int32Array(limits);
  const settings = { maxConnections: most, maxPendingRequests: mostPending };
  const threads = await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      const thread = new Worker(new URL('./pool-worker.ts', import.meta.url), {
        workerData: { worker, limits, backend, settings },
      });
      const port = await new Promise<number>((resolve, reject) => {
        thread.once('message', resolve).once('error', reject);
      });
      return { thread, port };
    }),
  );
  const answers = new Map<string, number>();
  const hammer = async (port: number) => {
    const client = new RawClient(port);
    for (let count = 0; count < 150; count += 1) {
      client.text = '';
      client.send(GET);
      await client.until(({ text }) => text.endsWith('ok') || /: pending_limit\n$/.test(text));
      const answer = client.text.slice(9, 12);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      for (const [field, limit] of [most, mostPending].entries()) {
        const total = Atomics.load(cells, limitTotalIndex(SLOT, field as 0 | 1));
        assert.ok(total >= 0 && total <= limit, `${total} of ${limit}`);
      }
    }
    client.socket.destroy();
  };
  await Promise.all(threads.flatMap(({ port }) => Array.from({ length: 6 }, () => hammer(port))));
  assert.ok(peak <= most, `${peak} connections at once`);
  assert.equal(peak, most, 'the limit has been reached');
  assert.ok(answers.get('200')! > 200 && answers.get('503')! > 0, JSON.stringify([...answers]));
  for (const { thread } of threads) {
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    thread.postMessage('end');
    await ended;
  }
  for (const field of [0, 1] as const) assert.equal(cells[limitTotalIndex(SLOT, field)], 0);
});

test('limits are taken exactly: nobody is refused while there is room', async () => {
  // Two places for two threads that take one at a time; a third, with a lower limit, always asks in vain. What it
  // would have taken for a moment must not be missing to the others.
  const source = `
    import { parentPort, workerData } from 'node:worker_threads';
    import { SharedLimits } from '${new URL('../../src/dataplane/limits.ts', import.meta.url).href}';
    const limits = new SharedLimits(workerData.memory, workerData.worker);
    let refused = 0;
    const most = workerData.worker === 2 ? 0 : 2;
    const here = new Int32Array(workerData.here);
    Atomics.add(here, 0, 1);
    while (Atomics.load(here, 0) < 3) Atomics.wait(here, 1, 0, 1);
    for (let turn = 0; turn < 200_000; turn += 1)
      if (limits.take(0, 0, most)) limits.give(0, 0);
      else refused += 1;
    parentPort.postMessage(refused);
  `;
  const memory = new SharedArrayBuffer(limitBytes(3));
  const here = new SharedArrayBuffer(8);
  const refused = await Promise.all(
    [0, 1, 2].map(
      (worker) =>
        new Promise<number>((resolve, reject) => {
          new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
            workerData: { memory, worker, here },
          })
            .once('message', resolve)
            .once('error', reject);
        }),
    ),
  );
  assert.deepEqual(refused, [0, 0, 200_000]);
  assert.equal(new Int32Array(memory)[limitTotalIndex(0, 0)], 0);
});

test('a request that waits too long for its cluster is told so, in the time of that cluster', async (context) => {
  const backend = await rawBackend(context, () => {});
  const harness = await proxy(context, backend.port, { maxConnections: 1, pendingTimeoutMs: 60 });
  const first = new RawClient(harness.port).send(GET);
  while (backend.connections.length === 0) await turn();
  const text = await exchange(harness.port, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  assert.match(text, /^HTTP\/1\.1 503 .*pending_timeout/s);
  first.socket.destroy();
});
