import type { SocketStream, StreamOwner } from '../../os/socket-stream.ts';
import type { ProxyProtocolFault } from '../../wire/proxy-protocol/header.ts';
import { ProxyHeaderReader } from '../../wire/proxy-protocol/header-reader.ts';
import type { Context } from '../context.ts';
import type { AcceptedConnection } from '../port-connection.ts';
import type { TimerOwner } from '../timer-wheel.ts';
import { Timer } from '../timer-wheel.ts';

export type AnnouncementFault = ProxyProtocolFault | 'timeout' | 'closed';

/**
 * Has a connection before its first request: reads the PROXY protocol header with which its peer says whose it is, and
 * hands it over with all that came after that. Who does not say it gets no answer.
 */
export class Announcement implements StreamOwner, TimerOwner {
  readonly #context: Context;
  readonly #stream: SocketStream;
  readonly #connection: AcceptedConnection;
  readonly #count: (fault: AnnouncementFault) => void;
  readonly #reader = new ProxyHeaderReader();
  readonly #timer = new Timer(this);

  /** `milliseconds` 0: as long as the connection may be idle. */
  constructor(
    context: Context,
    stream: SocketStream,
    connection: AcceptedConnection,
    milliseconds: number,
    count: (fault: AnnouncementFault) => void,
  ) {
    this.#context = context;
    this.#stream = stream;
    this.#connection = connection;
    this.#count = count;
    stream.owner = this;
    if (milliseconds > 0) context.wheel.set(this.#timer, milliseconds);
  }

  onConnect(): void {}

  onBytes(bytes: Buffer, end: number): void {
    if (this.#stream.isClosed) return;
    const decoded = this.#reader.read(bytes, 0, end);
    if (decoded.outcome === 'more') return;
    if (decoded.outcome === 'failed') {
      this.#refuse(decoded.fault);
      return;
    }
    this.#context.wheel.remove(this.#timer);
    this.#connection.announce(decoded.connection);
    this.#stream.owner = this.#connection;
    if (this.#reader.next < end) this.#connection.onBytes(bytes, end, this.#reader.next);
  }

  onEnd(): void {
    // A look whether the port is open is no fault.
    if (this.#reader.untouched) this.#connection.close();
    else this.#refuse('closed');
  }

  onWritable(): void {}

  onClosed(code: string): void {
    this.#context.wheel.remove(this.#timer);
    this.#connection.onClosed(code);
  }

  onTimer(): void {
    this.#refuse('timeout');
  }

  onFault(error: unknown): void {
    this.#context.wheel.remove(this.#timer);
    this.#connection.onFault(error);
  }

  #refuse(fault: AnnouncementFault): void {
    this.#count(fault);
    this.#context.wheel.remove(this.#timer);
    this.#connection.close();
  }
}
