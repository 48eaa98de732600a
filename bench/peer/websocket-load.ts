import { connect, type Socket } from 'node:net';
import type { RoundTrips } from './round-trips.ts';
import { clientFrame, FrameReader } from './websocket-frame.ts';

const TEXT = 0x81;
const MESSAGE = Buffer.alloc(32, 'm');

/** A client's handshake for `path` (RFC 6455, 4.1). */
export function upgradeRequest(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: bench.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
}

/** Resolves when the head of the answer has come, and it is 101; nothing may come after it by itself. */
export function upgraded(socket: Socket, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let head = '';
  const take = (bytes: Buffer) => {
    head += bytes.toString('latin1');
    if (!head.endsWith('\r\n\r\n')) return;
    socket.off('data', take);
    if (head.startsWith('HTTP/1.1 101 ')) resolve();
    else reject(new Error(`a WebSocket is refused: ${head.split('\r\n')[0]}`));
  };
  socket.on('data', take);
  socket.once('error', reject);
  socket.once('close', () => reject(new Error('the connection ended before a WebSocket was open')));
  socket.write(upgradeRequest(path));
  return promise;
}

/** Opens `connections` WebSockets; on each one message is always under way. */
export function loadWebSockets(port: number, connections: number, trips: RoundTrips): { stop(): void } {
  let isStopped = false;
  const frame = clientFrame(TEXT, MESSAGE);
  const sockets = Array.from({ length: connections }, () => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    void upgraded(socket, '/').then(
      () => run(socket),
      () => {
        trips.errors += 1;
        socket.destroy();
      },
    );
    return socket;
  });
  function run(socket: Socket): void {
    const reader = new FrameReader();
    let sent = performance.now();
    socket.on('data', (bytes: Buffer) => {
      for (const { first, payload } of reader.read(bytes)) {
        if (first !== TEXT || !payload.equals(MESSAGE)) {
          trips.errors += 1;
          continue;
        }
        const now = performance.now();
        trips.returned(sent, now);
        sent = now;
        socket.write(frame);
      }
    });
    socket.on('close', () => {
      if (!isStopped) trips.errors += 1;
    });
    socket.write(frame);
  }
  return {
    stop() {
      isStopped = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}
