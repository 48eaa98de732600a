import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptKey } from '../../src/wire/websocket/opening-handshake.ts';
import { startProxy } from '../dataplane/harness.ts';
import { encodeFrame, FrameReader, TEXT } from './frame.ts';
import type { Opened } from './hub.ts';
import { ask, hub, KEY } from './hub.ts';

const VERSION = 'Sec-WebSocket-Version: 13';
const WITH_KEY = `Sec-WebSocket-Key: ${KEY}`;
const OPENING = [WITH_KEY, VERSION];
const SWITCHES = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket'];
const ACCEPTS = [...SWITCHES, `Sec-WebSocket-Accept: ${acceptKey(KEY)}`];

interface Negotiation {
  readonly what: string;
  /** Of the client, beside those that every request to upgrade has. */
  readonly asks: readonly string[];
  readonly answers: readonly string[];
}

const lines = (name: string, values: readonly string[]): string[] =>
  values.map((value) => `${name}: ${value}`);

/** What clients offer, and what a server makes of it: nobody's business in between. */
const OFFERS: readonly Negotiation[] = [
  ...[
    ['chat'],
    ['chat, superchat'],
    ['chat', 'superchat'],
    ['chat,superchat', 'v1.json.example.org'],
    ['graphql-transport-ws'],
    ['base64url.bearer.authorization.k8s.io.dG9rZW4, v4.channel.k8s.io'],
    ['a'.repeat(2000)],
    ["!#$%&'*+-.^_`|~09azAZ"],
  ].flatMap((protocols) =>
    [[], [protocols[0]!.split(',')[0]!], ['another']].map((chosen) => ({
      what: `subprotocols ${protocols.join(' and ').slice(0, 60)}, chosen: ${(chosen[0] ?? 'none').slice(0, 20)}`,
      asks: [...OPENING, ...lines('Sec-WebSocket-Protocol', protocols)],
      answers: [...ACCEPTS, ...lines('Sec-WebSocket-Protocol', chosen)],
    })),
  ),
  ...[
    ['permessage-deflate'],
    ['permessage-deflate; client_max_window_bits'],
    ['permessage-deflate; client_max_window_bits=10; server_max_window_bits=10'],
    ['permessage-deflate; server_no_context_takeover; client_no_context_takeover'],
    ['permessage-deflate; client_max_window_bits, permessage-deflate'],
    ['permessage-deflate', 'x-webkit-deflate-frame'],
    ['foo; bar=1; baz="two, three; four"'],
    ['permessage-deflate; server_max_window_bits=16'],
    ['permessage-deflate; client_no_context_takeover=1'],
    ['permessage-bzip2, permessage-deflate; unknown'],
  ].flatMap((offers) =>
    [
      [],
      [offers[0]!.split(',')[0]!],
      ['not-offered'],
      [' permessage-deflate ; server_max_window_bits = 9'],
    ].map((chosen) => ({
      what: `extensions ${offers.join(' and ')}, chosen: ${chosen[0] ?? 'none'}`,
      asks: [...OPENING, ...lines('Sec-WebSocket-Extensions', offers)],
      answers: [...ACCEPTS, ...lines('Sec-WebSocket-Extensions', chosen)],
    })),
  ),
  ...['', 'short', KEY.slice(1), `${KEY}${KEY}`, 'not base64 at all'].map((key) => ({
    what: `key "${key}"`,
    asks: [`Sec-WebSocket-Key: ${key}`, VERSION],
    answers: ACCEPTS,
  })),
  { what: 'no key', asks: [VERSION], answers: ACCEPTS },
  { what: 'two keys', asks: [WITH_KEY, WITH_KEY, VERSION], answers: ACCEPTS },
  ...['8', '7, 8', '0', '14', 'thirteen'].map((version) => ({
    what: `version ${version}`,
    asks: [WITH_KEY, `Sec-WebSocket-Version: ${version}`],
    answers: ACCEPTS,
  })),
  {
    what: 'an answer to another key',
    asks: OPENING,
    answers: [...SWITCHES, 'Sec-WebSocket-Accept: bm90IHRoaXMga2V5'],
  },
  { what: 'no answer to the key', asks: OPENING, answers: SWITCHES },
  { what: 'two answers to the key', asks: OPENING, answers: [...ACCEPTS, ACCEPTS.at(-1)!] },
];

/** Answers by which nothing is switched. */
const REFUSALS: readonly Negotiation[] = [
  {
    what: '426 with the versions that the server knows',
    asks: [WITH_KEY, 'Sec-WebSocket-Version: 25'],
    answers: [
      'HTTP/1.1 426 Upgrade Required',
      'Content-Length: 0',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Version: 8, 7',
    ],
  },
  ...['400 Bad Request', '401 Unauthorized', '403 Forbidden', '404 Not Found', '503 Service Unavailable'].map(
    (status) => ({
      what: status,
      asks: OPENING,
      answers: [`HTTP/1.1 ${status}`, 'Content-Length: 0', 'Sec-WebSocket-Protocol: chat'],
    }),
  ),
  {
    what: '200',
    asks: OPENING,
    answers: ['HTTP/1.1 200 OK', 'Content-Length: 0', 'Sec-WebSocket-Version: 13'],
  },
];

/** The fields of the handshake: those of one name as they came, in their order; their names in lower case. */
function handshake({ head }: Opened): string[] {
  const fields = head.flatMap((line) => {
    const [, name, value] = /^(sec-websocket-[a-z]+|upgrade):\s*(.*?)\s*$/i.exec(line) ?? [];
    return name === undefined ? [] : [{ name: name.toLowerCase(), value }];
  });
  return fields
    .sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0))
    .map(({ name, value }) => `${name}: ${value}`);
}

test(`${OFFERS.length} offers and choices reach the other side as they are, and frames follow`, async (context) => {
  const opposite = await hub(context);
  const proxy = await startProxy(context, [opposite.port]);
  for (const [index, { what, asks, answers }] of OFFERS.entries()) {
    const seen: string[][] = [];
    for (const port of [opposite.port, proxy.port]) {
      const asked = opposite.take(`/${index}`);
      const opening = ask(port, `/${index}`, asks);
      const server = await asked;
      const frame = encodeFrame({ fin: true, rsv: 0, opcode: TEXT, mask: null, payload: Buffer.from(what) });
      server.socket.write(Buffer.concat([Buffer.from(`${answers.join('\r\n')}\r\n\r\n`), frame]));
      const client = await opening;
      const reader = new FrameReader();
      reader.push(client.rest);
      client.socket.on('data', (bytes) => reader.push(Buffer.from(bytes))).resume();
      let text = reader.next()?.payload.toString();
      while (text === undefined) {
        await new Promise((resolve) => client.socket.once('data', resolve));
        text = reader.next()?.payload.toString();
      }
      assert.equal(text, what);
      seen.push([client.head[0]!, ...handshake(server), '/', ...handshake(client)]);
      client.socket.destroy();
      server.socket.destroy();
    }
    assert.deepEqual(seen[1], seen[0], what);
  }
  assert.equal(proxy.count('local_response_count'), 0);
});

test('what refuses to switch is an answer like any other', async (context) => {
  const opposite = await hub(context);
  const proxy = await startProxy(context, [opposite.port]);
  for (const [index, { what, asks, answers }] of REFUSALS.entries()) {
    const asked = opposite.take(`/${index}`);
    const opening = ask(proxy.port, `/${index}`, asks);
    const server = await asked;
    server.socket.write(`${answers.join('\r\n')}\r\n\r\n`);
    const client = await opening;
    assert.equal(client.head[0], answers[0], what);
    for (const line of answers.filter((each) => each.startsWith('Sec-')))
      assert.ok(client.head.includes(line), what);
    client.socket.destroy();
    server.socket.destroy();
  }
});
