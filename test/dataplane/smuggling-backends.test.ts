import assert from 'node:assert/strict';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { NASTY_ANSWERS } from '../wire/http1/nasty-answers.ts';
import type { Nasty } from '../wire/http1/nasty-requests.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, route, start } from './harness.ts';
import { RawClient } from './raw.ts';

/** Answers `/nasty` with what it is told to, in as many writes, and everything else properly. */
let server: Server;
let harness: Harness;
let nasty: readonly string[] = [];
interface Served {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  requestsAfterNasty: number;
}
const sockets = new Set<Socket>();
/** The connection that has answered `/nasty` last. */
let used: Served | null = null;

const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood';

async function answer(socket: Socket): Promise<void> {
  for (const piece of nasty) {
    socket.write(Buffer.from(piece, 'latin1'));
    await turn();
  }
}

before(async () => {
  server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    const record: Served = {
      socket,
      closed: new Promise<void>((resolve) => socket.on('close', () => resolve())),
      requestsAfterNasty: 0,
    };
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('data', (bytes: Buffer) => {
      if (bytes.toString('latin1').startsWith('GET /nasty ')) {
        used = record;
        void answer(socket);
      } else {
        if (used === record) record.requestsAfterNasty += 1;
        socket.write(GOOD);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint((server.address() as AddressInfo).port) },
      { kind: 'route', value: route() },
    ],
  });
});

after(() => {
  harness.dataplane.shutdown();
  for (const socket of sockets) socket.destroy();
  server.close();
});

const inBody = (fault: NonNullable<Nasty['fault']>): boolean => /chunk|trailer/.test(fault);

async function afterwards(): Promise<void> {
  const next = new RawClient(harness.port);
  next.send('GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await next.untilOver();
  assert.match(next.text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\ngood$/);
}

for (const { name, text, fault } of NASTY_ANSWERS) {
  if (fault === null) continue;
  test(`a backend's ${name}: ${fault}`, async () => {
    const middle = Math.floor(text.length / 2);
    for (const pieces of [[text], [text.slice(0, middle), text.slice(middle)], [`${text}${GOOD}`]]) {
      nasty = pieces;
      const client = new RawClient(harness.port);
      client.send('GET /nasty HTTP/1.1\r\nHost: a\r\n\r\n');
      if (inBody(fault)) {
        // The head may have gone out before the fault showed: then the answer is cut, and nobody can take it for whole.
        await client.untilOver();
        assert.doesNotMatch(client.text, /\r\n0\r\n\r\n$/);
        assert.doesNotMatch(client.text, /good/);
      } else {
        await client.untilText(`upstream_protocol_error (${fault})\n`);
        assert.match(client.text, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
        assert.equal(client.text.split('HTTP/1.1').length, 2, 'nothing of the answer comes through');
        // The client did nothing wrong and keeps its connection.
        client.send('GET /next HTTP/1.1\r\nHost: a\r\n\r\n');
        await client.untilText('\r\n\r\ngood');
        client.socket.destroy();
      }
      await used!.closed;
      await afterwards();
      assert.equal(used!.requestsAfterNasty, 0, 'a connection that is not to be trusted has been used again');
    }
  });
}

test('answers that are odd but in order come through', async () => {
  for (const { name, text, fault } of NASTY_ANSWERS) {
    if (fault !== null) continue;
    nasty = [text];
    const client = new RawClient(harness.port);
    client.send('GET /nasty HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    if (name === 'to the end') {
      await client.untilText('ok');
      used!.socket.end();
    }
    await client.untilOver();
    assert.match(client.text, /^HTTP\/1\.1 (200|299|204|304) /, name);
  }
});

test('101 that nobody asked for, and one without its fields, is a fault', async () => {
  const upgrade = 'GET /nasty HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n';
  for (const [request, text] of [
    [
      'GET /nasty HTTP/1.1\r\nHost: a\r\n\r\n',
      'HTTP/1.1 101 Yes\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nsecret',
    ],
    [upgrade, 'HTTP/1.1 101 Yes\r\n\r\nsecret'],
    [upgrade, 'HTTP/1.0 101 Yes\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nsecret'],
    [
      upgrade,
      'HTTP/1.1 101 Yes\r\nConnection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\nsecret',
    ],
  ] as const) {
    nasty = [text];
    const client = new RawClient(harness.port).send(request);
    await client.untilText('502 Bad Gateway: upstream_protocol_error');
    assert.match(client.text, /^HTTP\/1\.1 502 /);
    assert.doesNotMatch(client.text, /secret/);
    client.socket.destroy();
  }
});
