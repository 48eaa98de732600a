import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Cluster } from '../../src/model/cluster.ts';
import type { ClientAddressSettings } from '../../src/model/http-settings.ts';
import { CLIENT_ADDRESS_DEFAULTS } from '../../src/model/http-settings.ts';
import { needs } from '../needs.ts';
import { haproxy, nginx } from './foreign-proxy.ts';
import type { Harness } from './harness.ts';
import { cluster, startProxy } from './harness.ts';
import { answering, OK, rawBackend } from './raw.ts';

async function ours(
  context: TestContext,
  backend: number,
  settings: Partial<ClientAddressSettings>,
  overrides: Partial<Cluster> = {},
): Promise<Harness> {
  const harness = await startProxy(context, [backend], {
    listener: { clientAddress: { ...CLIENT_ADDRESS_DEFAULTS, ...settings } },
    more: [{ kind: 'cluster', value: cluster(overrides) }],
  });
  return harness;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  /** Port that the request came from. */
  readonly localPort: number;
}

/** A GET on a connection of its own, from an address of the loopback. */
async function get(
  port: number,
  localAddress: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const sent = request({ port, host: '127.0.0.1', localAddress, headers, agent: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const localPort = response.socket.localPort!;
  return { status: response.statusCode!, body: await text(response), localPort };
}

for (const options of ['send-proxy', 'send-proxy-v2', 'send-proxy-v2 proxy-v2-options crc32c,unique-id'])
  test(`HAProxy's ${options} is understood`, needs('haproxy'), async (context) => {
    const backend = await rawBackend(context, answering(OK));
    const harness = await ours(context, backend.port, { proxyProtocolFrom: ['127.0.0.1/32'] });
    const front = await haproxy(
      context,
      (port) =>
        `listen front\n  bind 127.0.0.1:${port}\n  unique-id-format %rt\n  server s 127.0.0.1:${harness.port} ${options}`,
    );
    for (const address of ['127.0.0.5', '127.1.2.3']) {
      assert.equal((await get(front, address)).status, 200);
      assert.match(backend.received.join(''), new RegExp(`\r\nX-Forwarded-For: ${address}\r\n`));
    }
    assert.equal(harness.count('proxy_protocol_faults'), 0);
  });

test("curl's --haproxy-protocol is understood", needs('curl'), async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const harness = await ours(context, backend.port, { proxyProtocolFrom: ['127.0.0.9/32'] });
  for (const [address, status] of [
    ['127.0.0.9', '200'],
    ['127.0.0.8', '400'],
  ] as const) {
    const url = `http://127.0.0.1:${harness.port}/`;
    const args = [
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '--interface',
      address,
      '--haproxy-protocol',
      url,
    ];
    const curl = spawn('curl', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    assert.equal(await text(curl.stdout), status);
  }
  assert.equal(backend.connections.length, 1);
  assert.match(backend.received[0]!, /\r\nX-Forwarded-For: 127\.0\.0\.9\r\n/);
});

const TRUSTING = { trustedProxies: ['127.0.0.0/8'] };

for (const version of ['V1', 'V2'] as const) {
  test(`nginx believes our ${version}`, needs('nginx'), async (context) => {
    const backend = await nginx(
      context,
      (port) =>
        `listen 127.0.0.1:${port} proxy_protocol;
         location / { return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_port"; }`,
    );
    await believes(context, backend, version);
  });

  test(`HAProxy believes our ${version}`, needs('haproxy'), async (context) => {
    const backend = await haproxy(
      context,
      (port) =>
        `frontend back\n  bind 127.0.0.1:${port} accept-proxy\n` +
        '  http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst_port]"',
    );
    await believes(context, backend, version);
  });
}

async function believes(context: TestContext, backend: number, version: 'V1' | 'V2'): Promise<void> {
  const harness = await ours(context, backend, TRUSTING, { proxyProtocol: version });
  const plain = await get(harness.port, '127.0.0.5');
  assert.equal(plain.body, `127.0.0.5 ${plain.localPort} ${harness.port}`);
  const forwarded = await get(harness.port, '127.0.0.5', { 'X-Forwarded-For': '203.0.113.7' });
  // Neither writes a port that is not known.
  assert.equal(forwarded.body, `203.0.113.7  ${harness.port}`);
  // Source and destination are of one family in a header: ours, which is IPv4, becomes IPv6 with it.
  const six = await get(harness.port, '127.0.0.5', { 'X-Forwarded-For': '[2001:db8::9]:4711' });
  assert.equal(six.body, `2001:db8::9 4711 ${harness.port}`);
}
