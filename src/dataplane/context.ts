import type { ResponseReason } from '../model/response-reason.ts';
import type { System } from '../os/system.ts';
import type { HeldBytes } from '../wire/h2/held-bytes.ts';
import type { HeadParser } from '../wire/http1/head-parser.ts';
import type { MessageWriter } from '../wire/http1/writer.ts';
import type { AccessLog } from './access-log.ts';
import type { BuildTable } from './balance/hash-table.ts';
import type { ClientWork } from './client/client-work.ts';
import type { DataplaneNotification } from './control.ts';
import type { Counters, LabelledCounters } from './counters.ts';
import type { Faults } from './faults.ts';
import type { GrpcResponses } from './grpc/grpc-responses.ts';
import type { Http2ClientStream } from './http2/client-stream.ts';
import type { TurnEnd } from './http2/turn-end.ts';
import type { SharedLimits } from './limits.ts';
import type { RequestIds } from './request-id.ts';
import type { Timeouts } from './timeouts.ts';
import type { TimerWheel } from './timer-wheel.ts';
import type { TlsMaterial } from './tls/tls-material.ts';
import type { Xoshiro128 } from './xoshiro128.ts';

/** What everything on the path of a request in one worker has in common. */
export interface Context {
  /** Milliseconds of the monotonic clock, read once for each batch of bytes. */
  time: number;
  readonly system: System;
  readonly wheel: TimerWheel;
  readonly timeouts: Timeouts;
  readonly counters: Counters;
  readonly limits: SharedLimits;
  readonly requestIds: RequestIds;
  readonly random: Xoshiro128;
  readonly buildTable: BuildTable;
  readonly requestHeads: FreeList<HeadParser>;
  readonly responseHeads: FreeList<HeadParser>;
  readonly requestBlocks: FreeList<MessageWriter>;
  /** Of FRAME_BLOCK_BYTES. */
  readonly frameBlocks: FreeList<MessageWriter>;
  readonly turnEnd: TurnEnd;
  readonly clientWork: FreeList<ClientWork>;
  readonly clientStreams: FreeList<Http2ClientStream>;
  /** Bodies from HTTP/2 clients that backends do not take. */
  readonly heldBytes: HeldBytes;
  readonly accessLog: AccessLog | null;
  readonly faults: Faults;
  readonly tls: TlsMaterial;
  readonly notify: (notification: DataplaneNotification) => void;
  readonly grpcResponses: GrpcResponses;
  /** Answers of NovaEdge itself by reason. */
  readonly localResponses: LabelledCounters<ResponseReason>;
}

/** Objects that are used again, so that an idle connection does not hold them. */
export class FreeList<T> {
  readonly #free: T[] = [];
  readonly #create: () => T;
  readonly #most: number;

  constructor(most: number, create: () => T) {
    this.#most = most;
    this.#create = create;
  }

  take(): T {
    return this.#free.pop() ?? this.#create();
  }

  give(value: T): void {
    if (this.#free.length < this.#most) this.#free.push(value);
  }
}
