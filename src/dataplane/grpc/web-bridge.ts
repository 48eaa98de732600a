import { Base64Decoder, Base64Encoder } from '../../wire/grpc/base64.ts';
import { GRPC_WEB_TEXT, messageFormat } from '../../wire/grpc/content-type.ts';
import { MessageBoundary } from '../../wire/grpc/message-boundary.ts';
import { encodeWebTrailers } from '../../wire/grpc/web-trailers.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { HeaderPlan } from '../filters/header-plan.ts';
import { NOT_IN_TRAILER } from '../trailer.ts';

const NO_CHANGES: HeaderPlan = { dropped: new Set(), added: Buffer.alloc(0) };
const NOTHING = Buffer.alloc(0);

/**
 * A call of gRPC-Web as gRPC has it, and its answer as a browser can read it (gRPC-Web, Protocol differences).
 *
 *     browser                                              backend
 *     application/grpc-web[-text]+proto  ──── head ─────>  application/grpc+proto
 *     messages [in base64]               ──── body ─────>  messages
 *     application/grpc-web[-text]+proto  <─── head ──────  application/grpc+proto
 *     messages [in base64]               <─── body ──────  messages
 *     a last message of trailers         <─ trailers ────  trailers
 */
export class WebBridge {
  /** Of the request towards the backend. */
  readonly contentType: string;
  /** The body comes in base64: its length is not the one that the head announces. */
  readonly isText: boolean;
  readonly #answerType: string;
  readonly #decoder: Base64Decoder | null;
  readonly #encoder: Base64Encoder | null;
  readonly #boundary = new MessageBoundary();

  constructor(head: MessageHead, kind: number) {
    const format = messageFormat(head.combined('content-type')!);
    this.contentType = `application/grpc${format}`;
    this.isText = kind === GRPC_WEB_TEXT;
    const accepted = head.combined('accept') ?? '';
    // What is accepted counts where it says which of the two; else the answer is as the request.
    const wantsText = /application\/grpc-web-text/i.test(accepted);
    const wantsBinary = /application\/grpc-web(?!-text)/i.test(accepted);
    const answersText = wantsText || (this.isText && !wantsBinary);
    this.#answerType = `application/grpc-web${answersText ? '-text' : ''}${format}`;
    this.#decoder = this.isText ? new Base64Decoder() : null;
    this.#encoder = answersText ? new Base64Encoder() : null;
  }

  /** Of an answer of ours. */
  get answerType(): string {
    return this.#answerType;
  }

  /** A piece of the request's body, where that is text, as the backend gets it; null: it is no base64. */
  decode(bytes: Buffer, start: number, end: number): Buffer | null {
    return this.#decoder!.decode(bytes, start, end);
  }

  /** The request may end here. */
  get isRequestWhole(): boolean {
    return this.#decoder === null || this.#decoder.isWhole;
  }

  /** `plan` with what the bridge changes of the answer's head. */
  answerPlan(plan: HeaderPlan | null): HeaderPlan {
    const { dropped, added } = plan ?? NO_CHANGES;
    return {
      dropped: new Set([...dropped, 'content-type']),
      added: Buffer.concat([added, Buffer.from(`content-type: ${this.#answerType}\r\n`, 'latin1')]),
    };
  }

  /** A piece of the answer's body as the browser gets it; null: as it is. */
  encode(bytes: Buffer, start: number, end: number): Buffer | null {
    this.#boundary.follow(bytes, start, end);
    if (this.#encoder === null) return null;
    // Each message can be read when it is there, not only when the next one comes.
    return this.#encoder.encode(bytes, start, end, this.#boundary.isBetween);
  }

  /** Another message may follow. */
  get isBetweenMessages(): boolean {
    return this.#boundary.isBetween && !this.#boundary.isFaulty;
  }

  /** What ends the answer's body. */
  trailers(trailer: MessageHead | null): Buffer {
    if (trailer === null) return NOTHING;
    const fields: [string, string][] = [];
    for (let field = 0; field < trailer.fieldCount; field += 1)
      if (NOT_IN_TRAILER[trailer.ids[field]!] === 0) fields.push([trailer.name(field), trailer.value(field)]);
    const frame = encodeWebTrailers(fields);
    return this.#encoder === null ? frame : this.#encoder.encode(frame, 0, frame.length, true);
  }
}
