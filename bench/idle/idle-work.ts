import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { fieldBlock } from '../peer/field-block.ts';
import { H2Connection } from '../peer/h2-connection.ts';
import { upgraded } from '../peer/websocket-load.ts';
import { SMALL, type Work } from '../work/work.ts';

/** Connections that come to rest after one answer. */
export interface IdleWork {
  readonly name: string;
  readonly help: string;
  readonly work: Work;
  readonly connections: number;
  /** Opens one, from an address of loopback, and waits until it has had its answer. */
  open(port: number, localAddress: string): Promise<Socket>;
}

const CONNECTIONS = 10_000;
const REQUEST = 'GET / HTTP/1.1\r\nHost: bench.test\r\n\r\n';
const HOST = '127.0.0.1';

export const IDLE_WORKS: readonly IdleWork[] = [
  {
    name: 'h1-idle-connections',
    help: 'memory of connections that wait for their next request',
    work: SMALL,
    connections: CONNECTIONS,
    open: (port, localAddress) => answeredOnce(connect({ port, host: HOST, localAddress })),
  },
  {
    name: 'tls-idle-connections',
    help: 'the same over TLS 1.3',
    work: { ...SMALL, tls: 'EC' },
    connections: CONNECTIONS,
    open(port, localAddress) {
      const address: TcpNetConnectOpts = { port, host: HOST, localAddress };
      return answeredOnce(
        connectTls({
          ...address,
          rejectUnauthorized: false,
          ALPNProtocols: ['http/1.1'],
          // As in the loads: not all peers take ML-KEM, whose keys OpenSSL keeps with the connection.
          ecdhCurve: 'X25519',
        }),
      );
    },
  },
  {
    name: 'h2-idle-connections',
    help: 'the same by HTTP/2 in clear text',
    work: { ...SMALL, client: 'HTTP2' },
    connections: CONNECTIONS,
    open: (port, localAddress) => answeredOverH2(connect({ port, host: HOST, localAddress })),
  },
  {
    name: 'websocket-idle-connections',
    help: 'memory of WebSockets that wait, with the connection to their backend',
    work: { ...SMALL, content: 'WebSocket' },
    // Each takes two descriptors of the proxy.
    connections: Math.min(CONNECTIONS, Math.floor((descriptors() - 500) / 2) - 1000),
    async open(port, localAddress) {
      const socket = connect({ port, host: HOST, localAddress });
      await upgraded(socket, '/');
      return socket;
    },
  },
];

async function answeredOnce(socket: Socket): Promise<Socket> {
  socket.write(REQUEST);
  await once(socket, 'data');
  return socket;
}

async function answeredOverH2(socket: Socket): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const ended = (isEnd: boolean) => {
    if (isEnd) resolve(socket);
  };
  const connection = new H2Connection(socket, 'client', {
    headers: (_, isEnd) => ended(isEnd),
    data: (_stream, _bytes, isEnd) => ended(isEnd),
    reset: () => reject(new Error('the stream was reset')),
    goaway: () => reject(new Error('the connection is going away')),
  });
  socket.once('error', reject);
  socket.once('close', () => reject(new Error('the connection ended before the answer')));
  const block = fieldBlock([
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'bench.test'],
  ]);
  connection.headers(1, block, true);
  connection.flush();
  return promise;
}

/** How many files and sockets a process may have, by its hard limit (getrlimit(2)). */
function descriptors(): number {
  const line = /^Max open files +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  return Number(line?.[1] ?? Number.POSITIVE_INFINITY);
}
