import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Cluster } from '../../../src/model/cluster.ts';
import { LB_POLICIES } from '../../../src/model/cluster.ts';
import { endpointId } from '../../../src/model/endpoint.ts';
import type { Resource } from '../../../src/model/resource.ts';
import type { Harness } from '../harness.ts';
import { cluster, endpoint, route, start } from '../harness.ts';
import { answering, RawClient, rawBackend } from '../raw.ts';

const COOKIE: Cluster['hash'] = { type: 'Cookie', name: 'stick', path: '/', ttlSeconds: 600 };
const USER: Cluster['hash'] = { type: 'Header', name: 'x-user' };
const KEYED = ['RingHash', 'Maglev'] as const;

/** An HTTP server that answers with its own port, at once or when the test says so. */
class Backend {
  requests = 0;
  holds = false;
  port = 0;
  readonly #held: ServerResponse[] = [];
  readonly #server = createServer((_, response) => {
    this.requests += 1;
    if (this.holds) this.#held.push(response);
    else response.end(String(this.port));
  });

  async start(context: TestContext): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
    context.after(() => this.stop());
    return this;
  }

  get held(): number {
    return this.#held.length;
  }

  release(): void {
    for (const response of this.#held.splice(0)) response.end(String(this.port));
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function backends(context: TestContext, count: number): Promise<Backend[]> {
  return Promise.all(Array.from({ length: count }, () => new Backend().start(context)));
}

interface Scene extends Harness {
  /** Answers 200 with the port of a backend. */
  ask(headers?: Record<string, string>, path?: string): Promise<Answer>;
}

interface Answer {
  readonly status: number;
  readonly port: number;
  readonly cookies: readonly string[];
}

async function proxy(
  context: TestContext,
  settings: Partial<Cluster>,
  endpoints: readonly Resource[],
): Promise<Scene> {
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster(settings) },
      ...endpoints,
      { kind: 'route', value: route() },
    ],
  });
  const agent = new Agent({ keepAlive: true });
  context.after(() => {
    agent.destroy();
    harness.dataplane.shutdown();
  });
  const ask: Scene['ask'] = (headers = {}, path = '/x') =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: harness.port, agent, path, headers };
      request(options, (response) => {
        let text = '';
        response.on('data', (bytes: Buffer) => {
          text += bytes.toString();
        });
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            port: Number(text),
            cookies: response.headers['set-cookie'] ?? [],
          }),
        );
      })
        .on('error', reject)
        .end();
    });
  return { ...harness, ask };
}

const endpointOf = (port: number, weight = 1): Resource => ({
  kind: 'endpoint',
  value: endpoint(port, { weight }),
});

const keyOf = (port: number): string => `endpoint/default/api/${endpointId({ address: '127.0.0.1', port })}`;

for (const lbPolicy of LB_POLICIES) {
  test(`${lbPolicy}: every backend with weight gets requests, one without gets none`, async (context) => {
    const all = await backends(context, 4);
    const hash = lbPolicy === 'RingHash' || lbPolicy === 'Maglev' ? USER : null;
    const scene = await proxy(
      context,
      { lbPolicy, hash },
      all.map(({ port }, index) => endpointOf(port, index)),
    );
    for (let turn = 0; turn < 200; turn += 1)
      assert.equal((await scene.ask({ 'X-User': `user ${turn}` })).status, 200);
    assert.equal(all[0]!.requests, 0);
    for (const { requests } of all.slice(1))
      assert.ok(requests > 0, String(all.map((each) => each.requests)));
  });

  test(`${lbPolicy}: a backend that cannot be reached is passed over`, async (context) => {
    const all = await backends(context, 3);
    const hash = lbPolicy === 'RingHash' || lbPolicy === 'Maglev' ? USER : null;
    const scene = await proxy(
      context,
      { lbPolicy, hash },
      all.map(({ port }) => endpointOf(port)),
    );
    all[1]!.stop();
    for (let turn = 0; turn < 30; turn += 1) {
      const { status, port } = await scene.ask({ 'X-User': `user ${turn}` });
      assert.equal(status, 200);
      assert.notEqual(port, all[1]!.port);
    }
  });
}

for (const lbPolicy of ['LeastRequest', 'P2C', 'EWMA'] as const) {
  test(`${lbPolicy}: requests go past a backend that sits on those it has`, async (context) => {
    const all = await backends(context, 2);
    const scene = await proxy(
      context,
      { lbPolicy },
      all.map(({ port }) => endpointOf(port)),
    );
    const [stuck, free] = all as [Backend, Backend];
    stuck.holds = true;
    const waiting: Promise<Answer>[] = [];
    while (stuck.held === 0) {
      const asked = scene.ask();
      waiting.push(asked);
      await Promise.race([asked, untilHeld(stuck)]);
    }
    const before = stuck.requests;
    for (let turn = 0; turn < 30; turn += 1) assert.equal((await scene.ask()).port, free.port);
    assert.equal(stuck.requests, before);
    stuck.holds = false;
    stuck.release();
    await Promise.all(waiting);
  });
}

async function untilHeld(backend: Backend): Promise<void> {
  while (backend.held === 0) await new Promise(setImmediate);
}

for (const lbPolicy of KEYED) {
  test(`${lbPolicy}: a cookie keeps each client where it is, whatever happens to others`, async (context) => {
    const all = await backends(context, 4);
    const present = all.slice(0, 3);
    const scene = await proxy(
      context,
      { lbPolicy, hash: COOKIE },
      present.map(({ port }) => endpointOf(port)),
    );
    const clients: { readonly cookie: string; home: number }[] = [];
    for (let client = 0; client < 60; client += 1) {
      const { port, cookies } = await scene.ask();
      assert.equal(cookies.length, 1);
      const match = /^(stick=[0-9a-f]{32}); Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/.exec(
        cookies[0] ?? '',
      );
      assert.ok(match, String(cookies));
      clients.push({ cookie: match[1] ?? '', home: port });
    }
    assert.equal(new Set(clients.map(({ home }) => home)).size, 3);
    const round = async (): Promise<number[]> => {
      const ports: number[] = [];
      for (const { cookie } of clients) {
        const answer = await scene.ask({ Cookie: `other=1; ${cookie}` });
        assert.deepEqual(answer.cookies, []);
        ports.push(answer.port);
      }
      return ports;
    };
    const homes = () => clients.map(({ home }) => home);
    assert.deepEqual(await round(), homes());

    scene.change([endpointOf(all[3]!.port)]);
    for (const [index, port] of (await round()).entries())
      assert.ok(port === clients[index]!.home || port === all[3]!.port || lbPolicy === 'Maglev');
    scene.change([], [keyOf(all[3]!.port)]);
    assert.deepEqual(await round(), homes());

    const out = all[1]!.port;
    scene.dataplane.ejectEndpoint('default/api', endpointId({ address: '127.0.0.1', port: out }));
    for (const [index, port] of (await round()).entries())
      if (clients[index]!.home === out) assert.notEqual(port, out);
      else assert.equal(port, clients[index]!.home);
    scene.dataplane.restoreEndpoint('default/api', endpointId({ address: '127.0.0.1', port: out }));
    assert.deepEqual(await round(), homes());
  });

  test(`${lbPolicy}: workers agree, though they came to know the endpoints in another order`, async (context) => {
    const all = await backends(context, 5);
    const endpoints = all.map(({ port }) => endpointOf(port));
    const one = await proxy(context, { lbPolicy, hash: { type: 'Path' } }, endpoints);
    const other = await proxy(context, { lbPolicy, hash: { type: 'Path' } }, endpoints.slice(2));
    other.change(endpoints.slice(0, 2));
    const seen = new Set<number>();
    for (let page = 0; page < 40; page += 1) {
      const { port } = await one.ask({}, `/page/${page}?q=1`);
      assert.equal((await other.ask({}, `/page/${page}?q=2`)).port, port);
      seen.add(port);
    }
    assert.ok(seen.size > 2);
  });

  test(`${lbPolicy}: one client address is one backend; no key is any backend`, async (context) => {
    const all = await backends(context, 5);
    const endpoints = all.map(({ port }) => endpointOf(port));
    const byAddress = await proxy(context, { lbPolicy, hash: { type: 'SourceIP' } }, endpoints);
    const byUser = await proxy(context, { lbPolicy, hash: USER }, endpoints);
    const [addressed, anonymous] = [new Set<number>(), new Set<number>()];
    for (let turn = 0; turn < 40; turn += 1) {
      addressed.add((await byAddress.ask()).port);
      anonymous.add((await byUser.ask()).port);
    }
    assert.equal(addressed.size, 1);
    assert.ok(anonymous.size > 1);
  });

  test(`${lbPolicy}: at the limit of connections, a request waits for its own backend and takes no other`, async (context) => {
    const all = await backends(context, 3);
    const scene = await proxy(
      context,
      { lbPolicy, hash: USER, maxConnections: 2 },
      all.map(({ port }) => endpointOf(port)),
    );
    const home = new Map<string, number>();
    for (let user = 0; user < 40; user += 1) {
      const { status, port } = await scene.ask({ 'X-User': String(user) });
      assert.equal(status, 200);
      home.set(String(user), port);
    }
    assert.equal(new Set(home.values()).size, 3);
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all([...home.keys()].map((user) => scene.ask({ 'X-User': user })));
      assert.deepEqual(
        answers.map(({ port }) => port),
        [...home.values()],
      );
    }
    assert.ok(scene.count('upstream_connection_count') > 2);
  });

  test(`${lbPolicy}: an upgraded connection gets its cookie too`, async (context) => {
    const upgrade =
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSet-Cookie: own=1\r\n\r\n';
    const backend = await rawBackend(context, answering(upgrade));
    const scene = await proxy(context, { lbPolicy, hash: COOKIE }, [endpointOf(backend.port)]);
    const client = new RawClient(scene.port);
    context.after(() => client.socket.destroy());
    client.send('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await client.untilText('\r\n\r\n');
    assert.match(client.text, /\r\nSet-Cookie: own=1\r\nSet-Cookie: stick=[0-9a-f]{32}; Path/i);
  });
}

test('another policy holds from the next request on', async (context) => {
  const all = await backends(context, 3);
  const scene = await proxy(
    context,
    {},
    all.map(({ port }) => endpointOf(port)),
  );
  const ports = async () => {
    const seen = new Set<number>();
    for (let turn = 0; turn < 6; turn += 1) seen.add((await scene.ask({ 'X-User': 'alice' })).port);
    return seen.size;
  };
  assert.equal(await ports(), 3);
  scene.change([{ kind: 'cluster', value: cluster({ lbPolicy: 'Maglev', hash: USER }) }]);
  assert.equal(await ports(), 1);
  scene.change([{ kind: 'cluster', value: cluster({ lbPolicy: 'Maglev', hash: COOKIE }) }]);
  assert.equal((await scene.ask()).cookies.length, 1);
  scene.change([{ kind: 'cluster', value: cluster() }]);
  assert.deepEqual((await scene.ask()).cookies, []);
  assert.equal(await ports(), 3);
});

test('an answer of our own sets no cookie', async (context) => {
  const scene = await proxy(context, { lbPolicy: 'Maglev', hash: COOKIE }, []);
  const { status, cookies } = await scene.ask();
  assert.equal(status, 503);
  assert.deepEqual(cookies, []);
});
