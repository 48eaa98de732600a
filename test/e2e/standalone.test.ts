import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../needs.ts';
import {
  backend,
  backendManifest,
  curl,
  eventually,
  freePort,
  gatewayManifest,
  novactl,
  novaedge,
  routeManifest,
  standalone,
  temporaryDirectory,
} from './harness.ts';
import { traffic } from './traffic.ts';

const body = async (url: string, init?: RequestInit) => (await fetch(url, init)).text();

test('manifests in, HTTP traffic out', needs('curl'), async (t) => {
  const one = await backend(t, 'one');
  const system = await standalone(t, {
    'app.yaml': `${backendManifest('one', one.port)}---\n${routeManifest('app', '/app', 'one')}`,
  });
  const answer = await curl('-i', system.url('/app/x'));
  assert.match(answer.stdout, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(answer.stdout, /\r\n\r\none$/);
  const missing = await curl('-i', system.url('/nowhere'));
  assert.match(missing.stdout, /^HTTP\/1\.1 404 /);
  assert.match(missing.stdout, /x-novaedge-reason: route_not_found/i);
});

test('a manifest edited while load runs is in effect and no request fails', async (t) => {
  const [one, two] = [await backend(t, 'one'), await backend(t, 'two')];
  const system = await standalone(t, {
    'backends.yaml': `${backendManifest('one', one.port)}---\n${backendManifest('two', two.port)}`,
    'route.yaml': routeManifest('app', '/', 'one'),
  });
  const load = traffic(system.url('/'), 16);
  await eventually('load', () => load.total() > 500);
  const saved = performance.now();
  system.write('route.yaml', routeManifest('app', '/', 'two'));
  await eventually('the new backend', () => load.answers.has('200 two'));
  t.diagnostic(`first answer of the new backend ${(performance.now() - saved).toFixed(0)} ms after the save`);
  for (let edit = 0; edit < 20; edit += 1) {
    const before = edit % 2 === 0 ? two.requests : one.requests;
    system.write('route.yaml', routeManifest('app', '/', edit % 2 === 0 ? 'one' : 'two'));
    const wanted = edit % 2 === 0 ? one : two;
    const seen = wanted.requests;
    await eventually('the edited route', () => wanted.requests > seen + 20);
    assert.ok(before >= 0);
  }
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.deepEqual([...load.answers.keys()].sort(), ['200 one', '200 two']);
});

test('a wrong manifest is explained, its last good version serves on, its neighbour changes', async (t) => {
  const [one, two] = [await backend(t, 'one'), await backend(t, 'two')];
  const both = (path: string, neighbour: string) =>
    `${routeManifest('app', path, 'one')}---\n${routeManifest('next', '/next', neighbour)}`;
  const system = await standalone(t, {
    'backends.yaml': `${backendManifest('one', one.port)}---\n${backendManifest('two', two.port)}`,
    'routes.yaml': both('/app', 'one'),
  });
  assert.equal(await body(system.url('/next')), 'one');
  system.write('routes.yaml', both('app-without-slash', 'two'));
  await eventually('the changed neighbour', async () => (await body(system.url('/next'))) === 'two');
  assert.equal(await body(system.url('/app')), 'one');

  const said = await novactl('problems', '--admin', system.admin);
  for (const text of [said.stdout, system.output()]) {
    assert.match(text, /routes\.yaml:8/);
    assert.match(text, /ProxyRoute default\/app/);
    assert.match(text, /spec\.rules\[0\]\.matches\[0\]\.path\.value/);
    assert.match(text, /app-without-slash/);
    assert.match(text, /InvalidValue/);
  }

  system.write('routes.yaml', 'kind: [');
  await eventually('the error of the unreadable file', () => /routes\.yaml:1/.test(system.output()));
  assert.equal(await body(system.url('/app')), 'one');
  assert.equal(await body(system.url('/next')), 'two');

  system.write('routes.yaml', both('/app', 'two'));
  await eventually('no problems', async () => {
    const { items } = JSON.parse(
      (await novactl('problems', '--admin', system.admin, '-o', 'json')).stdout,
    ) as { items: unknown[] };
    return items.length === 0;
  });
});

test('references heal in any order', needs('curl'), async (t) => {
  const one = await backend(t, 'one');
  const system = await standalone(t, { 'route.yaml': routeManifest('app', '/', 'one') });
  const unresolved = await curl('-i', system.url('/'));
  assert.match(unresolved.stdout, /^HTTP\/1\.1 500 /);
  assert.match(unresolved.stdout, /x-novaedge-reason: cluster_not_found/i);
  system.write('backend.yaml', backendManifest('one', one.port));
  await eventually('the backend', async () => (await body(system.url('/'))) === 'one');
  rmSync(join(system.config, 'backend.yaml'));
  await eventually('its absence', async () => (await fetch(system.url('/'))).status === 500);
});

test('a busy port harms only its listener and heals when it is freed', async (t) => {
  const one = await backend(t, 'one');
  const blocker = createTcpServer();
  blocker.listen(await freePort(), '127.0.0.1');
  await once(blocker, 'listening');
  const { port: busy } = blocker.address() as { port: number };
  const system = await standalone(t, {
    'app.yaml': `${backendManifest('one', one.port)}---\n${routeManifest('app', '/', 'one')}---\n${gatewayManifest(busy, 'busy')}`,
  });
  assert.equal(await body(system.url('/')), 'one');
  const gateways = await eventually('the reason', async () => {
    const { stdout } = await novactl('gateways', '--admin', system.admin, '-o', 'json');
    return stdout.includes('AddressInUse') && stdout;
  });
  assert.match(gateways, new RegExp(String(busy)));
  blocker.close();
  await eventually('the healed listener', async () => (await body(`http://127.0.0.1:${busy}/`)) === 'one');
});

test('a port that another process shares by SO_REUSEPORT is not joined', async (t) => {
  const one = await backend(t, 'one');
  const first = await standalone(t, {
    'app.yaml': `${backendManifest('one', one.port)}---\n${routeManifest('app', '/', 'one')}`,
  });
  const second = await standalone(t, { 'more.yaml': gatewayManifest(first.port, 'same-port') });
  await eventually(
    'the refusal',
    () => /same-port/.test(second.output()) && /AddressInUse/.test(second.output()),
  );
  for (let connection = 0; connection < 50; connection += 1) {
    const answer = await fetch(first.url('/'), { headers: { connection: 'close' } });
    assert.equal(answer.status, 200);
  }
});

test(
  'SIGTERM drains: what is in flight is answered, new connections are refused, exit code 0',
  needs('curl'),
  async (t) => {
    let answer: (() => void) | null = null;
    const slow = createServer((_, response) => {
      answer = () => response.end('slow but whole');
    });
    slow.listen(0, '127.0.0.1');
    await once(slow, 'listening');
    t.after(() => slow.close());
    const { port } = slow.address() as { port: number };
    const system = await standalone(t, {
      'app.yaml': `${backendManifest('slow', port)}---\n${routeManifest('app', '/', 'slow')}`,
    });
    const inFlight = curl('-i', system.url('/'));
    await eventually('the request at the backend', () => answer !== null);
    system.process.kill('SIGTERM');
    await eventually('the closed port', async () => !(await connects(system.port)));
    answer!();
    const { stdout } = await inFlight;
    assert.match(stdout, /^HTTP\/1\.1 200 /);
    assert.match(stdout, /connection: close/i);
    assert.match(stdout, /slow but whole$/);
    assert.equal(await system.exited, 0);
  },
);

test('SIGHUP leaves what serves alone', async (t) => {
  const one = await backend(t, 'one');
  const system = await standalone(t, {
    'app.yaml': `${backendManifest('one', one.port)}---\n${routeManifest('app', '/', 'one')}`,
  });
  system.process.kill('SIGHUP');
  await eventually('the log line', () => /SIGHUP/.test(system.output()));
  assert.equal(await body(system.url('/')), 'one');
  assert.equal(await system.stop(), 0);
});

test('what keeps it from starting is said in one line, with its exit code', async (t) => {
  const directory = temporaryDirectory();
  const run = async (...arguments_: string[]) => {
    const started = novaedge(t, ...arguments_);
    return { code: await started.exited, output: started.output() };
  };
  const usage = await run('standalone', '--config', directory);
  assert.equal(usage.code, 2);
  assert.match(usage.output, /--data/);

  const noConfig = await run(
    'standalone',
    '--config',
    join(directory, 'absent'),
    '--data',
    join(directory, 'data'),
  );
  assert.equal(noConfig.code, 3);
  assert.match(noConfig.output, /absent/);
  assert.doesNotMatch(noConfig.output, /\n\s+at /);

  const taken = createTcpServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const admin = `127.0.0.1:${(taken.address() as { port: number }).port}`;
  const noAdmin = await run(
    'standalone',
    '--config',
    directory,
    '--data',
    join(directory, 'data'),
    '--admin',
    admin,
  );
  assert.equal(noAdmin.code, 3);
  assert.ok(noAdmin.output.includes(admin), noAdmin.output);

  const system = await standalone(t, {});
  const second = await run(
    'standalone',
    '--config',
    system.config,
    '--data',
    system.data,
    '--admin',
    '127.0.0.1:0',
  );
  assert.equal(second.code, 3);
  assert.match(second.output, /in use by another novaedge process/);
});

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
