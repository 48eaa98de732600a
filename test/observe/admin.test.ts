import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startAdmin } from '../../src/observe/admin.ts';
import { hostWithoutPort, isAllowedHost } from '../../src/observe/host-check.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { nearestNames } from '../../src/observe/nearest.ts';
import {
  agentAdmin,
  controllerAdmin,
  nodeReport,
  OBJECTS,
  PROBLEMS,
  RESOURCES,
  serveFixture,
} from '../cli/fixture.ts';
import { parseExposition } from './exposition-parser.ts';

type Subjects = Parameters<typeof serveFixture>[0];

async function serve(t: { after(work: () => Promise<void>): void }, subjects: Subjects): Promise<string> {
  const admin = await serveFixture(subjects);
  t.after(() => admin.close());
  return admin.address;
}

/** Sends bytes as they are and gives everything that comes back until the server closes. */
function raw(address: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const [host, port] = address.split(':');
    const socket = connect(Number(port), host);
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
    socket.write(request);
  });
}

const get = (path: string, host: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

test('metrics, health and index answer on one port for controller and agent together', async (t) => {
  const address = await serve(t, { controller: controllerAdmin(), agent: agentAdmin() });
  const metrics = await fetch(`http://${address}/metrics`);
  assert.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const families = parseExposition(await metrics.text());
  assert.equal(families.get('actor_restarts')!.samples[0]!.value, 4);
  assert.equal(await (await fetch(`http://${address}/healthz`)).text(), 'ok\n');
  assert.equal(await (await fetch(`http://${address}/readyz`)).text(), 'ready\n');
  const index = await (await fetch(`http://${address}/`)).text();
  for (const path of ['/metrics', '/healthz', '/readyz', '/config_dump', '/api/v1/objects']) {
    assert.ok(index.includes(path), path);
  }
});

test('readyz is 503 with every reason of both roles', async (t) => {
  const address = await serve(t, {
    controller: controllerAdmin({
      readiness: () => ({ ready: false, reasons: ['reading the configuration'] }),
    }),
    agent: agentAdmin({ readiness: () => ({ ready: false, reasons: ['no snapshot yet', 'no worker yet'] }) }),
  });
  const response = await fetch(`http://${address}/readyz`);
  assert.equal(response.status, 503);
  assert.equal(
    await response.text(),
    'not ready\ncontroller: reading the configuration\nagent: no snapshot yet\nagent: no worker yet\n',
  );
  assert.equal((await fetch(`http://${address}/healthz`)).status, 200);
});

test('config_dump is what serves, with secrets redacted', async (t) => {
  const address = await serve(t, { agent: agentAdmin() });
  const text = await (await fetch(`http://${address}/config_dump`)).text();
  assert.doesNotMatch(text, /c2VjcmV0/);
  const dump = JSON.parse(text);
  assert.equal(dump.source, 'agent');
  assert.equal(dump.resources.length, RESOURCES.size);
  const route = dump.resources.find((one: { value: { name: string } }) => one.value.name === 'default/api');
  assert.deepEqual(route.value.rules[0].filters[0].changes.set, [
    { name: 'authorization', value: '<redacted>' },
  ]);
});

test('the data of Secrets and secret headers of objects do not leave', async (t) => {
  const secret = {
    object: { kind: 'Secret', namespace: 'default', name: 'tls' },
    manifest: { kind: 'Secret', data: { 'tls.key': 'HIDE' }, stringData: { password: 'HIDE' } },
    conditions: [],
    problems: [],
    resources: [],
  };
  const filtered = {
    ...secret,
    object: { kind: 'ProxyRoute', namespace: 'default', name: 'r' },
    manifest: { spec: { rules: [{ filters: [{ type: 'AddHeader', add: { Authorization: 'HIDE' } }] }] } },
  };
  const address = await serve(t, { controller: controllerAdmin({ objects: () => [secret, filtered] }) });
  for (const path of ['objects', 'objects/Secret/default/tls', 'objects/ProxyRoute/default/r']) {
    const text = await (await fetch(`http://${address}/api/v1/${path}`)).text();
    assert.match(text, /<redacted>/);
    assert.doesNotMatch(text, /HIDE/);
  }
});

test('a dump of 60,000 resources comes whole and leaves the server answering', async (t) => {
  const many = new Map(
    Array.from({ length: 60_000 }, (_, index) => {
      const name = `default/cluster-${index}`;
      const cluster = { ...[...RESOURCES.values()].find((one) => one.kind === 'cluster')!.value, name };
      return [`cluster/${name}`, { kind: 'cluster', value: cluster } as never];
    }),
  );
  const address = await serve(t, { agent: agentAdmin({ resources: () => many }) });
  const [dump, health] = await Promise.all([
    fetch(`http://${address}/config_dump`).then((response) => response.json()),
    fetch(`http://${address}/healthz`),
  ]);
  assert.equal((dump as { resources: unknown[] }).resources.length, 60_000);
  assert.equal(health.status, 200);
});

test('the JSON API gives objects, problems, nodes, actors, stats and resources', async (t) => {
  const address = await serve(t, { controller: controllerAdmin() });
  const api = async (path: string) =>
    (await fetch(`http://${address}/api/v1/${path}`)).json() as Promise<never>;
  assert.deepEqual(await api('info'), { version: '0.1.0', roles: ['controller'] });
  assert.deepEqual(await api('objects'), { held: true, objects: OBJECTS });
  const routes = (await api('objects?kind=ProxyRoute&namespace=default')) as { objects: typeof OBJECTS };
  assert.deepEqual(
    routes.objects.map(({ object }) => object.name),
    ['api', 'web'],
  );
  assert.deepEqual(await api('objects/ProxyRoute/default/api'), OBJECTS[2]);
  assert.deepEqual(await api('problems'), { held: true, problems: PROBLEMS });
  const nodes = (await api('nodes')) as { nodes: { node: string }[] };
  assert.deepEqual(
    nodes.nodes.map(({ node }) => node),
    ['edge-1', 'edge-2'],
  );
  assert.deepEqual(await api('actors?node=edge-1'), {
    nodes: [{ node: 'edge-1', actors: nodeReport('edge-1').actors }],
  });
  const { actors: _, ...stats } = nodeReport('edge-2');
  assert.deepEqual(await api('stats?node=edge-2'), { nodes: [stats] });
  const resources = (await api('resources?kind=cluster')) as { source: string; resources: unknown[] };
  assert.equal(resources.source, 'controller');
  assert.equal(resources.resources.length, 3);
});

test('the controller is asked for fresh reports, and an agent beside it answers for itself', async (t) => {
  let refreshed = 0;
  const own = { ...nodeReport('edge-1'), workers: 9 };
  const address = await serve(t, {
    controller: controllerAdmin({
      refresh: async () => {
        refreshed += 1;
      },
    }),
    agent: agentAdmin({ report: async () => own }),
  });
  const { nodes } = (await (await fetch(`http://${address}/api/v1/nodes`)).json()) as {
    nodes: { node: string; wished: string; report: { workers: number } }[];
  };
  assert.equal(refreshed, 1);
  assert.deepEqual(
    nodes.map(({ node, report }) => [node, report.workers]),
    [
      ['edge-1', 9],
      ['edge-2', 2],
    ],
  );
});

test('an agent alone says that it holds no objects', async (t) => {
  const address = await serve(t, { agent: agentAdmin() });
  assert.deepEqual(await (await fetch(`http://${address}/api/v1/objects`)).json(), {
    held: false,
    objects: [],
  });
  const one = await fetch(`http://${address}/api/v1/objects/ProxyRoute/default/api`);
  assert.equal(one.status, 404);
  assert.match(((await one.json()) as { message: string }).message, /agent, which holds no objects/);
});

test('what is not there is 404 with a hint', async (t) => {
  const address = await serve(t, { controller: controllerAdmin() });
  const answer = async (path: string) => {
    const response = await fetch(`http://${address}${path}`);
    assert.equal(response.status, 404, path);
    return (await response.json()) as { message: string; nearest: string[] };
  };
  assert.deepEqual((await answer('/metric')).nearest, ['/metrics']);
  assert.match((await answer('/zzz')).message, /GET \/ lists the endpoints/);
  assert.deepEqual((await answer('/api/v1/objects/ProxyRoute/default/apii')).nearest, ['default/api']);
  assert.deepEqual((await answer('/api/v1/stats?node=egde-1')).nearest, ['edge-1', 'edge-2']);
  await answer('/api/v1/objects/ProxyRoute');
  await answer('/api/v1/constructor');
});

test('only GET and HEAD; HEAD has the headers and no body', async (t) => {
  const address = await serve(t, { controller: controllerAdmin(), agent: agentAdmin() });
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const response = await fetch(`http://${address}/metrics`, { method });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get('allow'), 'GET, HEAD');
    await response.body?.cancel();
  }
  for (const path of ['/healthz', '/config_dump', '/api/v1/info']) {
    const answer = await raw(
      address,
      `HEAD ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.ok(answer.endsWith('\r\n\r\n'), path);
  }
});

test('a Host that is not ours is refused, whatever way it is said', async (t) => {
  const address = await serve(t, { controller: controllerAdmin() });
  const port = address.split(':')[1];
  for (const host of [
    'localhost',
    `localhost:${port}`,
    '127.0.0.1',
    '127.9.9.9:80',
    '[::1]:80',
    'LOCALHOST',
    address,
  ]) {
    assert.match(await raw(address, get('/config_dump', host)), /^HTTP\/1\.1 200 /, host);
  }
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.0.2.1',
    'localhost@evil',
    '',
  ]) {
    const answer = await raw(address, get('/config_dump', host));
    assert.match(answer, /^HTTP\/1\.1 421 /, host);
    assert.doesNotMatch(answer, /resources/);
  }
  assert.match(await raw(address, get('http://evil.example/config_dump', 'localhost')), /^HTTP\/1\.1 421 /);
  const twice = await raw(
    address,
    'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n',
  );
  assert.match(twice, /^HTTP\/1\.1 400 /);
});

test('the listen address and names given by the operator are allowed hosts', () => {
  const allowed = { names: new Set(['10.1.2.3', 'novaedge.svc']), localAddress: '::ffff:10.9.9.9' };
  for (const host of ['10.1.2.3:9901', 'novaedge.svc', 'NovaEdge.svc.:80', '10.9.9.9']) {
    assert.ok(isAllowedHost(host, allowed), host);
  }
  for (const host of ['10.1.2.4', 'novaedge', 'a b', '[10.1.2.3', 'x:y'])
    assert.ok(!isAllowedHost(host, allowed), host);
  assert.equal(hostWithoutPort('[FD00::1]:80'), 'fd00::1');
});

test('broken requests get a short 4xx without anything of the inside', async (t) => {
  const address = await serve(t, { controller: controllerAdmin() });
  for (const [request, status] of [
    ['nonsense\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\n\r\n', 400],
    [get('/%zz', 'localhost'), 400],
    [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
  ] as const) {
    const answer = await raw(address, request);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.doesNotMatch(answer, /\bat .*\.ts|node:internal/);
  }
});

test('an error inside is 500 without a stack, and the server lives on', async (t) => {
  const address = await serve(t, {
    controller: controllerAdmin({
      problems: () => {
        throw new Error('secret inside');
      },
    }),
  });
  const response = await fetch(`http://${address}/api/v1/problems`);
  assert.equal(response.status, 500);
  const text = await response.text();
  assert.doesNotMatch(text, /secret inside|\.ts/);
  assert.equal((await fetch(`http://${address}/healthz`)).status, 200);
});

test('a client that never ends its request is sent away', async (t) => {
  const metrics = createMetrics({ version: '1', processMetrics: false });
  const admin = await startAdmin({ listen: '127.0.0.1:0', version: '1', metrics, headersTimeoutMs: 100 });
  t.after(async () => {
    await admin.close();
    metrics.close();
  });
  assert.match(await raw(admin.address, 'GET / HTTP/1.1\r\nHost: localhost\r\n'), /^HTTP\/1\.1 408 /);
});

test('an address that is taken or is none is an error that says so', async (t) => {
  const address = await serve(t, { controller: controllerAdmin() });
  const metrics = createMetrics({ version: '1', processMetrics: false });
  t.after(() => metrics.close());
  await assert.rejects(startAdmin({ listen: address, version: '1', metrics }), { code: 'EADDRINUSE' });
  for (const listen of ['', '9901', 'localhost', 'localhost:99999', 'a b:1']) {
    await assert.rejects(startAdmin({ listen, version: '1', metrics }), /is not HOST:PORT/, listen);
  }
});

test('close ends open connections and frees the port', async () => {
  const admin = await serveFixture({ controller: controllerAdmin() });
  assert.equal((await fetch(`http://${admin.address}/healthz`)).status, 200);
  await admin.close();
  await assert.rejects(fetch(`http://${admin.address}/healthz`));
  const again = await serveFixture({ controller: controllerAdmin(), listen: admin.address });
  await again.close();
});

test('nearest names: what is a slip away comes first, what has nothing in common is left out', () => {
  const names = ['route', 'proxyroute', 'gateway', 'backend'];
  assert.deepEqual(nearestNames('rotue', names), ['route']);
  assert.deepEqual(nearestNames('rout', names), ['route', 'proxyroute']);
  assert.deepEqual(nearestNames('xyzzy', names), []);
});
