import type { SocketStream } from '../../os/socket-stream.ts';
import { READ_BYTES } from '../../os/socket-stream.ts';
import { CRLF, chunkLine, LAST_CHUNK, MessageWriter } from '../../wire/http1/writer.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { ByteSource } from '../byte-source.ts';
import { writeTrailer } from '../trailer.ts';
import type { BodyKind } from '../upstream/upstream-user.ts';
import type { ClientWork } from './client-work.ts';
import type { AnswerAdditions, LocalAnswer } from './downstream.ts';
import { writeLocalAnswer } from './local-answer.ts';
import type { Output, OutputOwner } from './output.ts';
import { COALESCED_BYTES, GREATEST_HEAD_BYTES, OUTPUT_BYTES } from './output.ts';
import { writeInterimHead, writeResponseHead } from './response-head.ts';

/** The half of a client's HTTP/1.1 connection that answers: heads and bodies to bytes, several in one write. */
export abstract class AnsweringConnection implements OutputOwner {
  readonly stream: SocketStream;
  /** After the current answer the connection may serve another request. */
  keepAlive = true;
  /** The client does not take what it is sent as fast as it comes. */
  isBlocked = false;
  protected readonly output: Output;

  constructor(output: Output, stream: SocketStream) {
    this.output = output;
    this.stream = stream;
  }

  protected abstract readonly isClosed: boolean;
  /** What a connection has that is not idle. */
  protected abstract begun(): ClientWork;
  /** A write is not done. */
  protected abstract block(): void;
  /** Bytes of an upgraded connection go to the client. */
  protected abstract tunnelMoved(): void;

  /** Room for at least a head of the greatest size, `more` beside it and the body that one read brings. */
  protected writer(more = 0): MessageWriter {
    return this.output.withRoom(this, GREATEST_HEAD_BYTES + READ_BYTES + more);
  }

  sendInterim(head: MessageHead): void {
    if (this.begun().framing.is11) writeInterimHead(this.writer(), head);
  }

  sendHead(head: MessageHead, body: BodyKind, isHead: boolean, additions: AnswerAdditions): void {
    const { framing } = this.begun();
    framing.begin(body);
    if (framing.toClose) this.keepAlive = false;
    const options = framing.options(head, body, isHead, this.keepAlive, additions);
    writeResponseHead(this.writer(additions.headers?.added.length), head, options);
  }

  sendLocal(answer: LocalAnswer): number {
    const { keepAlive } = this;
    const keepAlive10 = keepAlive && !this.begun().framing.is11;
    return writeLocalAnswer(this.writer(), answer, { close: !keepAlive, keepAlive10 });
  }

  /** Framed anew. */
  sendBody(bytes: Buffer, start: number, end: number, source: ByteSource): void {
    const size = end - start;
    const work = this.begun();
    const { chunked } = work.framing;
    // Memory that is shared would have to be copied anyway, so it is copied to where no new memory is needed.
    if ((size <= COALESCED_BYTES || source.isShared(bytes)) && !this.isBlocked) {
      const writer = this.writer();
      if (chunked) writer.latin1(`${size.toString(16)}\r\n`);
      writer.bytes(bytes, start, end);
      if (chunked) writer.crlf();
      return;
    }
    this.flush();
    const piece = source.lasting(bytes, start, end);
    work.written += size;
    const done = chunked ? this.stream.writeAll([chunkLine(size), piece, CRLF]) : this.stream.write(piece);
    if (done) return;
    if (this.stream.keepsMemory) source.give(bytes);
    this.block();
  }

  sendEnd(trailer: MessageHead | null): void {
    if (!this.begun().framing.chunked) return;
    this.writer().all(trailer === null ? LAST_CHUNK : writeTrailer(trailer));
  }

  sendTunnel(bytes: Buffer, start: number, end: number, source: SocketStream): void {
    this.tunnelMoved();
    source.ownIfLarge(end - start);
    if (source.isShared(bytes) && !this.isBlocked) {
      this.writer().bytes(bytes, start, end);
      return;
    }
    this.flush();
    this.begun().written += end - start;
    if (!this.stream.write(source.lasting(bytes, start, end))) {
      if (this.stream.keepsMemory) source.give(bytes);
      this.block();
    }
  }

  flush(): void {
    const output = this.output;
    if (output.owner !== this) return;
    const writer = output.writer;
    const length = writer.length;
    output.owner = null;
    if (length === 0) return;
    if (this.isClosed) {
      writer.length = 0;
      return;
    }
    this.begun().written += length;
    if (this.stream.writing || !this.stream.isDirect) {
      const done = this.stream.write(Buffer.from(writer.block.subarray(0, length)));
      writer.length = 0;
      if (!done) this.block();
      return;
    }
    if (this.stream.write(writer.written)) {
      writer.length = 0;
      return;
    }
    output.writer = new MessageWriter(OUTPUT_BYTES);
    this.block();
  }
}
