import type { HttpSettings } from '../../../src/model/http-settings.ts';
import { HTTP_DEFAULTS } from '../../../src/model/http-settings.ts';
import {
  CHUNK_DATA,
  CHUNK_END,
  CHUNK_FAILED,
  ChunkedDecoder,
  RESPONSE_CHUNKS,
} from '../../../src/wire/http1/chunked-decoder.ts';
import type { Fault } from '../../../src/wire/http1/fault.ts';
import { NO_LENGTH } from '../../../src/wire/http1/framing.ts';
import {
  HEAD_FAILED,
  HEAD_MORE,
  HeadParser,
  latin1,
  RESPONSE_HEADS,
} from '../../../src/wire/http1/head-parser.ts';
import { RequestTarget } from '../../../src/wire/http1/target.ts';

/** A message in plain values, for comparing readers. */
export interface Message {
  /** `GET /x 1.1` or `1.1 200 OK` */
  readonly start: string;
  /** `name: value`, as spelled, in order. */
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailer: readonly string[];
  readonly keepAlive: boolean;
}

export type Ending =
  /** Nothing is left. */
  | 'clean'
  /** A message has begun and is not whole. */
  | 'more'
  /** The last message ends the connection, or asks for another protocol. */
  | 'closed'
  | Fault;

export interface Reading {
  readonly messages: readonly Message[];
  readonly ending: Ending;
  /** Offset of the first byte that belongs to no whole message. */
  readonly consumed: number;
}

export type Role = 'request' | 'response';

export interface ReadOptions {
  readonly settings?: HttpSettings;
  /** Where reads end. */
  readonly cuts?: readonly number[];
  /** Of the requests that a stream of responses answers, in order; GET where there are none left. */
  readonly methods?: readonly string[];
}

function text(head: HeadParser, count: number): string[] {
  return Array.from({ length: count }, (_, field) => `${head.name(field)}: ${head.value(field)}`);
}

function startOf(head: HeadParser): string {
  const version = `1.${head.version - 10}`;
  return head.role === 'request'
    ? `${head.text(head.methodStart, head.methodEnd)} ${head.text(head.targetStart, head.targetEnd)} ${version}`
    : `${version} ${head.status} ${head.text(head.reasonStart, head.reasonEnd)}`;
}

const IN_HEAD = 0;
const IN_LENGTH = 1;
const IN_CHUNKS = 2;
const TO_END = 3;

/** What a connection makes of `bytes` with our codec, one read after another: the messages and how it ends. */
export class StreamReader {
  readonly messages: Message[] = [];
  ending: Ending | null = null;
  consumed = 0;
  readonly #role: Role;
  readonly #settings: HttpSettings;
  readonly #methods: readonly string[];
  readonly #head: HeadParser;
  readonly #target = new RequestTarget();
  readonly #decoder = new ChunkedDecoder();
  #state = IN_HEAD;
  #headStart = 0;
  #at = 0;
  #left = 0;
  #answers = 0;
  #start = '';
  #fields: string[] = [];
  #body: string[] = [];
  #keepAlive = true;
  #stops = false;

  constructor(role: Role, options: ReadOptions = {}) {
    this.#role = role;
    this.#settings = options.settings ?? HTTP_DEFAULTS;
    this.#methods = options.methods ?? [];
    this.#head = new HeadParser(role);
    this.#startHead();
  }

  /** `bytes[0, end)` are all that came so far. */
  read(bytes: Buffer, end: number): void {
    while (this.ending === null && this.#at < end) {
      if (this.#state === IN_HEAD) this.#readHead(bytes, end);
      else if (this.#state === IN_CHUNKS) this.#readChunks(bytes, end);
      else {
        const take = this.#state === TO_END ? end - this.#at : Math.min(this.#left, end - this.#at);
        this.#body.push(latin1(bytes, this.#at, this.#at + take));
        this.#at += take;
        this.#left -= take;
        if (this.#state === IN_LENGTH && this.#left === 0) this.#finish([]);
      }
    }
  }

  /** No more will come. */
  end(): Reading {
    if (this.ending === null && this.#state === TO_END) this.#finish([]);
    this.ending ??=
      this.#state === IN_HEAD && (this.#at === this.#headStart || this.#head.untouched) ? 'clean' : 'more';
    return { messages: this.messages, ending: this.ending, consumed: this.consumed };
  }

  #startHead(): void {
    this.#state = IN_HEAD;
    this.#headStart = this.#at;
    this.#head.reset(this.#role === 'request' ? this.#settings : RESPONSE_HEADS);
  }

  #readHead(bytes: Buffer, end: number): void {
    const head = this.#head;
    const result = head.parse(bytes, this.#headStart, end);
    if (result === HEAD_MORE) {
      this.#at = end;
      return;
    }
    if (result === HEAD_FAILED) {
      this.ending = head.fault!;
      return;
    }
    this.#at = this.#headStart + head.length;
    const { framing } = head;
    if (this.#role === 'request') {
      // The proxy answers 405 and closes.
      const isConnect = head.text(head.methodStart, head.methodEnd) === 'CONNECT';
      const fault = isConnect ? 'closed' : this.#target.read(head, this.#settings.path);
      if (fault !== null) {
        this.ending = fault;
        return;
      }
    }
    this.#start = startOf(head);
    this.#fields = text(head, head.fieldCount);
    this.#body = [];
    this.#keepAlive = framing.keepAlive;
    const hasBody = framing.chunked || framing.contentLength > 0;
    this.#stops = !framing.keepAlive || (framing.upgrade && !hasBody);
    if (this.#role === 'response' && !this.#answerBody(head)) return;
    if (framing.chunked) {
      const limits = this.#role === 'request' ? this.#settings.limits : RESPONSE_CHUNKS;
      this.#decoder.reset(limits);
      this.#state = IN_CHUNKS;
    } else if (framing.contentLength > 0) {
      this.#state = IN_LENGTH;
      this.#left = framing.contentLength;
    } else if (this.#role === 'response' && framing.contentLength === NO_LENGTH) {
      this.#state = TO_END;
      this.#keepAlive = false;
      this.#stops = true;
    } else this.#finish([]);
  }

  /** False where the answer at hand has no body by its kind, and is done. */
  #answerBody(head: HeadParser): boolean {
    const { status } = head;
    if (status < 200) {
      this.#keepAlive = true;
      this.#stops = status === 101;
      this.#finish([]);
      return false;
    }
    const method = this.#methods[this.#answers] ?? 'GET';
    this.#answers += 1;
    if (method !== 'HEAD' && status !== 204 && status !== 304) return true;
    this.#finish([]);
    return false;
  }

  #readChunks(bytes: Buffer, end: number): void {
    const decoder = this.#decoder;
    const result = decoder.next(bytes, this.#at, end);
    this.#at = decoder.position;
    if (result === CHUNK_DATA) this.#body.push(latin1(bytes, decoder.dataStart, decoder.dataEnd));
    else if (result === CHUNK_FAILED) this.ending = decoder.fault!;
    else if (result === CHUNK_END)
      this.#finish(decoder.trailer === null ? [] : text(decoder.trailer, decoder.trailer.fieldCount));
  }

  #finish(trailer: readonly string[]): void {
    this.messages.push({
      start: this.#start,
      fields: this.#fields,
      body: this.#body.join(''),
      trailer,
      keepAlive: this.#keepAlive,
    });
    this.consumed = this.#at;
    if (this.#stops) this.ending = 'closed';
    else this.#startHead();
  }
}

/** Reads `bytes` in pieces that end at the cuts. */
export function readStream(role: Role, bytes: Buffer, options: ReadOptions = {}): Reading {
  const reader = new StreamReader(role, options);
  const cuts = (options.cuts ?? []).filter((cut) => cut < bytes.length).sort((a, b) => a - b);
  for (const cut of cuts) reader.read(bytes, cut);
  reader.read(bytes, bytes.length);
  return reader.end();
}
