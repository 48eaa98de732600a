import type { Link } from './link.ts';

export interface PipeReceiver {
  /** Bytes, the end or a reset have come. */
  onArrival(): void;
}

export interface PipeSender {
  /** The receiver has read: there is room again after a write that did not fit. */
  onRoom(): void;
}

interface Segment {
  readonly kind: 'bytes' | 'end' | 'reset';
  readonly bytes: Buffer | null;
  arrived: boolean;
}

/**
 * One direction of a TCP connection: bytes in order, in pieces, and no more on the way than the receiver's window.
 *
 *     write ──> in flight ──link──> received ──read──> reader
 *       ^──────────── window: at most so many bytes ─────┘
 */
export class Pipe {
  receiver: PipeReceiver | null = null;
  sender: PipeSender | null = null;
  /** Bytes that the reader has taken. */
  bytesRead = 0;
  /** As the receiver sees it. */
  state: 'open' | 'ended' | 'reset' = 'open';
  /** The end has come, whatever came after it. */
  hasEnded = false;
  /** The sender's thread died: its kernel sends an end that nobody meant. */
  isAbandoned = false;
  /** Neither end nor reset has been sent. */
  isOpenToWrite = true;
  readonly #link: Link;
  readonly #back: Link;
  readonly #window: number;
  readonly #flight: Segment[] = [];
  readonly #received: Buffer[] = [];
  #receivedBytes = 0;
  /** Written and not read yet. */
  #outstanding = 0;
  #starved = false;
  /** Read since the window was opened last. */
  #freed = 0;
  #lastArrival = 0;
  #lastRoom = 0;

  constructor(link: Link, back: Link, window: number) {
    this.#link = link;
    this.#back = back;
    this.#window = window;
  }

  /** Bytes that can be read now. */
  get available(): number {
    return this.#receivedBytes;
  }

  /** Takes a copy of as many bytes as there is room for, and says how many. */
  write(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.#window - this.#outstanding);
    if (taken < bytes.length) this.#starved = true;
    if (taken <= 0) return 0;
    this.#outstanding += taken;
    const copy = Buffer.from(bytes.subarray(0, taken));
    let at = 0;
    for (const length of this.#link.pieces(taken)) {
      this.#send({ kind: 'bytes', bytes: copy.subarray(at, at + length), arrived: false });
      at += length;
    }
    return taken;
  }

  end(): void {
    if (!this.isOpenToWrite) return;
    this.isOpenToWrite = false;
    this.#send({ kind: 'end', bytes: null, arrived: false });
  }

  /** `overtakes`: what is still on its way is lost. */
  reset(overtakes: boolean): void {
    this.isOpenToWrite = false;
    if (overtakes) {
      this.#flight.length = 0;
      this.#lastArrival = 0;
    }
    this.#send({ kind: 'reset', bytes: null, arrived: false });
  }

  /** Copies what has come into `target`; returns how many bytes. */
  read(target: Uint8Array): number {
    let length = 0;
    while (length < target.length) {
      const first = this.#received[0];
      if (first === undefined) break;
      const part = Math.min(first.length, target.length - length);
      target.set(part === first.length ? first : first.subarray(0, part), length);
      length += part;
      if (part === first.length) this.#received.shift();
      else this.#received[0] = first.subarray(part);
    }
    this.#took(length);
    return length;
  }

  /** Nobody reads any more: what has come and what comes is dropped. */
  discard(): void {
    this.#received.length = 0;
    this.#receivedBytes = 0;
  }

  #took(length: number): void {
    if (length === 0) return;
    this.#receivedBytes -= length;
    this.bytesRead += length;
    if (!this.#starved) {
      this.#outstanding -= length + this.#freed;
      this.#freed = 0;
      return;
    }
    // As RFC 9293 section 3.8.6.2.2 has it: a window opens by a good part or not at all.
    this.#freed += length;
    if (this.#freed * 2 < this.#window && this.#freed < this.#outstanding) return;
    const freed = this.#freed;
    this.#freed = 0;
    this.#lastRoom = this.#back.arrival(this.#lastRoom);
    this.#back.deliver(this.#lastRoom, () => {
      this.#outstanding -= freed;
      if (!this.#starved) return;
      this.#starved = false;
      this.sender?.onRoom();
    });
  }

  #send(segment: Segment): void {
    this.#flight.push(segment);
    this.#lastArrival = this.#link.arrival(this.#lastArrival);
    this.#link.deliver(this.#lastArrival, () => {
      segment.arrived = true;
      this.#receive();
    });
  }

  #receive(): void {
    let news = false;
    while (this.#flight[0]?.arrived === true) {
      const { kind, bytes } = this.#flight.shift()!;
      if (this.state === 'reset') continue;
      news = true;
      if (kind === 'reset') this.state = 'reset';
      else if (kind === 'end') {
        this.state = 'ended';
        this.hasEnded = true;
      } else {
        this.#received.push(bytes!);
        this.#receivedBytes += bytes!.length;
      }
    }
    if (news) this.receiver?.onArrival();
  }
}
