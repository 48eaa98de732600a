import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attempts } from '../../src/dataplane/client/attempts.ts';
import { Exchange } from '../../src/dataplane/client/exchange.ts';
import { Mirrors } from '../../src/dataplane/client/mirrored-request.ts';
import { OutgoingRequest } from '../../src/dataplane/client/outgoing-request.ts';
import { AnswerSink } from '../../src/dataplane/upstream/answer-sink.ts';
import { ClusterPool } from '../../src/dataplane/upstream/cluster-pool.ts';
import { RetryBudget } from '../../src/dataplane/upstream/retry-budget.ts';
import { UpstreamConnection } from '../../src/dataplane/upstream/upstream-connection.ts';
import { WarmConnections } from '../../src/dataplane/upstream/warm-connections.ts';
import { LIMIT_CONNECTIONS, LIMIT_PENDING, limitBytes, limitTotalIndex } from '../../src/model/limits.ts';
import { SocketStream } from '../../src/os/socket-stream.ts';
import { cluster, endpoint, route, rule, start } from './harness.ts';
import { inject, settled } from './inject.ts';
import { exchange, OK, rawBackend } from './raw.ts';

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
const BUSY = 'HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy';
const SHADOW = 'default/shadow';

const TARGETS: readonly (readonly [string, object, readonly string[]])[] = [
  [
    'Attempts',
    Attempts.prototype,
    ['begin', 'stop', 'avoid', 'afterFailure', 'insteadOf', 'pauseBefore', 'onTimer'],
  ],
  ['Exchange', Exchange.prototype, ['sendAgain', 'onUpstreamFailed', 'onResponseHead', 'clientGone']],
  ['Mirrors', Mirrors.prototype, ['send']],
  ['OutgoingRequest', OutgoingRequest.prototype, ['copy', 'send']],
  ['AnswerSink', AnswerSink.prototype, ['take', 'onResponseBytes', 'onResponseEnd', 'onUpstreamFailed']],
  ['RetryBudget', RetryBudget.prototype, ['request', 'take']],
  ['WarmConnections', WarmConnections.prototype, ['closed', 'tick']],
  ['ClusterPool', ClusterPool.prototype, ['acquireNow', 'hasOther', 'openWarm', 'keeps', 'hold', 'closed']],
  ['UpstreamConnection', UpstreamConnection.prototype, ['handOver', 'close']],
  ['SocketStream', SocketStream.prototype, ['write']],
];

test('a fault in a retry, a mirror or a warm connection costs a connection, and leaves nothing behind', {
  timeout: 120_000,
}, async (context) => {
  const asked = new Map<string, number>();
  const backend = await rawBackend(context, (socket, bytes) => {
    const path = /GET (\S+)/.exec(bytes.toString('latin1'))?.[1] ?? '';
    const count = (asked.get(path) ?? 0) + 1;
    asked.set(path, count);
    if (path.startsWith('/last') || count % 2 === 0) socket.write(OK);
    else if (path === '/reset') socket.resetAndDestroy();
    else socket.write(BUSY);
  });
  const shadow = await rawBackend(context, (socket, bytes) => {
    if (bytes.includes('/reset')) socket.resetAndDestroy();
    else socket.write(BUSY);
  });
  const limits = new SharedArrayBuffer(limitBytes(2));
  const wish = { warmConnections: 1, idleTimeoutMs: 20, pendingTimeoutMs: 200 };
  const harness = await start({
    limits,
    resources: [
      { kind: 'cluster', value: cluster(wish) },
      { kind: 'endpoint', value: endpoint(backend.port) },
      { kind: 'cluster', value: cluster({ ...wish, name: SHADOW }) },
      { kind: 'endpoint', value: endpoint(shadow.port, { cluster: SHADOW }) },
      {
        kind: 'route',
        value: route({
          rules: [
            rule({
              mirrors: [{ cluster: SHADOW, share: 1 }],
              retry: {
                attempts: 2,
                conditions: ['Reset', 'Timeout', 'Status'],
                codes: [503],
                grpcCodes: [],
                methods: 'All',
                backoffMs: 1,
                maxBackoffMs: 1,
              },
            }),
          ],
        }),
      },
    ],
    timeouts: { linger: 50, backend: 300 },
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
      for (const after of [false, true]) {
        // What has been given when nobody could have learnt of it is lost.
        if (after && name === 'acquireNow') continue;
        const what = `${owner}.${name} ${after ? 'after ' : ''}`;
        const undo = inject(prototype, name, 1, after);
        try {
          const texts = await Promise.all(
            ['/busy', '/reset'].map((path) => exchange(harness.port, GET(path))),
          );
          for (const text of texts)
            assert.ok(text === '' || text.startsWith('HTTP/1.1 '), `${what}: ${text}`);
          await settled(harness, what);
        } finally {
          if (undo()) hits += 1;
        }
        const known = harness.dataplane.report('whole').clusters;
        const connections = known.reduce((sum, each) => sum + each.connections, 0);
        assert.deepEqual([taken(LIMIT_CONNECTIONS), taken(LIMIT_PENDING)], [connections, 0], what);
        assert.match(await exchange(harness.port, GET('/last')), /^HTTP\/1\.1 200 .*\r\n\r\nok$/s, what);
      }
  assert.ok(hits > 40, `${hits} faults happened`);
  // Whoever waited to send again, or to have a copy answered, has let go of its pool.
  for (const name of ['default/api', SHADOW]) harness.dataplane.drainPool(name);
  const drained = () => harness.notifications.filter(({ type }) => type === 'pool.drained').length;
  while (drained() < 2) await new Promise((resolve) => setTimeout(resolve, 5));
});
