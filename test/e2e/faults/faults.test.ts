import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { RawClient } from '../../dataplane/raw.ts';
import { backendManifest, eventually, routeManifest } from '../harness.ts';
import { FAULT_KINDS } from './protocol.ts';
import { type FaultySystem, faultySystem } from './system.ts';

/** Far more than it takes, so that a busy machine does not decide; the campaign measures. */
const BACK_MS = 10_000;

/** Events of a worker's actor in the journal of the main thread; what came of them may be lines of their own. */
function workerEvents(system: FaultySystem, worker: number): { type: string; [field: string]: unknown }[] {
  const directory = join(system.data, 'journal');
  return readdirSync(directory)
    .filter((file) => file.startsWith('main.'))
    .flatMap((file) => readFileSync(join(directory, file), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line) as { actor?: string; event?: { type: string } })
    .flatMap(({ actor, event }) =>
      event !== undefined && actor?.endsWith(`/dataplane-worker/${worker}`) ? [event] : [],
    );
}

test('a worker that fails in any way is replaced, and requests of the other one never fail', async (t) => {
  const system = await faultySystem(t, { keepAlive: 6, fresh: 2 }, '--worker-memory', '64M');
  const said: Record<(typeof FAULT_KINDS)[number], RegExp> = {
    throw: /^injected exception$/,
    reject: /^injected rejection$/,
    exit: /^exited with code 7$/,
    loop: /^heartbeat$/,
    memory: /memory limit|^heartbeat$/,
    wait: /^heartbeat$/,
  };
  for (const [index, fault] of FAULT_KINDS.entries()) {
    const worker = index % 2;
    const kill = await system.kill(worker, fault);
    assert.deepEqual(kill.others, [], `${fault}: requests of the other worker`);
    assert.ok(kill.backMs < BACK_MS, `${fault}: back after ${kill.backMs.toFixed(0)} ms`);
    t.diagnostic(`${fault}: back after ${kill.backMs.toFixed(0)} ms, ${kill.lost.length} requests lost`);
    const reason = await eventually(`the reason of ${fault} in the journal`, () =>
      workerEvents(system, worker).some(
        (event) =>
          (event.type === 'worker.exited' && said[fault].test(String(event.message))) ||
          (event.type === 'worker.hung' && said[fault].test(String(event.call))),
      ),
    );
    assert.ok(reason);
  }
  assert.match(system.output(), /dataplane-[01] did not answer for \d+ ms/);
  assert.match(system.output(), /dataplane-[01] ended: injected exception/);
  assert.deepEqual(await system.calm(), []);
  assert.equal((await fetch(`http://${system.admin}/readyz`)).status, 200);
  assert.equal(await system.stop(), 0);
});

test('a thread that hangs in its start is overtaken by the next one', async (t) => {
  const system = await faultySystem(t, { keepAlive: 4, fresh: 2 });
  system.injector.hangNextStart('after-role');
  const late = await system.kill(0, 'exit');
  assert.deepEqual(late.others, []);
  await eventually('a worker that hung when it had its role', () =>
    workerEvents(system, 0).some((event) => event.type === 'worker.hung' && event.call === 'heartbeat'),
  );

  // The next thread hangs before it has loaded anything: it is made a worker at once, or when the next one fails.
  system.injector.hangNextStart('before-role');
  await system.kill(0, 'exit');
  await eventually('a thread that hangs', () => !existsSync(join(system.directory, 'hang-before-role')));
  const early = await system.kill(1, 'exit');
  assert.deepEqual(early.others, []);
  assert.ok(early.backMs < BACK_MS, `back after ${early.backMs.toFixed(0)} ms`);
  t.diagnostic(`back after ${late.backMs.toFixed(0)} ms and ${early.backMs.toFixed(0)} ms`);
  await eventually('a worker that did not come up', () =>
    [0, 1]
      .flatMap((worker) => workerEvents(system, worker))
      .some((event) => event.type === 'worker.hung' && event.call === 'start'),
  );
});

test('requests in flight on a thread that ends are answered 503; answers that had begun are cut', async (t) => {
  const system = await faultySystem(t, { keepAlive: 1, fresh: 0 });
  let waiting = 0;
  const slow = createServer((request, response) => {
    waiting += 1;
    if (request.url === '/slow/begun') response.writeHead(200, { 'content-length': '10' }).write('part');
  });
  slow.listen(0, '127.0.0.1');
  await once(slow, 'listening');
  t.after(() => {
    slow.closeAllConnections();
    slow.close();
  });
  const { port } = slow.address() as AddressInfo;
  system.write('slow.yaml', `${backendManifest('slow', port)}---\n${routeManifest('slow', '/slow', 'slow')}`);
  await eventually('the route', () => system.output().includes('route/default/slow'));
  await eventually('its configuration in use', async () => {
    const client = new RawClient(system.port).send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('an answer or none', () => waiting > 0 || client.text !== '');
    client.socket.destroy();
    return waiting > 0;
  });

  waiting = 0;
  const paths = Array.from({ length: 24 }, (_, index) => (index % 3 === 2 ? '/slow/begun' : '/slow'));
  const clients = paths.map((path) =>
    new RawClient(system.port).send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`),
  );
  t.after(() => {
    for (const client of clients) client.socket.destroy();
  });
  await eventually('all requests at the backend', () => waiting === clients.length);
  const ports = clients.map(({ socket }) => socket.localPort!);
  const taken = new Set(
    await system.injector.accepted(
      1,
      ports.map((port) => ({ port, openedAt: 0, closedAt: Number.MAX_VALUE })),
    ),
  );
  assert.ok(taken.size > 0 && taken.size < clients.length, `${taken.size} connections on worker 1`);
  await system.injector.fault(1, 'exit');
  for (const [index, client] of clients.entries()) {
    if (!taken.has(ports[index]!)) continue;
    await client.untilOver();
    if (paths[index] === '/slow/begun') assert.doesNotMatch(client.text, /503/);
    else
      assert.match(
        client.text,
        /^HTTP\/1\.1 503 .*x-novaedge-reason: worker_failed\r\nConnection: close\r\n.*\r\n\r\n503 .*worker_failed\n$/s,
      );
  }
  for (const [index, client] of clients.entries())
    if (!taken.has(ports[index]!)) assert.equal(client.ended || client.closed, false, 'the other worker');
});

test('a worker that keeps failing is given up, said so with its reason, and comes back with another configuration', async (t) => {
  const system = await faultySystem(t, { keepAlive: 2, fresh: 1 });
  const refused = await eventually('not ready', async () => {
    system.injector.faultIfThere(1, 'throw');
    const answer = await fetch(`http://${system.admin}/readyz`);
    return answer.status === 503 && answer.text();
  });
  assert.match(refused, /dataplane-1 keeps failing: ended: injected exception/);
  await system.calm();
  assert.equal((await fetch(system.url('/'))).status, 200, 'the other one serves');
  system.write('more.yaml', routeManifest('more', '/more', 'one'));
  await eventually('ready', async () => (await fetch(`http://${system.admin}/readyz`)).ok);
  assert.equal(await system.stop(), 0);
});

test('a thread that a system call holds is abandoned, replaced beside it, and named as not ready', async (t) => {
  const system = await faultySystem(t, { keepAlive: 2, fresh: 0 });
  const pipe = join(system.directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  // No client may come to wait at the socket of the thread that is held.
  await system.calm();
  const hold = async (worker: number) => {
    const threads = () =>
      workerEvents(system, worker).filter((event) => event.type === 'worker.ready').length;
    const before = await eventually('the worker', threads);
    await system.injector.fault(worker, 'read');
    const refused = await eventually('not ready', async () => {
      const answer = await fetch(`http://${system.admin}/readyz`);
      return answer.status === 503 && answer.text();
    });
    assert.ok(
      refused.includes(
        `dataplane-${worker}'s old thread cannot be ended and holds its ports; restart the agent`,
      ),
      refused,
    );
    await eventually('its successor', () => threads() > before);
  };
  await hold(1);
  // The system call returns: the thread ends after all, and all is well.
  closeSync(openSync(pipe, 'w'));
  await eventually('ready', async () => (await fetch(`http://${system.admin}/readyz`)).ok);

  // A process cannot end in good order while it has such a thread; it ends all the same.
  await hold(0);
  assert.equal(await system.stop(), 'SIGKILL');
});
