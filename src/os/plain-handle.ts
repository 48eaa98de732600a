import type { NetConnectOpts } from 'node:net';
import { createServer, Socket } from 'node:net';
import type { ShutdownRequest, SocketAddress, StreamHandle, WriteRequest } from './stream-handle.ts';
import { streamBinding } from './stream-handle.ts';
import type { BindOptions, ConnectAttempt, ConnectOwner, Listening } from './system.ts';
import { END_OF_STREAM } from './system-error.ts';

const { streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = streamBinding;
const EBADF = -9;
const UNKNOWN = -4094;

type Failure = NodeJS.ErrnoException | null | undefined;

/** A `net.Socket` as a handle, for where the runtime does not offer its own. Every write completes later. */
export class PlainHandle implements StreamHandle {
  onread: (this: StreamHandle) => Uint8Array | undefined = () => undefined;
  readonly #socket: Socket;
  #memory: Uint8Array = Buffer.alloc(0);
  #error = 0;
  #isClosed = false;
  readonly #onData = (bytes: Buffer): void => this.#read(bytes);
  readonly #onEnd = (): void => this.#say(END_OF_STREAM);
  readonly #onError = (error: Failure): void => {
    this.#error = error?.errno ?? UNKNOWN;
  };
  readonly #onClose = (): void => {
    if (this.#error !== 0) this.#say(this.#error);
  };

  constructor(socket: Socket) {
    this.#socket = socket;
    socket
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('error', this.#onError)
      .on('close', this.#onClose);
    socket.pause();
  }

  /** The socket goes to somebody else, and this handle is used no more. */
  release(): Socket {
    const socket = this.#socket;
    socket.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError);
    socket.off('close', this.#onClose);
    this.#isClosed = true;
    // What comes waits for whoever takes it.
    return socket.pause();
  }

  useUserBuffer(bytes: Uint8Array): void {
    this.#memory = bytes;
  }

  get writeQueueSize(): number {
    return this.#socket.writableLength;
  }

  readStart(): number {
    this.#socket.resume();
    return 0;
  }

  readStop(): number {
    this.#socket.pause();
    return 0;
  }

  writeBuffer(request: WriteRequest, bytes: Uint8Array): number {
    return this.writev(request, [bytes]);
  }

  writev(request: WriteRequest, chunks: readonly Uint8Array[]): number {
    const socket = this.#socket;
    if (!socket.writable) return EBADF;
    socket.cork();
    for (const chunk of chunks.slice(0, -1)) socket.write(chunk);
    socket.write(chunks.at(-1) ?? '', (error?: Failure) =>
      request.oncomplete!.call(request, error ? (error.errno ?? UNKNOWN) : 0),
    );
    socket.uncork();
    streamBaseState[kLastWriteWasAsync] = 1;
    return 0;
  }

  shutdown(request: ShutdownRequest): number {
    this.#socket.end(() => request.oncomplete!.call(request, 0));
    return 0;
  }

  close(closed: (this: StreamHandle) => void): void {
    this.#isClosed = true;
    this.#socket.destroy();
    this.#afterClose(closed);
  }

  reset(closed: (this: StreamHandle) => void): number {
    this.#isClosed = true;
    this.#socket.resetAndDestroy();
    this.#afterClose(closed);
    return 0;
  }

  getpeername(out: SocketAddress): number {
    const { remoteAddress, remotePort } = this.#socket;
    if (remoteAddress === undefined || remotePort === undefined) return EBADF;
    out.address = remoteAddress;
    out.port = remotePort;
    return 0;
  }

  getsockname(out: SocketAddress): number {
    const { localAddress, localPort } = this.#socket;
    if (localAddress === undefined || localPort === undefined) return EBADF;
    out.address = localAddress;
    out.port = localPort;
    return 0;
  }

  #afterClose(closed: (this: StreamHandle) => void): void {
    setImmediate(() => closed.call(this));
  }

  #read(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && !this.#isClosed; ) {
      const size = Math.min(bytes.length - at, this.#memory.length);
      bytes.copy(this.#memory, 0, at, at + size);
      at += size;
      this.#say(size);
    }
  }

  #say(count: number): void {
    if (this.#isClosed) return;
    streamBaseState[kReadBytesOrError] = count;
    this.#memory = this.onread() ?? this.#memory;
  }
}

/** `System.connect` by `net`. */
export function connectPlain(address: string, port: number, owner: ConnectOwner): ConnectAttempt {
  const socket = new Socket({ allowHalfOpen: true });
  const failed = (error: NodeJS.ErrnoException) => owner.onConnectFailed(error.code ?? 'UNKNOWN');
  socket.on('error', failed);
  socket.once('connect', () => {
    socket.removeListener('error', failed);
    owner.onConnected(new PlainHandle(socket));
  });
  socket.connect({ host: address, port, noDelay: true } as NetConnectOpts);
  return {
    close(closed) {
      socket.destroy();
      setImmediate(closed);
    },
  };
}

/** `System.listen` by `net`. */
export function listenPlain(options: BindOptions, take: (handle: StreamHandle) => void): Promise<Listening> {
  const { port, address, reusePort, backlog } = options;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const host = address === undefined ? {} : { host: address };
    server.listen({ port, reusePort, exclusive: true, backlog, ...host }, () => {
      server.removeListener('error', reject);
      // After this only accept can fail.
      server.on('error', () => {});
      server.on('connection', (socket) => take(new PlainHandle(socket)));
      const bound = server.address();
      resolve({
        port: typeof bound === 'object' && bound !== null ? bound.port : port,
        limit(most) {
          const { _handle } = server as unknown as { _handle?: { listen?(backlog: number): number } | null };
          _handle?.listen?.(most);
        },
        close: () => void server.close(),
      });
    });
  });
}
