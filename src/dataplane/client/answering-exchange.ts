import type { ResponseReason } from '../../model/response-reason.ts';
import { RESPONSE_REASONS } from '../../model/response-reason.ts';
import type { Http2Fault } from '../../wire/h2/http2-fault.ts';
import type { Fault } from '../../wire/http1/fault.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { Context } from '../context.ts';
import { GrpcCall } from '../grpc/grpc-call.ts';
import type { ServedListener } from '../served-listener.ts';
import type { Downstream } from './downstream.ts';
import { ExchangeRecord } from './exchange-record.ts';
import { faultReason } from './local-answer.ts';

/** The part of an exchange that needs no backend: it is counted, and answered by NovaEdge itself. */
export abstract class AnsweringExchange {
  isHead = false;
  protected readonly context: Context;
  /** Who asks, and the same as a caller of gRPC where it is one. */
  #asker!: Downstream;
  protected client!: Downstream;
  /** Null: it is no call of gRPC. */
  protected grpc: GrpcCall | null = null;
  protected readonly record = new ExchangeRecord();
  protected listener: ServedListener | null = null;
  protected active = false;

  constructor(context: Context) {
    this.context = context;
  }

  /** The client whose requests it is used for from now on. */
  serve(client: Downstream): void {
    this.#asker = client;
    this.client = client;
  }

  get isActive(): boolean {
    return this.active;
  }

  /** A call of gRPC: neither side need say anything for long, only deadlines end it. */
  get mayBeQuiet(): boolean {
    return this.grpc !== null;
  }

  /** Another request; that it is a call is to be found out. */
  protected forgetCall(): void {
    this.grpc = null;
    this.client = this.#asker;
  }

  /** As a call of gRPC, where it is one; `bridged`: of gRPC-Web. */
  protected recognize(head: MessageHead, bridged: boolean): void {
    const call = GrpcCall.of(this.#asker, head, bridged);
    if (call === null) return;
    this.grpc = call;
    this.client = call;
  }

  /** Null: of a request whose head could not be read. */
  protected abstract start(head: MessageHead | null): void;
  /** Nothing is asked of a backend any more. */
  protected abstract letGo(): void;
  protected abstract finish(): void;

  /** What exactly was wrong with what the client has sent. */
  blame(detail: Fault | Http2Fault): void {
    this.record.detail = detail;
  }

  /** A head that does not parse: answered, and the connection closed. */
  refuseFault(fault: Fault): void {
    if (!this.active) this.start(null);
    this.record.detail = fault;
    this.refuse(faultReason(fault));
  }

  refuse(reason: ResponseReason): void {
    if (!this.active) this.start(null);
    const listener = this.client.port.firstListener;
    if (this.listener === null && listener !== null) this.enter(listener);
    this.client.keepAlive = false;
    this.answer(reason);
  }

  /** Answers by itself. The request must not be on its way to a backend. */
  answer(reason: ResponseReason, status: number = RESPONSE_REASONS[reason], headers = ''): void {
    const client = this.client;
    this.record.status = this.grpc === null ? status : 200;
    this.record.reason = reason;
    this.letGo();
    this.count(reason);
    this.record.bytesOut = client.sendLocal({
      status,
      reason,
      isHead: this.isHead,
      detail: this.record.detail,
      headers:
        this.record.attempts > 1 ? `${headers}x-novaedge-attempts: ${this.record.attempts}\r\n` : headers,
    });
    // A request whose body is still to be passed over ends with its last byte.
    this.finish();
    client.answered();
  }

  protected enter(listener: ServedListener): void {
    this.listener = listener;
    this.record.enter(this.context, listener);
  }

  protected count(reason: ResponseReason): void {
    this.context.localResponses.add(reason);
  }
}
