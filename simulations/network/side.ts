import type { Prng } from '../prng.ts';
import type { Pipe } from './pipe.ts';

/** What a host is told of its side of a connection. */
export interface SideOwner {
  onConnect(): void;
  /** There are bytes, the peer's end, or a failure to be seen. */
  onReadable(): void;
  /** A write that did not fit may go on. */
  onRoom(): void;
}

const OVERTAKES = 0.2;

/** A host's side of a TCP connection, as its kernel keeps it. */
export class Side implements SideOwner {
  owner: SideOwner | null = null;
  readonly incoming: Pipe;
  readonly outgoing: Pipe;
  /** Name of the host at the other side. */
  readonly peer: string;
  readonly peerPort: number;
  readonly localPort: number;
  state: 'connecting' | 'open' | 'closed' = 'connecting';
  /** The system's error code, once there is one: the connection is gone. */
  failure = '';
  readonly #prng: Prng;

  constructor(options: {
    readonly incoming: Pipe;
    readonly outgoing: Pipe;
    readonly peer: string;
    readonly peerPort: number;
    readonly localPort: number;
    readonly prng: Prng;
  }) {
    this.incoming = options.incoming;
    this.outgoing = options.outgoing;
    this.peer = options.peer;
    this.peerPort = options.peerPort;
    this.localPort = options.localPort;
    this.#prng = options.prng;
    this.incoming.receiver = this;
    this.outgoing.sender = this;
  }

  /** The peer has sent its last byte, and all have been read. */
  get atEnd(): boolean {
    return this.incoming.hasEnded && this.incoming.available === 0;
  }

  /** The peer has reset the connection, and what came before has been read. After an end, reads see that alone. */
  get isBroken(): boolean {
    return this.failure !== '' && !this.incoming.hasEnded && this.incoming.available === 0;
  }

  /** Bytes taken, or -1: the connection is gone. */
  write(bytes: Uint8Array): number {
    if (this.state !== 'open' || this.failure !== '' || !this.outgoing.isOpenToWrite) return -1;
    return this.outgoing.write(bytes);
  }

  read(target: Uint8Array): number {
    return this.incoming.read(target);
  }

  /** No more is written (FIN). */
  end(): void {
    if (this.state === 'open' && this.failure === '') this.outgoing.end();
  }

  /** As `close(2)`: a FIN, or a RST where bytes have come that nobody read. */
  close(): void {
    if (this.state === 'closed') return;
    const unread = this.incoming.available > 0;
    this.#closeNow();
    if (this.failure !== '') return;
    if (unread) this.outgoing.reset(false);
    else this.outgoing.end();
  }

  reset(): void {
    if (this.state === 'closed') return;
    this.#closeNow();
    if (this.failure === '') this.outgoing.reset(this.#prng.chance(OVERTAKES));
  }

  #closeNow(): void {
    this.state = 'closed';
    this.incoming.discard();
  }

  onConnect(): void {
    if (this.state !== 'connecting') return;
    this.state = 'open';
    this.owner?.onConnect();
    if (this.incoming.available > 0 || this.incoming.state !== 'open') this.owner?.onReadable();
  }

  /** The connection could not be made. */
  fail(code: string): void {
    if (this.state !== 'connecting') return;
    this.failure = code;
    this.owner?.onReadable();
  }

  onReadable(): void {
    this.owner?.onReadable();
  }

  onArrival(): void {
    // Linux, tcp_reset: a reset after the peer's end is a broken pipe.
    if (this.incoming.state === 'reset') this.failure = this.incoming.hasEnded ? 'EPIPE' : 'ECONNRESET';
    if (this.state === 'open') {
      this.owner?.onReadable();
      return;
    }
    if (this.state === 'connecting') return;
    const unread = this.incoming.available > 0;
    this.incoming.discard();
    // Whoever has closed answers what still comes by a reset.
    if (unread && this.failure === '') {
      this.failure = 'EPIPE';
      this.outgoing.reset(false);
    }
  }

  onRoom(): void {
    if (this.state === 'open' && this.failure === '') this.owner?.onRoom();
  }
}
