import type { Http2Owner } from '../../../src/wire/h2/connection-owner.ts';
import type { HeaderBlock } from '../../../src/wire/h2/header-block.ts';
import type { Http2Fault } from '../../../src/wire/h2/http2-fault.ts';
import type { Http2Stream, Http2StreamOwner } from '../../../src/wire/h2/stream.ts';

const ROOM = 64;
const ANSWER = Buffer.alloc(3000, 'a');

/** What is done with streams: nothing is ever said, or everything is answered. */
export type Manner = 'silent' | 'talking';

/** One stream's calls, held against the order that Http2StreamOwner promises. */
class StrictStream implements Http2StreamOwner {
  /** What came, with the bytes of DATA added up: the same however the input was cut. */
  log = '';
  stream: Http2Stream | null = null;
  #bytes = 0;
  #isOver = false;
  #hasHead: boolean;
  #rest = ANSWER;
  #isReleased = false;
  readonly #manner: Manner;

  constructor(manner: Manner, hasHead: boolean) {
    this.#manner = manner;
    this.#hasHead = hasHead;
  }

  onHead(head: HeaderBlock, ended: boolean): void {
    if (this.#hasHead || this.#isOver) throw new Error(`a head after ${this.log}`);
    this.#hasHead = true;
    this.log += `H${head.status}`;
    if (ended) this.#over('e');
  }

  onInterim(head: HeaderBlock): void {
    if (this.#hasHead || this.#isOver) throw new Error(`an interim head after ${this.log}`);
    this.log += `I${head.status}`;
  }

  onData(_bytes: Buffer, start: number, end: number): void {
    if (this.#isOver || !this.#hasHead || end <= start) throw new Error(`DATA after ${this.log}`);
    this.#bytes += end - start;
    this.stream!.consumed(end - start);
    this.onWritable();
  }

  onEnd(trailers: HeaderBlock | null): void {
    if (this.#isOver || !this.#hasHead) throw new Error(`an end after ${this.log}`);
    this.#over(trailers === null ? 'E' : `T${trailers.fieldCount}`);
  }

  onReset(code: number, fault: Http2Fault | null): void {
    if (this.#isReleased) throw new Error(`a reset after ${this.log}`);
    this.#over(`R${code}${fault ?? ''}`);
    this.#release();
  }

  /** A server's answer begins, or a client's request goes on. */
  begin(ended: boolean): void {
    if (ended) this.#over('e');
    if (this.#manner === 'silent' || this.#isReleased) return;
    if (!this.stream!.isBegun) {
      const writer = this.stream!.beginHead(ROOM);
      writer.all(Buffer.from([0x88]));
      this.stream!.endHead(false);
    }
    this.onWritable();
  }

  onWritable(): void {
    const stream = this.stream!;
    if (this.#isReleased || this.#manner === 'silent' || !stream.isBegun || stream.isLocallyEnded) return;
    const sent = stream.sendData(this.#rest, 0, this.#rest.length, true);
    this.#rest = this.#rest.subarray(sent);
    if (stream.isClosed) this.#release();
  }

  #over(how: string): void {
    if (this.#bytes > 0) this.log += `D${this.#bytes}`;
    this.#bytes = 0;
    this.log += how;
    this.#isOver = true;
    if (this.stream?.isClosed === true) this.#release();
  }

  #release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.stream!.release();
  }
}

/** Throws where a call comes that was not to come. */
export class StrictOwner implements Http2Owner {
  readonly streams: StrictStream[] = [];
  readonly #manner: Manner;
  /** Of the connection, in order. */
  log = '';
  isOver = false;

  constructor(manner: Manner) {
    this.#manner = manner;
  }

  onRequest(stream: Http2Stream, head: HeaderBlock, ended: boolean): void {
    if (this.isOver) throw new Error('a request after the end');
    const strict = this.opened(stream, true);
    strict.log += `${head.text(head.methodStart, head.methodEnd)}${head.fieldCount}${head.fault ?? ''}`;
    strict.begin(ended);
  }

  opened(stream: Http2Stream, hasHead: boolean): StrictStream {
    const strict = new StrictStream(this.#manner, hasHead);
    strict.stream = stream;
    stream.owner = strict;
    this.streams.push(strict);
    return strict;
  }

  /** For the client: streams that wait for an answer. */
  waiting(): StrictStream {
    return new StrictStream(this.#manner, false);
  }

  onSettings(): void {
    this.log += 's';
  }

  onGoAway(code: number): void {
    this.log += `g${code}`;
  }

  onPong(): void {
    this.log += 'p';
  }

  onStreamFault(fault: Http2Fault): void {
    this.log += ` ${fault}`;
  }

  onConnectionFault(fault: Http2Fault): void {
    if (this.isOver) throw new Error('a second end');
    this.isOver = true;
    this.log += ` ${fault}!`;
  }

  get summary(): string {
    return [this.log, ...this.streams.map(({ log }) => log)].join('\n');
  }
}
