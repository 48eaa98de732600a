import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { acceptKey } from '../../src/wire/websocket/opening-handshake.ts';

/** One side of a connection after its head has been read. */
export interface Opened<Stream extends Duplex = Duplex> {
  readonly socket: Stream;
  /** First line and fields of what the other side sent, without line ends. */
  readonly head: readonly string[];
  /** What came behind the head. */
  readonly rest: Buffer;
}

/** At the server's side. */
export interface Asked<Stream extends Duplex = Duplex> extends Opened<Stream> {
  /** Agrees, with fields besides those that every answer has. */
  accept(lines: readonly string[]): void;
}

/** A port where whoever waits for a path gets the connection that asks for it. */
export interface Hub {
  readonly port: number;
  /** The connection is unanswered. */
  take(path: string): Promise<Asked<Socket>>;
}

export async function hub(context: TestContext): Promise<Hub> {
  const waiting = new Map<string, (asked: Asked<Socket>) => void>();
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    void headOf(socket).then((opened) => {
      const path = opened.head[0]?.split(' ')[1] ?? '';
      const take = waiting.get(path);
      waiting.delete(path);
      if (take === undefined) socket.destroy();
      else take({ ...opened, accept: (lines) => accept(opened, lines) });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    take: (path) => new Promise((resolve) => waiting.set(path, resolve)),
  };
}

/** Reads up to the empty line, and pauses. Never resolves where that does not come. */
function headOf(socket: Socket): Promise<Opened<Socket>> {
  return new Promise((resolve) => {
    let got = Buffer.alloc(0);
    const read = (bytes: Buffer): void => {
      got = Buffer.concat([got, bytes]);
      const end = got.indexOf('\r\n\r\n');
      if (end === -1) return;
      socket.off('data', read);
      socket.pause();
      resolve({ socket, head: got.toString('latin1', 0, end).split('\r\n'), rest: got.subarray(end + 4) });
    };
    socket.on('data', read);
  });
}

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** Opens a client's connection: `lines` beside those that every handshake has. */
export async function ask(port: number, path: string, lines: readonly string[]): Promise<Opened<Socket>> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  socket.on('error', () => {});
  socket.write(
    [
      `GET ${path} HTTP/1.1`,
      'Host: chat.example',
      'Connection: Upgrade',
      'Upgrade: websocket',
      ...lines,
      '\r\n',
    ].join('\r\n'),
  );
  return headOf(socket);
}

/** The lines of a handshake, whatever it offers besides. */
export const OPENING = [`Sec-WebSocket-Key: ${KEY}`, 'Sec-WebSocket-Version: 13'];

function accept({ socket, head }: Opened, lines: readonly string[]): void {
  const key = head
    .map((line) => /^sec-websocket-key: (.*)$/i.exec(line)?.[1])
    .find((value) => value !== undefined);
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      'Upgrade: websocket',
      `Sec-WebSocket-Accept: ${acceptKey(key ?? '')}`,
      ...lines,
      '\r\n',
    ].join('\r\n'),
  );
}
