import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { TestContext } from 'node:test';

/** A raw TCP client that collects what it is sent. */
export class RawClient {
  readonly socket: Socket;
  text = '';
  ended = false;
  closed = false;
  error = '';
  #wake: () => void = () => {};

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.socket.on('data', (bytes) => {
      this.text += bytes.toString('latin1');
      this.#wake();
    });
    this.socket.on('end', () => {
      this.ended = true;
      this.#wake();
    });
    this.socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? '';
    });
  }

  send(text: string | Buffer): this {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    return this;
  }

  /** Resolves when `condition` holds; fails the test by its timeout where it never does. */
  async until(condition: (client: this) => boolean): Promise<this> {
    while (!condition(this)) {
      if (this.closed)
        throw new Error(`connection closed (${this.error}) with ${JSON.stringify(this.text.slice(0, 500))}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this;
  }

  async untilText(part: string): Promise<this> {
    return this.until((client) => client.text.includes(part));
  }

  async untilOver(): Promise<this> {
    while (!this.ended && !this.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.socket.destroy();
    return this;
  }
}

/** Sends, and resolves with everything that came until the proxy ended the connection. */
export async function exchange(port: number, request: string | Buffer): Promise<string> {
  const client = new RawClient(port);
  client.send(request);
  await client.untilOver();
  return client.text;
}

export interface RawBackend {
  readonly port: number;
  readonly connections: Socket[];
  /** All bytes of all connections, by connection. */
  readonly received: string[];
  close(): void;
}

/** A TCP server that does as told with each connection and remembers what came. */
export async function rawBackend(
  context: TestContext,
  serve: (socket: Socket, bytes: Buffer, index: number) => void,
): Promise<RawBackend> {
  const connections: Socket[] = [];
  const received: string[] = [];
  const server: Server = createServer({ noDelay: true }, (socket) => {
    const index = connections.push(socket) - 1;
    received[index] = '';
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      received[index] += bytes.toString('latin1');
      serve(socket, bytes, index);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    for (const socket of connections) socket.destroy();
  };
  context.after(close);
  return { port: (server.address() as AddressInfo).port, connections, received, close };
}

/** Answers each request head (without body) with `answer`. */
export function answering(answer: string): (socket: Socket, bytes: Buffer) => void {
  let pending = '';
  return (socket, bytes) => {
    pending += bytes.toString('latin1');
    for (let end = pending.indexOf('\r\n\r\n'); end !== -1; end = pending.indexOf('\r\n\r\n')) {
      pending = pending.slice(end + 4);
      socket.write(Buffer.from(answer, 'latin1'));
    }
  };
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
