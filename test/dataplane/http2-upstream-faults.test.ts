import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exchange } from '../../src/dataplane/client/exchange.ts';
import { ClusterPool } from '../../src/dataplane/upstream/cluster-pool.ts';
import { Dial } from '../../src/dataplane/upstream/dial.ts';
import { Http2UpstreamConnection } from '../../src/dataplane/upstream/http2-connection.ts';
import { Http2UpstreamStream } from '../../src/dataplane/upstream/http2-stream.ts';
import { RequestBody } from '../../src/dataplane/upstream/request-body.ts';
import { SharedConnections } from '../../src/dataplane/upstream/shared-connections.ts';
import { LIMIT_CONNECTIONS, LIMIT_PENDING, limitBytes, limitTotalIndex } from '../../src/model/limits.ts';
import { SocketStream } from '../../src/os/socket-stream.ts';
import { HpackEncoder } from '../../src/wire/hpack/encoder.ts';
import { withHttp } from './harness.ts';
import { http2Backend, http2Proxy, saying } from './http2-backend.ts';
import { inject, settled } from './inject.ts';
import { exchange } from './raw.ts';

const LAST = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const CONVERSATIONS = [
  LAST.replace('Connection: close\r\n', '') + LAST,
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${LAST}`,
  `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-A: b\r\n\r\n${LAST}`,
  LAST.replace('/last', '/reset'),
];

const TARGETS: readonly (readonly [string, object, readonly string[]])[] = [
  [
    'Http2UpstreamStream',
    Http2UpstreamStream.prototype,
    ['sendRequest', 'sendEnd', 'awaitAnswer', 'onHead', 'onData', 'onEnd', 'close', 'readDone'],
  ],
  [
    'Http2UpstreamConnection',
    Http2UpstreamConnection.prototype,
    ['open', 'rest', 'onBytes', 'onSettings', 'close'],
  ],
  ['SharedConnections', SharedConnections.prototype, ['take', 'takeOpen', 'begin', 'established', 'ended']],
  ['Dial', Dial.prototype, ['carry', 'unload', 'onConnect', 'ready']],
  ['RequestBody', RequestBody.prototype, ['put', 'putChunks', 'end']],
  ['ClusterPool', ClusterPool.prototype, ['answered', 'roomier', 'connectedShared']],
  [
    'Exchange',
    Exchange.prototype,
    ['onResponseHead', 'onResponseBytes', 'onResponseEnd', 'onUpstreamFailed', 'onReadDone'],
  ],
  ['HpackEncoder', HpackEncoder.prototype, ['fields', 'path']],
  ['SocketStream', SocketStream.prototype, ['write']],
];

const TAKING: ReadonlySet<string> = new Set(['open', 'take', 'takeOpen', 'began', 'begin', 'unload']);

test('a fault anywhere costs what was worked on, and leaves no count wrong', {
  timeout: 300_000,
}, async (context) => {
  const backend = await http2Backend(context, (stream, headers) => {
    if (headers[':path'] === '/reset') stream.close(8);
    else if (headers[':method'] === 'POST') {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    } else saying('ok')(stream, headers);
  });
  const limits = new SharedArrayBuffer(limitBytes(2));
  const harness = await http2Proxy(
    context,
    [backend.port],
    { pendingTimeoutMs: 200, maxRequestsPerConnection: 7, connectTimeoutMs: 200 },
    {
      limits,
      timeouts: { linger: 50, backend: 300, backendBody: 300 },
      listener: withHttp({ idleMs: 500, bodyIdleMs: 500 }),
    },
  );
  const cells = new Int32Array(limits);
  const taken = (field: 0 | 1): number => {
    let sum = 0;
    for (let index = 0; index < 64; index += 1) sum += cells[limitTotalIndex(index, field)]!;
    return sum;
  };
  let hits = 0;
  for (const [owner, prototype, names] of TARGETS)
    for (const name of names)
      for (const nth of [1])
        for (const after of [false, true]) {
          // What has been taken when nobody could have learnt of it is lost.
          if (after && TAKING.has(name)) continue;
          const what = `${owner}.${name} ${after ? 'after ' : ''}call ${nth}`;
          const undo = inject(prototype, name, nth, after);
          let texts: string[];
          let thrown = false;
          try {
            texts = await Promise.all(CONVERSATIONS.map((text) => exchange(harness.port, text)));
            await settled(harness, what);
          } finally {
            thrown = undo();
          }
          if (thrown) hits += 1;
          for (const text of texts)
            assert.ok(text === '' || text.startsWith('HTTP/1.1 '), `${what}: ${text}`);
          assert.match(await exchange(harness.port, LAST), /^HTTP\/1\.1 200 .*\r\n\r\nok$/s, what);
          const [endpoint] = harness.dataplane.report('whole').endpoints;
          assert.equal(endpoint!.activeRequests, 0, what);
          assert.deepEqual(
            [taken(LIMIT_CONNECTIONS), taken(LIMIT_PENDING)],
            [endpoint!.connections, 0],
            what,
          );
        }
  assert.ok(hits > 60, `${hits} faults happened`);
  harness.dataplane.closePool('default/api');
  assert.deepEqual([taken(LIMIT_CONNECTIONS), taken(LIMIT_PENDING)], [0, 0]);
});
