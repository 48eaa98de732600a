import { createHash } from 'node:crypto';
import type { Http2Connection } from '../../../src/wire/h2/connection.ts';
import type { Http2Owner } from '../../../src/wire/h2/connection-owner.ts';
import type { HeaderBlock } from '../../../src/wire/h2/header-block.ts';
import type { Http2Fault } from '../../../src/wire/h2/http2-fault.ts';
import type { Http2Stream, Http2StreamOwner } from '../../../src/wire/h2/stream.ts';

const HEAD_ROOM = 1024;

/** Bytes that are different from one place and one seed to the next. */
export function pattern(size: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + (at >>> 8) + seed) & 255;
  return bytes;
}

/** What an answer says of the request it is for. */
export function digestOf(body: Buffer, trailer: string): string {
  return `${createHash('sha256').update(body).digest('hex')}:${body.length}:${trailer}`;
}

/** What a request asks for, in its path: `/?down=bytes&seed=number&trailer=1`. */
export interface Wanted {
  readonly down: number;
  readonly seed: number;
  readonly trailer: boolean;
}

export function wantedOf(path: string): Wanted {
  const query = new URL(path, 'http://a').searchParams;
  return {
    down: Number(query.get('down')),
    seed: Number(query.get('seed')),
    trailer: query.get('trailer') === '1',
  };
}

class DigestExchange implements Http2StreamOwner {
  readonly #connection: Http2Connection;
  readonly #stream: Http2Stream;
  readonly #isHead: boolean;
  readonly #wanted: Wanted;
  readonly #body: Buffer[] = [];
  #rest: Buffer = Buffer.alloc(0);

  constructor(connection: Http2Connection, stream: Http2Stream, head: HeaderBlock, ended: boolean) {
    this.#connection = connection;
    this.#stream = stream;
    this.#isHead = head.text(head.methodStart, head.methodEnd) === 'HEAD';
    this.#wanted = wantedOf(head.text(head.targetStart, head.targetEnd));
    if (ended) this.onEnd(null);
  }

  onHead(): void {}
  onInterim(): void {}

  onData(bytes: Buffer, start: number, end: number): void {
    this.#body.push(Buffer.from(bytes.subarray(start, end)));
    this.#stream.consumed(end - start);
  }

  onEnd(trailers: HeaderBlock | null): void {
    const { encoder } = this.#connection;
    const { down, seed, trailer } = this.#wanted;
    const writer = this.#stream.beginHead(HEAD_ROOM);
    encoder.status(writer, 200);
    encoder.contentLength(writer, down);
    encoder.field(writer, 'x-digest', digestOf(Buffer.concat(this.#body), trailers?.combined('x-up') ?? ''));
    const isBodiless = this.#isHead || (down === 0 && !trailer);
    this.#stream.endHead(isBodiless);
    if (isBodiless) {
      this.#stream.release();
      return;
    }
    this.#rest = pattern(down, seed);
    this.onWritable();
  }

  onReset(): void {
    this.#stream.release();
  }

  onWritable(): void {
    const stream = this.#stream;
    const { trailer } = this.#wanted;
    const sent = stream.sendData(this.#rest, 0, this.#rest.length, !trailer);
    this.#rest = this.#rest.subarray(sent);
    if (this.#rest.length > 0) return;
    if (trailer) {
      const writer = stream.beginHead(HEAD_ROOM);
      this.#connection.encoder.field(writer, 'x-down', 'over');
      stream.endHead(true);
    }
    stream.release();
  }
}

/** Answers with what was asked for, and with a digest of what came. `connection` is set by whoever makes it. */
export class DigestOwner implements Http2Owner {
  connection: Http2Connection | null = null;
  fault: Http2Fault | null = null;
  readonly streamFaults: Http2Fault[] = [];

  onRequest(stream: Http2Stream, head: HeaderBlock, ended: boolean): void {
    stream.owner = new DigestExchange(this.connection!, stream, head, ended);
  }

  onSettings(): void {}
  onGoAway(): void {}
  onPong(): void {}

  onStreamFault(fault: Http2Fault): void {
    this.streamFaults.push(fault);
  }

  onConnectionFault(fault: Http2Fault): void {
    this.fault = fault;
  }
}
