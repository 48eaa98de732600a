import type { ChunkedDecoder } from '../../wire/http1/chunked-decoder.ts';
import type { Context } from '../context.ts';
import { HeadReader } from '../head-reader.ts';
import { AnswerFraming } from './answer-framing.ts';
import type { ClientConnection } from './client-connection.ts';
import { ClientPace } from './client-pace.ts';
import { Exchange } from './exchange.ts';

/**
 * What a client's connection needs while it is not idle: taken with the first byte of a request, given back when its
 * answer has left. So an idle connection holds little, and new connections make nothing.
 */
export class ClientWork extends ClientPace {
  readonly exchange: Exchange;
  readonly reader: HeadReader;
  /** Of the answer to the request at hand. */
  readonly framing = new AnswerFraming();
  chunked: ChunkedDecoder | null = null;

  /** What the client has sent ahead of the answers it waits for. */
  stash: Buffer | null = null;
  stashLength = 0;

  constructor(context: Context) {
    super();
    this.exchange = new Exchange(context);
    this.reader = new HeadReader(context.requestHeads);
  }

  /** For another connection. */
  begin(client: ClientConnection): void {
    this.exchange.serve(client);
    this.written = 0;
    this.taking.reset(0);
  }

  keep(bytes: Buffer, from: number, end: number, isOurs: boolean): void {
    if (isOurs && this.stash === null) {
      this.stash = bytes.subarray(from, end);
      this.stashLength = end - from;
      return;
    }
    const wanted = this.stashLength + end - from;
    if (this.stash === null || this.stash.length < wanted) {
      const larger = Buffer.allocUnsafe(wanted * 2);
      this.stash?.copy(larger, 0, 0, this.stashLength);
      this.stash = larger;
    }
    bytes.copy(this.stash, this.stashLength, from, end);
    this.stashLength = wanted;
  }

  takeStash(): Buffer | null {
    const stash = this.stash === null ? null : this.stash.subarray(0, this.stashLength);
    this.dropStash();
    return stash;
  }

  dropStash(): void {
    this.stash = null;
    this.stashLength = 0;
  }
}
