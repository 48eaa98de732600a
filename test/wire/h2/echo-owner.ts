import type { Http2Connection } from '../../../src/wire/h2/connection.ts';
import type { Http2Owner } from '../../../src/wire/h2/connection-owner.ts';
import type { HeaderBlock } from '../../../src/wire/h2/header-block.ts';
import type { Http2Fault } from '../../../src/wire/h2/http2-fault.ts';
import type { Http2Stream, Http2StreamOwner } from '../../../src/wire/h2/stream.ts';
import { OK } from './frames.ts';

const NOTHING = Buffer.alloc(0);

/** Answers a request with what it brings, as far as the client takes it; one without a body with `greeting`. */
class EchoExchange implements Http2StreamOwner {
  readonly #stream: Http2Stream;
  readonly #owner: EchoOwner;
  /** Not sent yet. */
  #rest: Buffer = NOTHING;
  #ended = false;
  #finished = false;

  constructor(stream: Http2Stream, owner: EchoOwner, ended: boolean) {
    this.#stream = stream;
    this.#owner = owner;
    const writer = stream.beginHead(OK.length);
    writer.all(OK);
    stream.endHead(false);
    if (!ended) return;
    this.#rest = owner.greeting;
    this.#ended = true;
    this.#send();
  }

  onHead(): void {}
  onInterim(): void {}

  onData(bytes: Buffer, start: number, end: number): void {
    this.#owner.received += end - start;
    this.#rest = Buffer.concat([this.#rest, bytes.subarray(start, end)]);
    this.#send();
  }

  onEnd(trailers: HeaderBlock | null): void {
    if (trailers !== null) this.#owner.trailers += 1;
    this.#ended = true;
    this.#send();
  }

  onReset(code: number, fault: Http2Fault | null): void {
    this.#owner.resets.push({ code, fault });
    this.#finish();
  }

  onWritable(): void {
    this.#send();
  }

  #send(): void {
    if (this.#finished) return;
    const sent = this.#stream.sendData(this.#rest, 0, this.#rest.length, this.#ended);
    this.#rest = this.#rest.subarray(sent);
    if (!this.#ended) this.#stream.consumed(sent);
    if (this.#stream.isLocallyEnded) this.#finish();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#owner.holds) this.#owner.held.push(this.#stream);
    else this.#stream.release();
  }
}

/** A server that echoes. `connection` is set by whoever makes it. */
export class EchoOwner implements Http2Owner {
  connection: Http2Connection | null = null;
  readonly greeting: Buffer;
  requests = 0;
  received = 0;
  trailers = 0;
  readonly resets: { code: number; fault: Http2Fault | null }[] = [];
  readonly streamFaults: Http2Fault[] = [];
  fault: Http2Fault | null = null;
  goAway: number | null = null;
  pongs = 0;
  /** Streams are not released by themselves, as by a backend that has not noticed. */
  holds = false;
  readonly held: Http2Stream[] = [];

  constructor(greeting: Buffer | string = 'hello') {
    this.greeting = Buffer.from(greeting);
  }

  onRequest(stream: Http2Stream, _head: HeaderBlock, ended: boolean): void {
    this.requests += 1;
    stream.owner = new EchoExchange(stream, this, ended);
  }

  onSettings(): void {}

  onGoAway(code: number): void {
    this.goAway = code;
  }

  onPong(): void {
    this.pongs += 1;
  }

  onStreamFault(fault: Http2Fault): void {
    this.streamFaults.push(fault);
  }

  onConnectionFault(fault: Http2Fault): void {
    this.fault = fault;
  }
}
