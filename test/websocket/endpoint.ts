import { isUtf8 } from 'node:buffer';
import type { DeflateParameters } from './deflate.ts';
import { Deflation } from './deflate.ts';
import type { Frame, FrameStart } from './frame.ts';
import { BINARY, brief, CLOSE, CONTINUATION, encodeFrame, FrameReader, PING, PONG, TEXT } from './frame.ts';

export interface EndpointOptions {
  readonly role: 'client' | 'server';
  /** Sends back each message, answers pings and closes, fails as the RFC says; otherwise it only listens. */
  readonly echoes: boolean;
  readonly deflate: DeflateParameters | null;
  readonly mostMessageBytes: number;
  send(bytes: Buffer): void;
  end(): void;
}

const CONTROL = 8;
const NO_BYTES = Buffer.alloc(0);
const NAMES: Readonly<Record<number, string>> = {
  [TEXT]: 'text',
  [BINARY]: 'binary',
  [PING]: 'ping',
  [PONG]: 'pong',
};

/** Fails the connection with this code (RFC 6455 section 7.1.7). */
class Failure extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`fails with ${code}`);
    this.code = code;
  }
}

/** A strict endpoint of RFC 6455 and RFC 7692; `events` is what it has seen. */
export class Endpoint {
  readonly events: string[] = [];
  readonly #options: EndpointOptions;
  readonly #reader = new FrameReader();
  readonly #inbound: Deflation | null;
  readonly #outbound: Deflation | null;
  #fragments: Buffer[] = [];
  #fragmentBytes = 0;
  /** Of the message that is under way; 0: none is. */
  #opcode = 0;
  #isCompressed = false;
  /** It has failed, or said goodbye: nothing that comes is looked at. */
  #isOver = false;
  #masks = 0;

  constructor(options: EndpointOptions) {
    this.#options = options;
    const { deflate, role } = options;
    this.#inbound = deflate === null ? null : Deflation.of(deflate, role === 'client' ? 'server' : 'client');
    this.#outbound = deflate === null ? null : Deflation.of(deflate, role);
  }

  receive(bytes: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#reader.push(bytes);
      while (!this.#isOver) {
        const frame = this.#reader.next((start) => this.#check(start));
        if (frame === null) return;
        this.#frame(frame);
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.events.push(`fails ${error.code}`);
      const code = Buffer.alloc(2);
      code.writeUInt16BE(error.code);
      this.#close(code);
    }
  }

  /** The peer has ended its half. */
  ended(): void {
    this.events.push(this.#reader.isInside && !this.#isOver ? 'ends within a frame' : 'ends');
    if (this.#options.echoes && !this.#isOver) this.#options.end();
  }

  /** Its own mask keys follow each other, so that two runs send the same bytes. */
  send(opcode: number, payload: Buffer, isCompressed = false): void {
    let mask: Buffer | null = null;
    if (this.#options.role === 'client') {
      mask = Buffer.alloc(4);
      this.#masks += 1;
      mask.writeUInt32BE((this.#masks * 2_654_435_761) >>> 0);
    }
    this.#options.send(encodeFrame({ fin: true, rsv: isCompressed ? 4 : 0, opcode, mask, payload }));
  }

  #close(payload: Buffer): void {
    this.#isOver = true;
    if (!this.#options.echoes) return;
    this.send(CLOSE, payload);
    this.#options.end();
  }

  /** Before the payload has come. */
  #check({ fin, rsv, opcode, isMasked, length }: FrameStart): void {
    if (isMasked !== (this.#options.role === 'server')) throw new Failure(1002);
    if (opcode > BINARY && (opcode < CLOSE || opcode > PONG)) throw new Failure(1002);
    const isControl = opcode >= CONTROL;
    if (isControl && (!fin || length > 125n)) throw new Failure(1002);
    const mayCompress = this.#inbound !== null && (opcode === TEXT || opcode === BINARY);
    if ((rsv & 3) !== 0 || (rsv !== 0 && !mayCompress)) throw new Failure(1002);
    if (length >= 1n << 63n) throw new Failure(1002);
    if (!isControl && (opcode === CONTINUATION) !== (this.#opcode !== 0)) throw new Failure(1002);
    if (BigInt(this.#fragmentBytes) + length > BigInt(this.#options.mostMessageBytes))
      throw new Failure(1009);
  }

  #frame({ fin, rsv, opcode, payload }: Frame): void {
    if (opcode === CLOSE) {
      this.#closed(payload);
      return;
    }
    if (opcode >= CONTROL) {
      this.events.push(`${NAMES[opcode]} ${brief(payload)}`);
      if (opcode === PING && this.#options.echoes) this.send(PONG, payload);
      return;
    }
    if (opcode !== CONTINUATION) {
      this.#opcode = opcode;
      this.#isCompressed = rsv !== 0;
    }
    this.#fragments.push(payload);
    this.#fragmentBytes += payload.length;
    if (fin) this.#message();
  }

  #message(): void {
    const opcode = this.#opcode;
    let message = this.#fragments.length === 1 ? this.#fragments[0]! : Buffer.concat(this.#fragments);
    this.#fragments = [];
    this.#fragmentBytes = 0;
    this.#opcode = 0;
    if (this.#isCompressed) message = this.#inflated(message);
    if (opcode === TEXT && !isUtf8(message)) throw new Failure(1007);
    this.events.push(`${NAMES[opcode]} ${brief(message)}`);
    if (!this.#options.echoes) return;
    if (this.#isCompressed) this.send(opcode, this.#outbound!.compress(message), true);
    else this.send(opcode, message);
  }

  #inflated(payload: Buffer): Buffer {
    try {
      return this.#inbound!.decompress(payload, this.#options.mostMessageBytes);
    } catch (error) {
      throw new Failure((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 1009 : 1007);
    }
  }

  #closed(payload: Buffer): void {
    if (payload.length === 1) throw new Failure(1002);
    const code = payload.length === 0 ? 1005 : payload.readUInt16BE(0);
    const reason = payload.length === 0 ? NO_BYTES : payload.subarray(2);
    if (payload.length > 0 && !isCode(code)) throw new Failure(1002);
    if (!isUtf8(reason)) throw new Failure(1007);
    this.events.push(`close ${code} ${brief(reason)}`);
    this.#close(payload.subarray(0, 2));
  }
}

/** Codes that may stand in a Close frame (RFC 6455 section 7.4, and the registry of IANA). */
function isCode(code: number): boolean {
  if (code >= 3000 && code < 5000) return true;
  return code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
}
