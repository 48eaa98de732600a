import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pass } from 'node:timers/promises';
import { connect as connectSecure } from 'node:tls';
import { type Attack, SILENCE_MS } from '../attack.ts';

const CONNECTIONS = 2000;

/** The first flight of a client, as OpenSSL writes it. */
async function clientHello(): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connectSecure({ port, host: '127.0.0.1', servername: 'localhost', ALPNProtocols: ['h2'] });
  client.on('error', () => {});
  const [socket] = await accepted;
  socket.on('error', () => {});
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

function half(name: string, part: (hello: Buffer) => Buffer, mostMb = 32): Attack {
  return {
    name,
    target: 'secure',
    faults: [],
    mostMb,
    prepare() {
      const made = clientHello();
      return async (port) => {
        const bytes = part(await made);
        const startedAt = performance.now();
        const sockets = Array.from({ length: CONNECTIONS }, () => {
          const socket = connect({ port, host: '127.0.0.1' });
          socket.on('error', () => {});
          socket.resume();
          if (bytes.length > 0) socket.write(bytes);
          return socket;
        });
        const ended = Promise.all(
          // A reset is an end as well: `once` would take it for a failure.
          sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))),
        );
        await Promise.race([ended, pass(SILENCE_MS)]);
        const isOver = sockets.every((socket) => socket.destroyed);
        for (const socket of sockets) socket.destroy();
        const endedMs = isOver ? Math.round(performance.now() - startedAt) : null;
        return { goAway: null, endedMs, sent: bytes.length * CONNECTIONS, resets: 0, answers: 0 };
      };
    },
  };
}

export const HANDSHAKES: readonly Attack[] = [
  half('2,000 connections to TLS that say nothing', () => Buffer.alloc(0)),
  half('2,000 halves of a ClientHello', (hello) => hello.subarray(0, hello.length >> 1)),
  half('2,000 ClientHellos and nothing after', (hello) => hello, 48),
];
