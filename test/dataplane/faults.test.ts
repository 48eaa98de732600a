import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientConnection } from '../../src/dataplane/client/client-connection.ts';
import { Exchange } from '../../src/dataplane/client/exchange.ts';
import { Counters } from '../../src/dataplane/counters.ts';
import { SharedLimits } from '../../src/dataplane/limits.ts';
import { PortRouter } from '../../src/dataplane/router/port-router.ts';
import { ServedPort } from '../../src/dataplane/served-port.ts';
import { ServedRule } from '../../src/dataplane/served-rule.ts';
import { ClusterPool } from '../../src/dataplane/upstream/cluster-pool.ts';
import { UpstreamConnection } from '../../src/dataplane/upstream/upstream-connection.ts';
import { LIMIT_CONNECTIONS, LIMIT_PENDING, limitBytes, limitTotalIndex } from '../../src/model/limits.ts';
import { SocketStream } from '../../src/os/socket-stream.ts';
import { ChunkedDecoder } from '../../src/wire/http1/chunked-decoder.ts';
import { HeadParser } from '../../src/wire/http1/head-parser.ts';
import { MessageWriter } from '../../src/wire/http1/writer.ts';
import { cluster, endpoint, route, rule, start, startProxy, withHttp } from './harness.ts';
import { inject, settled } from './inject.ts';
import { exchange, OK, RawClient, rawBackend } from './raw.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LAST = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
/** Each ends by itself where nothing goes wrong. */
const CONVERSATIONS = [
  GET + GET + LAST,
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${LAST}`,
  `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${LAST}`,
  `GET /chunks HTTP/1.1\r\nHost: a\r\n\r\n${LAST}`,
  'GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhello',
  `GET /nowhere HTTP/1.1\r\nHost: other\r\n\r\n${LAST}`,
  'BAD\r\n\r\n',
];

const TARGETS: readonly (readonly [string, object, readonly string[]])[] = [
  [
    'Exchange',
    Exchange.prototype,
    [
      'begin',
      'requestBytes',
      'requestEnd',
      'dispatch',
      'onUpstream',
      'onResponseHead',
      'onResponseBytes',
      'onResponseEnd',
      'onUpgrade',
      'onReadDone',
      'tunnelBytes',
      'answer',
      'refuse',
      'onUpstreamEnd',
      'clientGone',
    ],
  ],
  [
    'ClientConnection',
    ClientConnection.prototype,
    ['writer', 'body', 'tunnel', 'flush', 'upgrade', 'answered', 'onEnd', 'onClosed', 'close'],
  ],
  ['ClusterPool', ClusterPool.prototype, ['acquire', 'connected', 'answered', 'release', 'closed', 'forget']],
  ['UpstreamConnection', UpstreamConnection.prototype, ['assign', 'awaitAnswer', 'rest', 'close', 'onEnd']],
  [
    'SocketStream',
    SocketStream.prototype,
    ['write', 'writeAll', 'own', 'share', 'lasting', 'end', 'pause', 'resume'],
  ],
  ['ServedRule', ServedRule.prototype, ['plan', 'nextPool']],
  ['ServedPort', ServedPort.prototype, ['accept']],
  ['PortRouter', PortRouter.prototype, ['chain']],
  ['Counters', Counters.prototype, ['observe']],
  ['SharedLimits', SharedLimits.prototype, ['take']],
  ['HeadParser', HeadParser.prototype, ['parse']],
  ['ChunkedDecoder', ChunkedDecoder.prototype, ['next']],
  ['MessageWriter', MessageWriter.prototype, ['fields', 'endHead', 'latin1']],
];

async function converse(port: number, text: string): Promise<string> {
  const client = new RawClient(port);
  client.send(text);
  if (text.includes('Upgrade')) client.socket.end();
  await client.untilOver();
  return client.text;
}

test('a fault anywhere costs the connection it happened on, and nothing else', {
  timeout: 120_000,
}, async (context) => {
  const backend = await rawBackend(context, (socket, bytes) => {
    const text = bytes.toString('latin1');
    if (/upgrade: echo/i.test(text)) {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
      return;
    }
    const heads = text.match(/(GET|POST) \S+ HTTP/g);
    if (heads === null) {
      if (text.includes('hello') && !text.includes('\r\n0\r\n')) socket.end(text);
      return;
    }
    for (const head of heads)
      socket.write(
        head.includes('/chunks')
          ? 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
          : OK,
      );
  });
  const limits = new SharedArrayBuffer(limitBytes(2));
  const harness = await start({
    limits,
    resources: [
      { kind: 'cluster', value: cluster({ pendingTimeoutMs: 200 }) },
      { kind: 'endpoint', value: endpoint(backend.port) },
      {
        kind: 'route',
        value: route({
          rules: [
            rule({
              filters: [
                {
                  type: 'ResponseHeaders',
                  changes: { set: [{ name: 'X-A', value: 'b' }], add: [], remove: [] },
                },
              ],
            }),
          ],
        }),
      },
    ],
    timeouts: { linger: 50, backend: 500 },
    listener: withHttp({ idleMs: 500, bodyIdleMs: 500 }),
  });
  context.after(() => harness.dataplane.shutdown());
  const cells = new Int32Array(limits);
  const taken = (field: 0 | 1): number => {
    let sum = 0;
    for (let index = 0; index < 64; index += 1) sum += cells[limitTotalIndex(index, field)]!;
    return sum;
  };
  let hits = 0;
  for (const [owner, prototype, names] of TARGETS)
    for (const name of names)
      for (const nth of [1, 2])
        for (const after of [false, true]) {
          // What has been taken when nobody could have learnt of it is lost.
          if (after && name === 'take') continue;
          const what = `${owner}.${name} ${after ? 'after ' : ''}call ${nth}`;
          const undo = inject(prototype, name, nth, after);
          let texts: string[];
          let thrown = false;
          try {
            texts = await Promise.all(CONVERSATIONS.map((text) => converse(harness.port, text)));
            await settled(harness, what);
          } finally {
            thrown = undo();
          }
          if (thrown) hits += 1;
          const known = harness.dataplane.report('whole').clusters[0]!.connections;
          assert.deepEqual([taken(LIMIT_CONNECTIONS), taken(LIMIT_PENDING)], [known, 0], what);
          for (const text of texts)
            assert.ok(text === '' || text.startsWith('HTTP/1.1 '), `${what}: ${text}`);
          assert.match(await exchange(harness.port, LAST), /^HTTP\/1\.1 200 .*\r\n\r\nok$/s, what);
        }
  assert.ok(hits > 150, `${hits} faults happened`);
  await settled(harness, 'at the end');
  assert.ok(harness.count('local_response_count', { reason: 'internal_error' }) > 100);
  const fault = await harness.notified('fault');
  assert.ok(fault.type === 'fault' && /injected/.test(fault.message) && /\n +at /.test(fault.stack));
  assert.ok(harness.notifications.filter(({ type }) => type === 'fault').length < hits / 2, 'rate-limited');
  harness.dataplane.closePool('default/api');
  assert.deepEqual([taken(LIMIT_CONNECTIONS), taken(LIMIT_PENDING)], [0, 0]);
});

test('a fault before anything of the answer has left is answered 500, and the answers before it are whole', async (context) => {
  const backend = await rawBackend(context, (socket, bytes) => {
    for (const _ of bytes.toString('latin1').matchAll(/GET /g)) socket.write(OK);
  });
  const harness = await startProxy(context, [backend.port], {
    timeouts: { linger: 50 },
  });
  for (const name of ['fields', 'endHead']) {
    const undo = inject(MessageWriter.prototype, name, 4, false);
    const text = await exchange(harness.port, GET + GET + GET).finally(undo);
    assert.match(
      text,
      /^HTTP\/1\.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP\/1\.1 500 .*x-novaedge-reason: internal_error\r\nConnection: close\r\n.*internal_error\n$/s,
    );
  }
});
