import assert from 'node:assert/strict';
import { createServer, get as httpGet } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { Resource } from '../../src/model/resource.ts';
import { RULE_DEFAULTS } from '../../src/model/route.ts';
import {
  agent,
  cluster,
  controller,
  FakeSource,
  freePort,
  listener,
  temporaryDirectory,
  until,
} from './harness.ts';

/** Through the production worker and its data plane. */
const MAIN = new URL('../../src/agent/worker/main.ts', import.meta.url);

function backend(name: string): Promise<{ port: number; stop: () => void }> {
  const server = createServer((_request, response) => response.end(name));
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        stop: () => {
          server.closeAllConnections();
          server.close();
        },
      }),
    ),
  );
}

function fetchText(port: number): Promise<string> {
  return new Promise((resolve) => {
    const request = httpGet({ port, host: '127.0.0.1', agent: false, path: '/' }, (response) => {
      let text = '';
      response.on('data', (data) => {
        text += String(data);
      });
      response.on('end', () => resolve(`${response.statusCode} ${text}`));
    });
    request.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
  });
}

function endpoint(port: number): Resource {
  return {
    kind: 'endpoint',
    value: {
      cluster: 'test/backend',
      address: '127.0.0.1',
      port,
      weight: 1,
      ready: true,
      zone: '',
      nodeName: '',
    },
  };
}

const route: Resource = {
  kind: 'route',
  value: {
    name: 'test/all',
    createdAt: 1,
    attachments: [{ listener: 'test/web/http', hostnames: [] }],
    rules: [
      {
        matches: [{ path: { type: 'PathPrefix', value: '/' }, method: null, headers: [], queryParams: [] }],
        filters: [],
        clusters: [{ cluster: 'test/backend', weight: 1 }],
        ...RULE_DEFAULTS,
        requestTimeoutMs: 0,
        backendTimeoutMs: 0,
      },
    ],
  },
};

test('requests flow, an endpoint changes without a lost request, and the listener goes and comes back', async (t) => {
  const [one, two] = [await backend('one'), await backend('two')];
  t.after(() => {
    one.stop();
    two.stop();
  });
  const port = await freePort();
  const source = new FakeSource([listener('http', port), route, cluster('backend', 100), endpoint(one.port)]);
  const control = await controller(source);
  t.after(() => control.stop());
  const directory = temporaryDirectory();
  const edge = await agent(control.address, directory, { workerEntry: MAIN });
  t.after(() => edge.stop());
  await until('ready', () => edge.admin.readiness().ready);
  assert.equal(await fetchText(port), '200 one');

  const answers = new Set<string>();
  source.change([endpoint(two.port)], [`endpoint/test/backend/127.0.0.1:${one.port}`]);
  await until('all answers are of the new one', async () => {
    const batch = await Promise.all(Array.from({ length: 20 }, () => fetchText(port)));
    for (const answer of batch) answers.add(answer);
    return batch.every((answer) => answer === '200 two');
  });
  assert.ok(
    [...answers].every((answer) => answer === '200 one' || answer === '200 two'),
    [...answers].join(),
  );

  source.change([], ['listener/test/web/http']);
  await until('refused', async () => (await fetchText(port)) === 'ECONNREFUSED');
  source.change([listener('http', port)]);
  await until('back', async () => (await fetchText(port)) === '200 two');
  const report = await edge.admin.report('whole');
  assert.deepEqual(report.failures, []);
  assert.ok(report.totals['request_count{code="2xx"}']! > 20);
  assert.deepEqual(
    report.clusters.map(({ name, breaker }) => [name, breaker]),
    [['test/backend', 'closed']],
  );
  assert.deepEqual(await edge.stop(), { cut: 0 });

  const again = await agent('127.0.0.1:1', directory, { workerEntry: MAIN });
  t.after(() => again.stop());
  await until('ready', () => again.admin.readiness().ready);
  assert.equal(await fetchText(port), '200 two');
});
