import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Filter } from '../../src/model/filter.ts';
import type { ClientAddressSettings } from '../../src/model/http-settings.ts';
import { CLIENT_ADDRESS_DEFAULTS } from '../../src/model/http-settings.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, filtered, listener, route, start } from './harness.ts';
import type { RawBackend } from './raw.ts';
import { answering, exchange, OK, RawClient, rawBackend } from './raw.ts';

interface World {
  readonly harness: Harness;
  readonly backend: RawBackend;
  /** Address of the client in the access log, request by request, once it has `count` of them; ends the data plane. */
  logged(count: number): Promise<string[]>;
}

/** A Dataplane whose client is always 127.0.0.1, in front of a backend that remembers what it gets. */
async function world(
  context: TestContext,
  settings: Partial<ClientAddressSettings>,
  filters: readonly Filter[] = [],
): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-address-'));
  const accessLog = join(directory, 'access.log');
  const backend = await rawBackend(context, answering(OK));
  const harness = await start({
    listener: { clientAddress: { ...CLIENT_ADDRESS_DEFAULTS, ...settings } },
    accessLog,
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(backend.port) },
      { kind: 'route', value: filters.length === 0 ? route() : filtered(filters) },
    ],
  });
  let isOver = false;
  const shutdown = (): void => {
    if (!isOver) harness.dataplane.shutdown();
    isOver = true;
  };
  context.after(() => {
    shutdown();
    rmSync(directory, { recursive: true });
  });
  return {
    harness,
    backend,
    logged: async (count) => {
      shutdown();
      // Made and written in the background.
      for (;;) {
        const lines = (existsSync(accessLog) ? readFileSync(accessLog, 'utf8') : '').split('\n').slice(0, -1);
        if (lines.length >= count)
          return lines.map((line) => (JSON.parse(line) as { client: string }).client);
        await setImmediate();
      }
    },
  };
}

function request(fields: readonly string[]): string {
  return ['GET / HTTP/1.1', 'Host: a.example', ...fields, 'Connection: close', '', ''].join('\r\n');
}

/** The forwarding fields of the last request that the backend got, as `name: value`. */
function forwardingOf(backend: RawBackend): string[] {
  const head = backend.received.join('').split('\r\n\r\n').at(-2)!;
  return head.split('\r\n').filter((line) => /^(x-forwarded-(for|proto|host)|forwarded):/i.test(line));
}

const TRUSTED: Partial<ClientAddressSettings> = { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8', 'fd00::/8'] };
const USUAL = ['X-Forwarded-Proto: http', 'X-Forwarded-Host: a.example'];

interface Case {
  readonly name: string;
  readonly settings: Partial<ClientAddressSettings>;
  readonly fields: readonly string[];
  readonly client: string;
  readonly sent: readonly string[];
}

const xff = (value: string): string => `X-Forwarded-For: ${value}`;
const by = (...values: string[]): string[] => values.map(xff);

const CASES: readonly Case[] = [
  {
    name: 'nobody is trusted: what a client says of itself is replaced',
    settings: {},
    fields: [xff('6.6.6.6'), 'Forwarded: for=6.6.6.6', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: evil'],
    client: '127.0.0.1',
    sent: [xff('127.0.0.1'), ...USUAL],
  },
  {
    name: 'others are trusted, this peer is not',
    settings: { trustedProxies: ['10.0.0.0/8', '::/0'] },
    fields: [xff('6.6.6.6'), 'X-Forwarded-Proto: https'],
    client: '127.0.0.1',
    sent: [xff('127.0.0.1'), ...USUAL],
  },
  {
    name: 'a trusted peer that says nothing',
    settings: TRUSTED,
    fields: [],
    client: '127.0.0.1',
    sent: [xff('127.0.0.1'), ...USUAL],
  },
  {
    name: 'a spoofed entry stands left of what the trusted peer has seen',
    settings: TRUSTED,
    fields: [xff('6.6.6.6, 203.0.113.7')],
    client: '203.0.113.7',
    sent: [xff('6.6.6.6, 203.0.113.7, 127.0.0.1'), ...USUAL],
  },
  {
    name: 'a spoofed entry that looks trusted, too',
    settings: TRUSTED,
    fields: [xff('10.0.0.1,203.0.113.7 ,\t10.9.9.9')],
    client: '203.0.113.7',
    sent: [xff('10.0.0.1, 203.0.113.7, 10.9.9.9, 127.0.0.1'), ...USUAL],
  },
  {
    name: 'all are trusted: the farthest',
    settings: TRUSTED,
    fields: [xff('10.0.0.2, 10.0.0.1')],
    client: '10.0.0.2',
    sent: [xff('10.0.0.2, 10.0.0.1, 127.0.0.1'), ...USUAL],
  },
  {
    name: 'several fields are one list, in their order',
    settings: TRUSTED,
    fields: [xff('6.6.6.6'), xff('203.0.113.7'), 'X-Other: 1', xff('10.0.0.1')],
    client: '203.0.113.7',
    sent: [xff('6.6.6.6, 203.0.113.7, 10.0.0.1, 127.0.0.1'), ...USUAL],
  },
  ...[
    'bogus',
    '1.2.3',
    '01.2.3.4',
    'fe80::1%eth0',
    '"1.2.3.4"',
    '1.2.3.4:99999',
    '[::1',
    '_hidden',
    'a b',
  ].map(
    (entry): Case => ({
      name: `a malformed entry (${entry}) ends the chain`,
      settings: TRUSTED,
      fields: [xff(`203.0.113.7, ${entry}, 10.0.0.1`)],
      client: '10.0.0.1',
      sent: [xff('10.0.0.1, 127.0.0.1'), ...USUAL],
    }),
  ),
  {
    name: 'a malformed entry in a field of its own, too',
    settings: TRUSTED,
    fields: [xff('203.0.113.7'), xff('bogus'), xff('10.0.0.1')],
    client: '10.0.0.1',
    sent: [xff('10.0.0.1, 127.0.0.1'), ...USUAL],
  },
  {
    name: 'unknown: the farthest that is known',
    settings: TRUSTED,
    fields: [xff('203.0.113.7, unknown, 10.0.0.1')],
    client: '10.0.0.1',
    sent: [xff('203.0.113.7, unknown, 10.0.0.1, 127.0.0.1'), ...USUAL],
  },
  {
    name: 'IPv4 in IPv6 is IPv4, capitals and zeros make no other address, ports are left aside',
    settings: TRUSTED,
    fields: [xff('[2001:DB8:0::7]:4711, ::ffff:10.0.0.1, 10.0.0.2:80, fd00::0001')],
    client: '2001:db8::7',
    sent: [xff('[2001:DB8:0::7]:4711, ::ffff:10.0.0.1, 10.0.0.2:80, fd00::0001, 127.0.0.1'), ...USUAL],
  },
  {
    name: 'empty entries are none',
    settings: TRUSTED,
    fields: [xff(', 203.0.113.7,, ,10.0.0.1,')],
    client: '203.0.113.7',
    sent: [xff('203.0.113.7, 10.0.0.1, 127.0.0.1'), ...USUAL],
  },
  {
    name: 'one hop: the last entry',
    settings: { trustedHops: 1 },
    fields: by('6.6.6.6, 203.0.113.7'),
    client: '203.0.113.7',
    sent: [xff('6.6.6.6, 203.0.113.7, 127.0.0.1'), ...USUAL],
  },
  {
    name: 'two hops: the last but one',
    settings: { trustedHops: 2 },
    fields: by('6.6.6.6, 203.0.113.7, 10.0.0.1'),
    client: '203.0.113.7',
    sent: [xff('6.6.6.6, 203.0.113.7, 10.0.0.1, 127.0.0.1'), ...USUAL],
  },
  {
    name: 'fewer entries than hops: somebody has come past the proxies',
    settings: { trustedHops: 3 },
    fields: by('6.6.6.6, 203.0.113.7'),
    client: '127.0.0.1',
    sent: [xff('6.6.6.6, 203.0.113.7, 127.0.0.1'), ...USUAL],
  },
  {
    name: 'a malformed entry within the hops',
    settings: { trustedHops: 2 },
    fields: by('203.0.113.7, bogus, 10.0.0.1'),
    client: '127.0.0.1',
    sent: [xff('10.0.0.1, 127.0.0.1'), ...USUAL],
  },
  {
    name: 'of a trusted peer proto, host and port are kept',
    settings: TRUSTED,
    fields: [xff('203.0.113.7'), 'X-Forwarded-Proto: HTTPS', 'X-Forwarded-Host: shop.example:8443'],
    client: '203.0.113.7',
    sent: [xff('203.0.113.7, 127.0.0.1'), 'X-Forwarded-Proto: https', 'X-Forwarded-Host: shop.example:8443'],
  },
  {
    name: 'not where there are two, or where they are none',
    settings: TRUSTED,
    fields: [
      xff('203.0.113.7'),
      'X-Forwarded-Proto: https',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: a, b',
    ],
    client: '203.0.113.7',
    sent: [xff('203.0.113.7, 127.0.0.1'), ...USUAL],
  },
  {
    name: 'Forwarded is not looked at where the peer speaks X-Forwarded-For',
    settings: TRUSTED,
    fields: [xff('203.0.113.7'), 'Forwarded: for=6.6.6.6', 'Forwarded: for="'],
    client: '203.0.113.7',
    sent: [xff('203.0.113.7, 127.0.0.1'), ...USUAL],
  },
  {
    name: 'Forwarded: the nearest that is not trusted, and its proto and host',
    settings: { ...TRUSTED, header: 'Forwarded' },
    fields: [
      'Forwarded: for=6.6.6.6, For="[2001:db8::7]:4711";Proto=https;host="shop.example:8443"',
      xff('5.5.5.5'),
      'Forwarded: for=10.0.0.1;by=_lb;proto=http, for="10.0.0.2:_x"',
    ],
    client: '2001:db8::7',
    sent: [
      xff('6.6.6.6, 2001:db8::7, 10.0.0.1, 10.0.0.2, 127.0.0.1'),
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: shop.example:8443',
    ],
  },
  {
    name: 'Forwarded: commas and names within quotes are no entries',
    settings: { ...TRUSTED, header: 'Forwarded', send: 'Forwarded' },
    fields: ['Forwarded: for=203.0.113.7;x=", for=6.6.6.6;y=\\"", for=10.0.0.1'],
    client: '203.0.113.7',
    sent: [
      'Forwarded: for=203.0.113.7;x=", for=6.6.6.6;y=\\"", for=10.0.0.1, for=127.0.0.1;host=a.example;proto=http',
    ],
  },
  ...['_obfuscated', 'unknown', '"unknown:80"'].map(
    (name): Case => ({
      name: `Forwarded: a proxy that hides its client (${name})`,
      settings: { ...TRUSTED, header: 'Forwarded' },
      fields: [`Forwarded: for=203.0.113.7, for=${name}, for=10.0.0.1`],
      client: '10.0.0.1',
      sent: [xff('203.0.113.7, unknown, 10.0.0.1, 127.0.0.1'), ...USUAL],
    }),
  ),
  ...['"2001:db8::1"', '2001', '"[::1]:123456"', '"[fe80::1%25eth0]"', '"1.2.3.4, 5.6.7.8"'].map(
    (name): Case => ({
      name: `Forwarded: a malformed node (${name}) ends the chain`,
      settings: { ...TRUSTED, header: 'Forwarded', send: 'Both' },
      fields: [`Forwarded: for=203.0.113.7, for=${name}, for=10.0.0.1`],
      client: '10.0.0.1',
      sent: [
        xff('10.0.0.1, 127.0.0.1'),
        ...USUAL,
        'Forwarded: for=10.0.0.1, for=127.0.0.1;host=a.example;proto=http',
      ],
    }),
  ),
  {
    name: 'sent as Forwarded: the chain of X-Forwarded-For in its words',
    settings: { ...TRUSTED, send: 'Forwarded' },
    fields: [
      xff('unknown, 2001:db8::7, 10.0.0.1:80'),
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: shop.example:8443',
    ],
    client: '2001:db8::7',
    sent: [
      'Forwarded: for=unknown, for="[2001:db8::7]";host="shop.example:8443";proto=https, for="10.0.0.1:80", for=127.0.0.1;host=a.example;proto=http',
    ],
  },
  {
    name: 'sent as Forwarded, nobody trusted',
    settings: { send: 'Both' },
    fields: [xff('6.6.6.6'), 'Forwarded: for=6.6.6.6'],
    client: '127.0.0.1',
    sent: [xff('127.0.0.1'), ...USUAL, 'Forwarded: for=127.0.0.1;host=a.example;proto=http'],
  },
];

for (const { name, settings, fields, client, sent } of CASES) {
  test(name, async (context) => {
    const { harness, backend, logged } = await world(context, settings);
    assert.match(await exchange(harness.port, request(fields)), /^HTTP\/1\.1 200 /);
    assert.deepEqual(forwardingOf(backend), sent);
    assert.deepEqual(await logged(1), [client]);
  });
}

for (const value of [
  'for="6.6.6.6',
  'for=1.2.3.4;for=6.6.6.6',
  'for = 1.2.3.4',
  'for=',
  'for',
  'for="a"b',
  'a@b',
])
  test(`a Forwarded of a trusted peer that is not well-formed (${value}) is refused`, async (context) => {
    const { harness, backend, logged } = await world(context, { ...TRUSTED, header: 'Forwarded' });
    // What the trusted peer has added stands behind it, perhaps within the quote.
    for (const field of [`Forwarded: ${value}, for=203.0.113.7`, `Forwarded: ${value}`])
      assert.match(
        await exchange(harness.port, request([field, 'Forwarded: for=10.0.0.1'])),
        /^HTTP\/1\.1 400 /,
      );
    assert.equal(backend.connections.length, 0);
    assert.deepEqual(await logged(2), ['127.0.0.1', '127.0.0.1']);
  });

test('the requests of one connection are of whom each says, and the next one is not taken for the last', async (context) => {
  const { harness, backend, logged } = await world(context, TRUSTED);
  const client = new RawClient(harness.port);
  const head = (fields: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
  const heads = [head(`${xff('203.0.113.7')}\r\n`), head(''), head(`${xff('203.0.113.8')}\r\n`)];
  client.send([...heads, 'bad\r\n\r\n'].join(''));
  await client.untilOver();
  assert.equal(client.text.split('HTTP/1.1 200').length, 4);
  assert.match(client.text, /HTTP\/1\.1 400 /);
  assert.equal(backend.received.join('').match(/X-Forwarded-For: /g)!.length, 3);
  assert.deepEqual(await logged(4), ['203.0.113.7', '127.0.0.1', '203.0.113.8', '127.0.0.1']);
});

test('a chain of any length is cut to its last hundred entries', async (context) => {
  const entries = Array.from({ length: 2500 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  for (const header of ['XForwardedFor', 'Forwarded'] as const) {
    const { harness, backend, logged } = await world(context, { ...TRUSTED, header, send: 'Both' });
    const field =
      header === 'Forwarded'
        ? `Forwarded: ${entries.slice(0, 1500).map((entry) => `for=${entry}`)}`
        : xff(`${entries.slice(0, 1900)}`);
    assert.match(await exchange(harness.port, request([field])), /^HTTP\/1\.1 200 /);
    const kept = entries.slice(0, header === 'Forwarded' ? 1500 : 1900).slice(-100);
    assert.deepEqual(forwardingOf(backend), [
      xff([...kept, '127.0.0.1'].join(', ')),
      ...USUAL,
      `Forwarded: ${kept.map((entry) => `for=${entry}`).join(', ')}, for=127.0.0.1;host=a.example;proto=http`,
    ]);
    assert.deepEqual(await logged(1), [kept[0]]);
  }
});

test('filters have the last word, field by field', async (context) => {
  const headers = {
    set: [{ name: 'X-Forwarded-Proto', value: 'https' }],
    add: [],
    remove: ['X-Forwarded-Host', 'Forwarded'],
  };
  for (const settings of [{}, { ...TRUSTED, send: 'Both' as const }]) {
    const { harness, backend } = await world(context, settings, [
      { type: 'RequestHeaders', changes: headers },
    ]);
    await exchange(harness.port, request([xff('203.0.113.7')]));
    const client = 'send' in settings ? '203.0.113.7, 127.0.0.1' : '127.0.0.1';
    assert.deepEqual(forwardingOf(backend), [xff(client), 'X-Forwarded-Proto: https']);
  }
});

test('through two of us, the second trusting the first', async (context) => {
  const {
    harness: second,
    backend,
    logged,
  } = await world(context, {
    trustedProxies: ['127.0.0.1/32'],
    header: 'Forwarded',
    send: 'Both',
  });
  const first = await start({
    listener: { clientAddress: { ...CLIENT_ADDRESS_DEFAULTS, trustedHops: 1, send: 'Forwarded' } },
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(second.port) },
      { kind: 'route', value: route() },
    ],
  });
  context.after(() => first.dataplane.shutdown());
  const fields = [xff('6.6.6.6, 2001:db8::7'), 'X-Forwarded-Proto: https', 'X-Forwarded-Host: shop.example'];
  await exchange(first.port, request(fields));
  assert.deepEqual(forwardingOf(backend), [
    xff('6.6.6.6, 2001:db8::7, 127.0.0.1, 127.0.0.1'),
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: shop.example',
    'Forwarded: for=6.6.6.6, for="[2001:db8::7]";host=shop.example;proto=https, ' +
      'for=127.0.0.1;host=a.example;proto=http, for=127.0.0.1;host=a.example;proto=http',
  ]);
  assert.deepEqual(await logged(1), ['2001:db8::7']);
});

test('settings that change hold for the next request of a connection', async (context) => {
  const { harness, logged } = await world(context, {});
  const client = new RawClient(harness.port);
  const get = `GET / HTTP/1.1\r\nHost: a\r\n${xff('203.0.113.7')}\r\n\r\n`;
  for (const settings of [{}, { trustedHops: 1 }, {}, TRUSTED]) {
    harness.change([
      {
        kind: 'listener',
        value: listener({ clientAddress: { ...CLIENT_ADDRESS_DEFAULTS, ...settings } }),
      },
    ]);
    client.text = '';
    await client.send(get).untilText('ok');
  }
  client.socket.destroy();
  assert.deepEqual(await logged(4), ['127.0.0.1', '203.0.113.7', '127.0.0.1', '203.0.113.7']);
});

test('a listener whose networks are none is refused by name, and the one in use stays', async (context) => {
  const { harness } = await world(context, TRUSTED);
  for (const cidr of ['10.0.0.0/33', '10.0.0/8', '::/129', 'here', '10.0.0.0/08', '10.0.0.0/']) {
    const settings = { ...CLIENT_ADDRESS_DEFAULTS, trustedProxies: [cidr] };
    const { failures } = harness.dataplane.prepare({
      base: '1',
      version: '2',
      upserts: [{ kind: 'listener', value: listener({ clientAddress: settings }) }],
      removals: [],
    });
    harness.dataplane.discard();
    assert.equal(failures.length, 1);
    assert.ok(failures[0]!.message.includes(`"${cidr}"`), failures[0]!.message);
  }
});

test('only a trusted peer says what backends believe of a client', async (context) => {
  const fields = ['X-Real-IP: 6.6.6.6', 'x-FORWARDED-Prefix: /admin', 'X-Forwarded-User: root'];
  const long = `X-Forwarded-${'A'.repeat(40)}: 1`;
  const odd = 'X!Forwarded!User: root';
  for (const trustedHops of [0, 1]) {
    const { harness, backend } = await world(context, { trustedHops });
    const filtered = 'X-Forwarde: kept';
    const answer = await exchange(harness.port, request([...fields, long, odd, filtered]));
    assert.match(answer, /^HTTP\/1\.1 200 /);
    const got = backend.received.join('').split('\r\n');
    assert.ok(got.includes(filtered));
    assert.ok(!got.includes(odd));
    for (const field of [...fields, long]) assert.equal(got.includes(field), trustedHops === 1, field);
  }
  const { harness, backend } = await world(context, {}, [
    {
      type: 'RequestHeaders',
      changes: { set: [{ name: 'X-Real-IP', value: '10.0.0.1' }], add: [], remove: [] },
    },
  ]);
  await exchange(harness.port, request(fields));
  assert.deepEqual(backend.received.join('').match(/x-real-ip: .*/gi), ['X-Real-IP: 10.0.0.1']);
});
