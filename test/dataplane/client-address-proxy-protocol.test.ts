import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Cluster } from '../../src/model/cluster.ts';
import type { ClientAddressSettings } from '../../src/model/http-settings.ts';
import { CLIENT_ADDRESS_DEFAULTS, HTTP_DEFAULTS } from '../../src/model/http-settings.ts';
import { LIMIT_CONNECTIONS, limitBytes } from '../../src/model/limits.ts';
import { decodeProxyHeader, encodeProxyHeader } from '../../src/wire/proxy-protocol/header-reader.ts';
import { v2 } from '../wire/proxy-protocol/frames.ts';
import type { Harness } from './harness.ts';
import { cluster, startProxy } from './harness.ts';
import type { RawBackend } from './raw.ts';
import { answering, exchange, OK, RawClient, rawBackend } from './raw.ts';

const ANNOUNCING: Partial<ClientAddressSettings> = { proxyProtocolFrom: ['127.0.0.0/8'] };
const LINE = 'PROXY TCP4 203.0.113.7 198.51.100.1 51724 443\r\n';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LAST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

interface WorldOptions {
  readonly settings?: Partial<ClientAddressSettings>;
  readonly headerMs?: number;
  readonly cluster?: Partial<Cluster>;
  readonly limits?: SharedArrayBuffer;
  readonly serve?: (socket: Socket, bytes: Buffer, index: number) => void;
}

async function world(
  context: TestContext,
  { settings = {}, headerMs, cluster: overrides = {}, limits, serve = answering(OK) }: WorldOptions,
): Promise<{ harness: Harness; backend: RawBackend }> {
  const backend = await rawBackend(context, serve);
  const timeouts = { ...HTTP_DEFAULTS.timeouts, ...(headerMs === undefined ? {} : { headerMs }) };
  const harness = await startProxy(context, [backend.port], {
    listener: {
      clientAddress: { ...CLIENT_ADDRESS_DEFAULTS, ...settings },
      http: { ...HTTP_DEFAULTS, timeouts },
    },
    ...(limits === undefined ? {} : { limits }),
    more: [{ kind: 'cluster', value: cluster(overrides) }],
  });
  return { harness, backend };
}

function forwardedFor(backend: RawBackend): string[] {
  return [...backend.received.join('').matchAll(/X-Forwarded-For: ([^\r]*)/g)].map((match) => match[1]!);
}

test('the client is whom the header names, for all requests of the connection', async (context) => {
  const { harness, backend } = await world(context, { settings: ANNOUNCING });
  const binary = encodeProxyHeader('V2', {
    sourceAddress: '2001:db8::7',
    sourcePort: 1,
    destinationAddress: '2001:db8::1',
    destinationPort: 2,
  });
  for (const header of [LINE, binary.toString('latin1'), 'PROXY UNKNOWN\r\n', v2(0x20, 0, Buffer.alloc(9))]) {
    const text = typeof header === 'string' ? header : header.toString('latin1');
    assert.equal((await exchange(harness.port, text + GET + LAST)).split('200 OK').length, 3);
  }
  const expected = ['203.0.113.7', '2001:db8::7', '127.0.0.1', '127.0.0.1'];
  assert.deepEqual(
    forwardedFor(backend),
    expected.flatMap((address) => [address, address]),
  );
});

test('header and requests may come in any pieces', async (context) => {
  const { harness, backend } = await world(context, { settings: ANNOUNCING });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('V1' as const, 'V2' as const),
      fc.array(fc.nat({ max: 120 }), { maxLength: 6 }),
      async (version, cuts) => {
        const header = encodeProxyHeader(version, {
          sourceAddress: '203.0.113.9',
          sourcePort: 1,
          destinationAddress: '198.51.100.1',
          destinationPort: 2,
        });
        const bytes = Buffer.concat([header, Buffer.from(LAST)]);
        const client = new RawClient(harness.port);
        let from = 0;
        for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
          await new Promise<void>((resolve) => {
            client.socket.write(bytes.subarray(from, Math.min(cut, bytes.length)), () => resolve());
          });
          from = Math.min(cut, bytes.length);
        }
        await client.untilOver();
        assert.match(client.text, /^HTTP\/1\.1 200 /);
        assert.equal(forwardedFor(backend).at(-1), '203.0.113.9');
      },
    ),
    { numRuns: 60 },
  );
});

test('who has to announce itself and does not, or wrongly, gets no answer', async (context) => {
  const { harness, backend } = await world(context, { settings: ANNOUNCING });
  const cases: Record<string, string> = {
    [GET]: 'no_header',
    [`PROXY TCP4 203.0.113.7 198.51.100.1 51724 0443\r\n${GET}`]: 'malformed_line',
    [`PROXY ${'x'.repeat(200)}\r\n${GET}`]: 'line_too_long',
    [v2(0x31, 0x11, Buffer.alloc(12)).toString('latin1')]: 'unknown_kind',
    [v2(0x21, 0x11, Buffer.alloc(5000)).toString('latin1')]: 'header_too_long',
    [v2(0x21, 0x21, Buffer.alloc(12)).toString('latin1')]: 'missing_addresses',
  };
  for (const [bytes, reason] of Object.entries(cases)) {
    assert.equal(await exchange(harness.port, bytes), '', reason);
    assert.equal(harness.count('proxy_protocol_faults', { reason }), 1, reason);
  }
  assert.equal(backend.connections.length, 0);
  assert.equal(harness.count('local_response_count'), 0);
});

test('a connection that ends within the header is counted, one that only looked is not', async (context) => {
  const { harness } = await world(context, { settings: ANNOUNCING });
  for (const bytes of ['', 'PROXY TCP4']) {
    const client = new RawClient(harness.port);
    client.socket.end(bytes);
    await client.untilOver();
    assert.equal(client.text, '');
  }
  assert.equal(harness.count('proxy_protocol_faults'), 1);
  assert.equal(harness.count('proxy_protocol_faults', { reason: 'closed' }), 1);
  assert.equal(harness.count('open_connections'), 0);
  assert.equal(harness.dataplane.armedTimers, 0);
});

test('a header that does not come is waited for as long as a request head', async (context) => {
  const { harness } = await world(context, { settings: ANNOUNCING, headerMs: 100 });
  for (const bytes of ['', 'PROXY TC']) {
    const client = new RawClient(harness.port);
    client.send(bytes);
    await client.untilOver();
    assert.equal(client.text, '');
  }
  assert.equal(harness.count('proxy_protocol_faults', { reason: 'timeout' }), 2);
  assert.equal(harness.dataplane.armedTimers, 0);
});

test('the header of a peer that is not in the list is a malformed request', async (context) => {
  for (const settings of [{}, { proxyProtocolFrom: ['10.0.0.0/8', '::/0'] }, { trustedHops: 1 }]) {
    const { harness, backend } = await world(context, { settings });
    const headers = [LINE, 'PROXY UNKNOWN\r\n', v2(0x21, 0x11, Buffer.alloc(12, 1)).toString('latin1')];
    for (const header of headers)
      assert.match(await exchange(harness.port, header + GET), /^HTTP\/1\.1 400 /);
    assert.equal(backend.connections.length, 0);
  }
});

test('a second header is a malformed request', async (context) => {
  const { harness } = await world(context, { settings: ANNOUNCING });
  assert.match(await exchange(harness.port, LINE + LINE + GET), /^HTTP\/1\.1 400 /);
});

test('whom a connection is from decides whether its X-Forwarded-For is believed', async (context) => {
  const settings = { ...ANNOUNCING, trustedProxies: ['203.0.113.0/24'] };
  const { harness, backend } = await world(context, { settings });
  const request = LAST.replace('Host', 'X-Forwarded-For: 192.0.2.1\r\nHost');
  await exchange(harness.port, LINE + request);
  await exchange(harness.port, LINE.replace('203.0.113.7', '6.6.6.6') + request);
  assert.deepEqual(forwardedFor(backend), ['192.0.2.1, 203.0.113.7', '6.6.6.6']);
});

test('a drain ends connections that have not said who they are', async (context) => {
  const { harness } = await world(context, { settings: ANNOUNCING });
  const clients = [new RawClient(harness.port), new RawClient(harness.port).send('PROXY TCP4')];
  const served = new RawClient(harness.port).send(LINE + GET);
  await served.untilText('ok');
  harness.dataplane.drainListener('default/edge/http');
  for (const client of [...clients, served]) await client.untilOver();
  await harness.notified('listener.drained');
});

/** What a backend has got of each connection: whose it is, and how many requests. */
function announced(backend: RawBackend): { source: string; destination: string; requests: number }[] {
  return backend.received.map((text) => {
    const bytes = Buffer.from(text, 'latin1');
    const decoded = decodeProxyHeader(bytes, 0, bytes.length);
    assert.equal(decoded.outcome, 'done');
    if (decoded.outcome !== 'done') throw new Error('no header');
    const { connection } = decoded;
    return {
      source: connection === null ? '' : `${connection.sourceAddress} ${connection.sourcePort}`,
      destination:
        connection === null ? '' : `${connection.destinationAddress} ${connection.destinationPort}`,
      requests: text.slice(decoded.length).split('GET / HTTP/1.1').length - 1,
    };
  });
}

for (const version of ['V1', 'V2'] as const) {
  test(`${version}: each connection to a backend is for one request, and begins with its client`, async (context) => {
    const { harness, backend } = await world(context, {
      settings: { ...ANNOUNCING, trustedProxies: ['203.0.113.0/24'] },
      cluster: { proxyProtocol: version },
    });
    const forwarded = GET.replace('Host', 'X-Forwarded-For: 2001:db8::9\r\nHost');
    const text = await exchange(harness.port, LINE + GET + forwarded + LAST);
    assert.equal(text.split('200 OK').length, 4);
    const destination = '198.51.100.1 443';
    assert.deepEqual(announced(backend), [
      { source: '203.0.113.7 51724', destination, requests: 1 },
      { source: '2001:db8::9 0', destination: '198.51.100.1 443', requests: 1 },
      { source: '203.0.113.7 51724', destination, requests: 1 },
    ]);
    assert.equal(harness.count('upstream_open_connections'), 0);
  });

  test(`${version}: without a word of anybody it is the connection itself`, async (context) => {
    const { harness, backend } = await world(context, { cluster: { proxyProtocol: version } });
    const client = new RawClient(harness.port).send(LAST);
    await client.untilText('ok');
    const source = `127.0.0.1 ${client.socket.localPort}`;
    assert.deepEqual(announced(backend), [{ source, destination: `127.0.0.1 ${harness.port}`, requests: 1 }]);
    await client.untilOver();
  });
}

test('connections with a header keep to the limit, and whoever waits gets one of its own', async (context) => {
  const limits = new SharedArrayBuffer(limitBytes(64));
  let open = 0;
  let most = 0;
  const { harness, backend } = await world(context, {
    cluster: { proxyProtocol: 'V2', maxConnections: 3 },
    limits,
    serve: (socket, bytes) => {
      if (!bytes.includes('\r\n\r\n', 28)) return;
      open += 1;
      most = Math.max(most, open);
      setImmediate(() => {
        open -= 1;
        socket.write(OK);
      });
    },
  });
  const clients = Array.from({ length: 40 }, () => new RawClient(harness.port).send(GET + GET + LAST));
  for (const client of clients) {
    await client.untilOver();
    assert.equal(client.text.split('200 OK').length, 4);
  }
  assert.ok(most <= 3, `${most} at once`);
  assert.equal(backend.connections.length, 120);
  assert.equal(new Set(announced(backend).map(({ source }) => source)).size, 40);
  for (const { requests } of announced(backend)) assert.equal(requests, 1);
  assert.equal(harness.count('upstream_open_connections'), 0);
  assert.equal(
    new Int32Array(limits).reduce((sum, each) => sum + each, 0),
    0,
    `${LIMIT_CONNECTIONS}`,
  );
});

test('a cluster that is to send headers from now on uses no connection that began without one', async (context) => {
  const { harness, backend } = await world(context, {});
  const { dataplane } = harness;
  const client = new RawClient(harness.port).send(GET);
  await client.untilText('ok');
  const changed = cluster({ proxyProtocol: 'V1' });
  harness.change([{ kind: 'cluster', value: changed }]);
  dataplane.openPool(changed, 1);
  client.text = '';
  await client.send(LAST).untilText('ok');
  await client.untilOver();
  assert.equal(backend.connections.length, 2);
  assert.match(backend.received[0]!, /^GET /);
  assert.match(backend.received[1]!, /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 [0-9]+ [0-9]+\r\nGET /);
});

test('a client that goes while its connection is made leaves no connection without a client', async (context) => {
  const { harness, backend } = await world(context, { cluster: { proxyProtocol: 'V1' } });
  for (let round = 0; round < 20; round += 1) {
    const client = new RawClient(harness.port);
    client.send(GET);
    await new Promise((resolve) => client.socket.write('GET', resolve));
    client.socket.resetAndDestroy();
  }
  assert.equal((await exchange(harness.port, LAST)).split('200 OK').length, 2);
  for (const text of backend.received) if (text !== '') assert.match(text, /^PROXY TCP4 /);
  assert.equal(harness.dataplane.report('whole').clusters[0]?.connections ?? 0, 0);
});
