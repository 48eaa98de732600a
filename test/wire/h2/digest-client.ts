import type { Http2Connection } from '../../../src/wire/h2/connection.ts';
import type { Http2Owner } from '../../../src/wire/h2/connection-owner.ts';
import type { HeaderBlock } from '../../../src/wire/h2/header-block.ts';
import type { Http2Fault } from '../../../src/wire/h2/http2-fault.ts';
import type { Http2Stream, Http2StreamOwner } from '../../../src/wire/h2/stream.ts';

const HEAD_ROOM = 1024;
const AUTHORITY = 'a.example';

/** A request for a server that digests. */
export interface Plan {
  readonly method: 'GET' | 'POST' | 'HEAD';
  readonly up: number;
  readonly upTrailer: boolean;
  readonly down: number;
  readonly downTrailer: boolean;
  /** The client resets the stream when so many bytes of the answer have come; null: never. */
  readonly cancelAt: number | null;
}

export interface Outcome {
  readonly digest: string;
  readonly body: Buffer;
  readonly trailer: string;
}

export function pathOf(plan: Plan, seed: number): string {
  return `/?down=${plan.down}&seed=${seed}&trailer=${plan.downTrailer ? 1 : 0}`;
}

/** One request by our engine. */
export class DigestRequest implements Http2StreamOwner {
  readonly done: Promise<Outcome | string>;
  readonly #connection: Http2Connection;
  readonly #stream: Http2Stream;
  readonly #plan: Plan;
  #rest: Buffer;
  #resolve: (outcome: Outcome | string) => void = () => {};
  #digest = '';
  #taken = 0;
  readonly #body: Buffer[] = [];
  #isOver = false;

  /** `up` is the body. Throws where the connection takes no more streams. */
  constructor(connection: Http2Connection, plan: Plan, path: string, up: Buffer) {
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#connection = connection;
    this.#plan = plan;
    this.#rest = up;
    const stream = connection.open(this, plan.method === 'HEAD');
    if (stream === null) throw new Error('no stream');
    this.#stream = stream;
    const { encoder } = connection;
    const writer = stream.beginHead(HEAD_ROOM);
    const method = Buffer.from(plan.method);
    encoder.method(writer, method, 0, method.length);
    encoder.scheme(writer, false);
    encoder.authority(writer, AUTHORITY);
    const target = Buffer.from(path);
    encoder.path(writer, target, 0, target.length);
    encoder.field(writer, 'x-test', 'yes');
    const isBodiless = up.length === 0 && !plan.upTrailer;
    stream.endHead(isBodiless);
    if (!isBodiless) this.onWritable();
  }

  onInterim(): void {}

  onHead(head: HeaderBlock, ended: boolean): void {
    this.#digest = head.combined('x-digest') ?? '';
    if (ended) this.onEnd(null);
    else this.#mayCancel();
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#body.push(Buffer.from(bytes.subarray(start, end)));
    this.#taken += end - start;
    this.#stream.consumed(end - start);
    this.#mayCancel();
  }

  onEnd(trailers: HeaderBlock | null): void {
    if (this.#isOver) return;
    const trailer = trailers?.combined('x-down') ?? '';
    this.#over({ digest: this.#digest, body: Buffer.concat(this.#body), trailer });
  }

  onReset(code: number, fault: Http2Fault | null): void {
    this.#over(`reset ${code} ${fault ?? ''}`);
  }

  onWritable(): void {
    if (this.#isOver) return;
    const stream = this.#stream;
    const { upTrailer } = this.#plan;
    const sent = stream.sendData(this.#rest, 0, this.#rest.length, !upTrailer);
    this.#rest = this.#rest.subarray(sent);
    if (this.#rest.length > 0 || stream.isLocallyEnded) return;
    const writer = stream.beginHead(HEAD_ROOM);
    this.#connection.encoder.field(writer, 'x-up', 'sent');
    stream.endHead(true);
  }

  #mayCancel(): void {
    const { cancelAt } = this.#plan;
    if (cancelAt === null || this.#taken < cancelAt || this.#isOver) return;
    this.#stream.reset(8);
    this.#over('cancelled');
  }

  #over(outcome: Outcome | string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream.release();
    this.#resolve(outcome);
  }
}

/** `connection` is set by whoever makes it. */
export class ClientOwner implements Http2Owner {
  connection: Http2Connection | null = null;
  fault: Http2Fault | null = null;
  readonly streamFaults: Http2Fault[] = [];
  goAway: number | null = null;
  settings = 0;

  onRequest(): void {
    throw new Error('a client was asked');
  }

  onSettings(): void {
    this.settings += 1;
  }

  onGoAway(code: number): void {
    this.goAway = code;
  }

  onPong(): void {}

  onStreamFault(fault: Http2Fault): void {
    this.streamFaults.push(fault);
  }

  onConnectionFault(fault: Http2Fault): void {
    this.fault = fault;
  }
}
