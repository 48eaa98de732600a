import type { Frame } from '../wire/h2/frames.ts';
import { END_HEADERS, END_STREAM, PADDED, WITH_PRIORITY } from '../wire/h2/frames.ts';
import { PlainDecoder } from '../wire/hpack/plain-decoder.ts';

/**
 * RFC 9113 section 8 by regular expressions, at its strictest: what a peer may get from this proxy and nothing else.
 * An oracle of its own; of the engine it has not even the numbers.
 */
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const PUSH_PROMISE = 5;
const GOAWAY = 7;
const CONTINUATION = 9;
const MOST_FRAME_BYTES = 16_384;

const NAME = /^:?[!#$%&'*+.^_`|~0-9a-z-]+$/;
const VALUE = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/;
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const PATH = /^(?:\/[!"$->@-[\]-~]*(?:\?[!"$-~]*)?|\*)$/;
const AUTHORITY = /^(?:[A-Za-z0-9_~.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?$/;
const LENGTH = /^(?:0|[1-9][0-9]{0,14})$/;
/** Section 8.2.2, and Host, which `:authority` has the place of. */
const FORBIDDEN =
  /^(?:connection|proxy-connection|keep-alive|transfer-encoding|upgrade|http2-settings|host|trailer): /;
/** RFC 9110 section 6.5.1. */
const NOT_IN_TRAILER = /^(?:content-length|host|te|expect|cookie|authorization|content-type|set-cookie): /;

export interface Http2Message {
  readonly interims: string[][];
  readonly pseudo: Map<string, string>;
  fields: string[];
  body: string;
  trailer: string[];
  /** END_STREAM has come. */
  isEnded: boolean;
  resetCode: number | null;
}

/** Takes frames in order; throws at the first that says something that is not in order. */
export class StrictHttp2 {
  readonly messages = new Map<number, Http2Message>();
  goAwayCode: number | null = null;
  readonly #role: 'request' | 'response';
  /** Whether the request on this stream was HEAD. */
  readonly #isHead: (id: number) => boolean;
  readonly #decoder = new PlainDecoder(4096);
  #gathering = 0;
  #block: Buffer[] = [];
  #endsStream = false;
  #lastId = 0;

  constructor(role: 'request' | 'response', isHead: (id: number) => boolean = () => false) {
    this.#role = role;
    this.#isHead = isHead;
  }

  take({ type, flags, id, payload }: Frame): void {
    if (payload.length > MOST_FRAME_BYTES) throw new Error(`a frame of ${payload.length} bytes`);
    if (this.#gathering !== 0 && (type !== CONTINUATION || id !== this.#gathering))
      throw new Error('a frame within a head');
    switch (type) {
      case HEADERS:
        if ((flags & (PADDED | WITH_PRIORITY)) !== 0) throw new Error('padding or priority');
        this.#gathering = id;
        this.#block = [payload];
        this.#endsStream = (flags & END_STREAM) !== 0;
        if ((flags & END_HEADERS) !== 0) this.#head();
        return;
      case CONTINUATION:
        if (this.#gathering === 0) throw new Error('a continuation of nothing');
        this.#block.push(payload);
        if ((flags & END_HEADERS) !== 0) this.#head();
        return;
      case DATA: {
        const message = this.#open(id);
        if (message.fields.length === 0 && message.pseudo.size === 0) throw new Error('data before a head');
        message.body += payload.toString('latin1');
        if ((flags & END_STREAM) !== 0) this.#end(id, message);
        return;
      }
      case RST_STREAM: {
        const message = this.messages.get(id);
        if (message !== undefined) message.resetCode = payload.readUInt32BE(0);
        else if (this.#role === 'request') throw new Error(`a reset of stream ${id}, which nobody opened`);
        else this.#begin(id).resetCode = payload.readUInt32BE(0);
        return;
      }
      case PUSH_PROMISE:
        throw new Error('a push');
      case GOAWAY:
        this.goAwayCode = payload.readUInt32BE(4);
        return;
      default:
    }
  }

  #begin(id: number): Http2Message {
    const message: Http2Message = {
      interims: [],
      pseudo: new Map(),
      fields: [],
      body: '',
      trailer: [],
      isEnded: false,
      resetCode: null,
    };
    this.messages.set(id, message);
    return message;
  }

  #open(id: number): Http2Message {
    const message = this.messages.get(id);
    if (message === undefined) throw new Error(`data on stream ${id}, which nobody opened`);
    if (message.isEnded || message.resetCode !== null) throw new Error(`more on stream ${id}, which is over`);
    return message;
  }

  #head(): void {
    const id = this.#gathering;
    this.#gathering = 0;
    const lines = this.#decoder.decode(Buffer.concat(this.#block));
    if (lines === null) throw new Error('no HPACK');
    const split = lines.findIndex((line) => !line.startsWith(':'));
    const count = split === -1 ? lines.length : split;
    const pseudo = new Map(lines.slice(0, count).map((line) => pairOf(line)));
    const fields = lines.slice(count);
    if (pseudo.size < count) throw new Error(`a pseudo field twice: ${lines.join(' | ')}`);
    for (const line of lines) {
      const [name, value] = pairOf(line);
      if (!NAME.test(name)) throw new Error(`name ${JSON.stringify(name)}`);
      if (!VALUE.test(value)) throw new Error(`value of ${name}: ${JSON.stringify(value)}`);
    }
    for (const field of fields) {
      if (field.startsWith(':')) throw new Error(`misplaced ${field}`);
      if (FORBIDDEN.test(field)) throw new Error(`of a connection: ${field}`);
      if (field.startsWith('te: ') && field !== 'te: trailers') throw new Error(field);
    }
    const known = this.messages.get(id);
    if (known !== undefined && (known.isEnded || known.resetCode !== null))
      throw new Error(`a head on stream ${id}, which is over`);
    if (known !== undefined && known.pseudo.size > 0) this.#trailer(id, known, pseudo, fields);
    else if (this.#role === 'request') this.#request(id, pseudo, fields);
    else this.#response(id, known ?? this.#begin(id), pseudo, fields);
  }

  #request(id: number, pseudo: Map<string, string>, fields: string[]): void {
    if (id % 2 === 0 || id <= this.#lastId) throw new Error(`stream ${id} after ${this.#lastId}`);
    this.#lastId = id;
    const message = this.#begin(id);
    for (const [name, value] of pseudo) message.pseudo.set(name, value);
    message.fields = fields;
    const method = pseudo.get(':method') ?? '';
    if (!METHOD.test(method)) throw new Error(`method ${method}`);
    if (!PATH.test(pseudo.get(':path') ?? '')) throw new Error(`path ${pseudo.get(':path')}`);
    if (!/^https?$/.test(pseudo.get(':scheme') ?? '')) throw new Error(`scheme ${pseudo.get(':scheme')}`);
    const authority = pseudo.get(':authority');
    if (authority !== undefined && !AUTHORITY.test(authority)) throw new Error(`authority ${authority}`);
    const protocol = pseudo.get(':protocol');
    if ((method === 'CONNECT') !== (protocol === 'websocket')) throw new Error(`${method} for ${protocol}`);
    const most = (authority === undefined ? 3 : 4) + (protocol === undefined ? 0 : 1);
    if (pseudo.size !== most) throw new Error(`pseudo fields ${[...pseudo.keys()].join(' ')}`);
    lengthOf(fields);
    if (this.#endsStream) this.#end(id, message);
  }

  #response(id: number, message: Http2Message, pseudo: Map<string, string>, fields: string[]): void {
    const status = pseudo.get(':status') ?? '';
    if (pseudo.size !== 1 || !/^[1-5][0-9]{2}$/.test(status) || status === '101')
      throw new Error(`status ${status} of ${[...pseudo.keys()].join(' ')}`);
    const length = lengthOf(fields);
    if (/^1|^204/.test(status) && length !== null) throw new Error(`${status} with a length`);
    if (status.startsWith('1')) {
      if (this.#endsStream) throw new Error('an interim answer that ends the stream');
      message.interims.push([status, ...fields]);
      return;
    }
    message.pseudo.set(':status', status);
    message.fields = fields;
    if (this.#endsStream) this.#end(id, message);
  }

  #trailer(id: number, message: Http2Message, pseudo: Map<string, string>, fields: string[]): void {
    if (pseudo.size > 0) throw new Error('pseudo fields in a trailer');
    if (!this.#endsStream) throw new Error('a trailer that does not end its stream');
    for (const field of fields) if (NOT_IN_TRAILER.test(field)) throw new Error(`in a trailer: ${field}`);
    message.trailer = fields;
    this.#end(id, message);
  }

  #end(id: number, message: Http2Message): void {
    message.isEnded = true;
    const length = lengthOf(message.fields);
    const status = message.pseudo.get(':status');
    const isBodiless = status === '204' || status === '304' || (status !== undefined && this.#isHead(id));
    if (isBodiless && message.body !== '') throw new Error(`a body where there can be none: ${message.body}`);
    if (!isBodiless && length !== null && length !== message.body.length)
      throw new Error(`content-length ${length} and ${message.body.length} bytes`);
  }
}

function pairOf(line: string): [string, string] {
  const at = line.indexOf(': ', 1);
  return [line.slice(0, at), line.slice(at + 2)];
}

function lengthOf(fields: readonly string[]): number | null {
  const lengths = fields.filter((field) => field.startsWith('content-length: '));
  if (lengths.length > 1) throw new Error(`lengths: ${lengths.join(' | ')}`);
  if (lengths.length === 0) return null;
  const value = lengths[0]!.slice('content-length: '.length);
  if (!LENGTH.test(value)) throw new Error(`length ${value}`);
  return Number(value);
}
