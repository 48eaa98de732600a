import { constants } from 'node:os';
import type {
  ShutdownRequest,
  SocketAddress,
  StreamHandle,
  WriteRequest,
} from '../../src/os/stream-handle.ts';
import { streamBinding } from '../../src/os/stream-handle.ts';
import type { ConnectAttempt, ConnectOwner } from '../../src/os/system.ts';
import { END_OF_STREAM } from '../../src/os/system-error.ts';
import type { Network } from './network.ts';
import type { Side, SideOwner } from './side.ts';
import type { QueueHost } from './write-queue.ts';
import { WriteQueue } from './write-queue.ts';

const MOST_READS = 32;
const EBADF = -9;
const EINVAL = -22;
const EALREADY = -114;
const ENOTCONN = -107;

const { streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = streamBinding;

/** The thread whose sockets these are. */
export interface SocketHost extends QueueHost {
  readonly name: string;
  readonly network: Network;
  readonly hasDescriptors: boolean;
  opened(socket: SocketHandle): void;
  /** The descriptor is closed; the owner may not know yet. */
  closed(socket: SocketHandle): void;
  /** The owner has been told. */
  gone(socket: SocketHandle): void;
}

/**
 * A TCP handle of the runtime (`src/os/stream-handle.ts`) over a side of the simulated network. The rules that matter:
 *
 * - a read goes into the memory that `onread` returned after the read before;
 * - a handle that is not reading sees neither the end nor a reset;
 * - the end is said again to who asks again;
 * - it takes no second shutdown, nor a reset while one waits for writes;
 * - what was asked for before a close is cancelled, and `closed` comes in a later turn.
 */
export class SocketHandle implements StreamHandle, ConnectAttempt, SideOwner {
  onread: (this: StreamHandle) => Uint8Array | undefined = () => undefined;
  /** Where it was told to connect to; empty for an accepted one. */
  readonly target: string;
  /** Where it was accepted; 0 for one that connects. */
  readonly acceptedOn: number;
  readonly #host: SocketHost;
  #side: Side | null = null;
  #writes: WriteQueue | null = null;
  #memory: Uint8Array = new Uint8Array(0);
  #owner: ConnectOwner | null = null;
  #isReading = false;
  #isShut = false;
  #isClosed = false;

  private constructor(host: SocketHost, acceptedOn: number, target = '') {
    this.#host = host;
    this.acceptedOn = acceptedOn;
    this.target = target;
    host.opened(this);
  }

  static accepted(host: SocketHost, side: Side): SocketHandle {
    const handle = new SocketHandle(host, side.localPort);
    handle.#take(side);
    return handle;
  }

  static connecting(host: SocketHost, address: string, port: number, owner: ConnectOwner): SocketHandle {
    const handle = new SocketHandle(host, 0, `${address}:${port}`);
    handle.#owner = owner;
    if (host.hasDescriptors) handle.#take(host.network.connect(host.name, address, port));
    else host.soon(() => handle.#isClosed || owner.onConnectFailed('EMFILE'));
    return handle;
  }

  get writeQueueSize(): number {
    return this.#writes?.size ?? 0;
  }

  useUserBuffer(bytes: Uint8Array): void {
    this.#memory = bytes;
  }

  readStart(): number {
    if (this.#isClosed) return EINVAL;
    if (this.#isReading) return EALREADY;
    this.#isReading = true;
    this.#host.soon(() => this.onReadable());
    return 0;
  }

  readStop(): number {
    this.#isReading = false;
    return 0;
  }

  writeBuffer(request: WriteRequest, bytes: Uint8Array): number {
    return this.writev(request, [bytes]);
  }

  writev(request: WriteRequest, chunks: readonly Uint8Array[]): number {
    if (this.#isClosed) return EBADF;
    const status = this.#writes!.write(chunks, (result) => request.oncomplete!.call(request, result));
    if (status < 0) return status;
    streamBaseState[kLastWriteWasAsync] = status;
    return 0;
  }

  shutdown(request: ShutdownRequest): number {
    if (this.#isClosed || this.#isShut) return ENOTCONN;
    this.#isShut = true;
    this.#writes!.shutdown((status) => request.oncomplete!.call(request, status));
    return 0;
  }

  close(closed: (this: StreamHandle) => void): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#side?.close();
    this.#letGo(closed);
  }

  reset(closed: (this: StreamHandle) => void): number {
    if (this.#isClosed || this.#writes?.isEnding === true) return EINVAL;
    this.#isClosed = true;
    this.#side?.reset();
    this.#letGo(closed);
    return 0;
  }

  getpeername(out: SocketAddress): number {
    if (this.#side === null || this.#isClosed) return EBADF;
    out.address = this.#side.peer;
    out.port = this.#side.peerPort;
    return 0;
  }

  getsockname(out: SocketAddress): number {
    if (this.#side === null || this.#isClosed) return EBADF;
    out.address = this.#host.name;
    out.port = this.#side.localPort;
    return 0;
  }

  onConnect(): void {
    const owner = this.#owner;
    if (this.#isClosed || owner === null) return;
    this.#owner = null;
    owner.onConnected(this);
  }

  onRoom(): void {
    if (!this.#isClosed) this.#writes?.pump();
  }

  onReadable(): void {
    const side = this.#side;
    if (side === null || this.#isClosed) return;
    if (this.#owner !== null) {
      if (side.failure !== '') this.#owner.onConnectFailed(side.failure);
      return;
    }
    // Where nothing is read, a failure is noticed by what waits to be written alone.
    for (let reads = 0; reads < MOST_READS && this.#isReading; reads += 1) {
      const length = side.read(this.#memory);
      if (length > 0) {
        this.#host.memory.reading(this.#memory);
        this.#say(length);
        continue;
      }
      if (side.isBroken) this.#stopWith(-constants.errno[side.failure as 'ECONNRESET']);
      else if (side.atEnd) this.#stopWith(END_OF_STREAM);
      break;
    }
    if (this.#isClosed) return;
    if (side.failure !== '') this.#writes!.pump();
    else if (side.incoming.available > 0 && this.#isReading) this.#host.soon(() => this.onReadable());
  }

  /** The thread is dead: the kernel closes what it had, and nobody is told. */
  abandon(): void {
    this.#isClosed = true;
    this.#isReading = false;
    if (this.#side === null) return;
    this.#side.outgoing.isAbandoned = true;
    this.#side.close();
    this.#side.incoming.discard();
  }

  #take(side: Side): void {
    this.#side = side;
    this.#writes = new WriteQueue(this.#host, side);
    side.owner = this;
  }

  #stopWith(status: number): void {
    this.#isReading = false;
    this.#say(status);
  }

  #say(count: number): void {
    streamBaseState[kReadBytesOrError] = count;
    this.#memory = this.onread() ?? this.#memory;
  }

  #letGo(closed: (this: StreamHandle) => void): void {
    this.#isReading = false;
    this.#writes?.cancel();
    this.#host.closed(this);
    this.#host.soon(() => {
      this.#host.gone(this);
      closed.call(this);
    });
  }
}
