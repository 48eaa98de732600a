import { ABUSE_LIMITS } from './abuse-limits.ts';
import {
  FLAG,
  FRAME,
  GOAWAY_BYTES,
  LEAST_MAX_FRAME_BYTES,
  PING_BYTES,
  PRIORITY_BYTES,
  RST_STREAM_BYTES,
  read31,
  read32,
  SETTING_BYTES,
  WINDOW_UPDATE_BYTES,
} from './frame.ts';
import { type FrameHandler, FrameReader, PARTS, type PayloadWay, STOP, WHOLE } from './frame-reader.ts';
import { HeadFragments } from './head-fragments.ts';
import type { Http2Fault } from './http2-fault.ts';
import { WorkBudget } from './work-budget.ts';

/** What frames say, once their form has been found right. */
export interface FrameEvents {
  /** A DATA frame begins; `length` with its padding, which is what windows are about. */
  onDataFrame(streamId: number, length: number): void;
  /** So many bytes of it are content, of which none has come yet. */
  onDataContent(size: number): void;
  onDataBytes(bytes: Buffer, start: number, end: number): void;
  /** Of the DATA frame, so many bytes were padding. */
  onPadding(bytes: number): void;
  /** The DATA frame is over, and with it the stream. */
  onDataEnd(): void;
  /** A whole header block. */
  onHeadBlock(
    streamId: number,
    ended: boolean,
    isSelfDependent: boolean,
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
  onResetFrame(streamId: number, code: number): void;
  onSettingsFrame(bytes: Buffer, start: number, end: number): void;
  onSettingsAck(): void;
  onPing(payload: Buffer, start: number): void;
  onPingAck(payload: Buffer, start: number): void;
  onGoAwayFrame(lastStreamId: number, code: number): void;
  onWindowUpdate(streamId: number, bytes: number): void;
  /** The connection is at its end; calls `stop`. */
  onConnectionFault(fault: Http2Fault): void;
}

const PADDING_UNKNOWN = -1;

/** The form of the peer's frames (RFC 9113 sections 4 and 6), and that not too many come that say nothing. */
export class PeerFrames implements FrameHandler {
  /** The first SETTINGS have come. */
  isEstablished = false;
  readonly #events: FrameEvents;
  readonly #budget: WorkBudget;
  #tinyData: WorkBudget | null = null;
  readonly #reader = new FrameReader(this);
  readonly #fragments: HeadFragments;
  /** The last `receive` has brought the end of something that can be unfinished. */
  hasMoved = false;
  #isSelfDependent = false;
  #now = 0;
  /** Of the DATA frame at hand: bytes of content to come, and of padding. */
  #content = 0;
  #padding = 0;

  /** `mostHeadBytes`: of a header block as it travels. `budget`: for frames that carry nothing. */
  constructor(events: FrameEvents, budget: WorkBudget, mostHeadBytes: number) {
    this.#events = events;
    this.#budget = budget;
    this.#fragments = new HeadFragments(mostHeadBytes);
  }

  receive(bytes: Buffer, start: number, end: number, now: number): void {
    this.#now = now;
    this.hasMoved = false;
    this.#reader.receive(bytes, start, end);
  }

  /** A frame has begun and not ended, other than DATA, or a head has. */
  get isUnfinished(): boolean {
    return this.#fragments.streamId !== 0 || this.#reader.isPartial;
  }

  stop(): void {
    this.#reader.stop();
    this.#fragments.clear();
  }

  onFrame(length: number, type: number, flags: number, streamId: number): PayloadWay {
    if (type !== FRAME.CONTINUATION) this.hasMoved = true;
    if (length > LEAST_MAX_FRAME_BYTES) return this.#refuse('frame_too_large');
    if (!this.isEstablished) {
      if (type !== FRAME.SETTINGS || (flags & FLAG.ACK) !== 0) return this.#refuse('settings_missing');
      this.isEstablished = true;
    }
    const gathering = this.#fragments.streamId;
    if (gathering !== 0 && (type !== FRAME.CONTINUATION || streamId !== gathering))
      return this.#refuse('continuation_missing');
    switch (type) {
      case FRAME.DATA:
        return streamId === 0 ? this.#refuse('invalid_stream_id') : this.#beginData(length, flags, streamId);
      case FRAME.HEADERS:
        return streamId === 0 ? this.#refuse('invalid_stream_id') : WHOLE;
      case FRAME.CONTINUATION:
        return gathering === 0 ? this.#refuse('unexpected_continuation') : WHOLE;
      case FRAME.PRIORITY:
        return this.#fixed(length, PRIORITY_BYTES, streamId !== 0, 'priority_flood');
      case FRAME.RST_STREAM:
        // What it costs is counted by what it ends.
        return this.#fixed(length, RST_STREAM_BYTES, streamId !== 0, null);
      case FRAME.SETTINGS: {
        const isAck = (flags & FLAG.ACK) !== 0;
        const right = isAck ? 0 : length - (length % SETTING_BYTES);
        return this.#fixed(length, right, streamId === 0, 'settings_flood');
      }
      case FRAME.PUSH_PROMISE:
        return this.#refuse('unexpected_push_promise');
      case FRAME.PING:
        return this.#fixed(length, PING_BYTES, streamId === 0, 'ping_flood');
      case FRAME.GOAWAY: {
        const right = length < GOAWAY_BYTES ? GOAWAY_BYTES : length;
        return this.#fixed(length, right, streamId === 0, 'unknown_frame_flood');
      }
      case FRAME.WINDOW_UPDATE:
        return this.#fixed(length, WINDOW_UPDATE_BYTES, true, 'window_update_flood');
      default:
        // Unknown types are passed over (RFC 9113 section 4.1), but not for ever.
        return this.#mayCost(1, 'unknown_frame_flood') ? PARTS : STOP;
    }
  }

  onPayload(bytes: Buffer, start: number, end: number): void {
    const { type, flags, streamId } = this.#reader;
    const isAck = (flags & FLAG.ACK) !== 0;
    switch (type) {
      case FRAME.HEADERS:
        this.#onHeaders(bytes, start, end, flags, streamId);
        break;
      case FRAME.CONTINUATION:
        this.#onFragment(bytes, start, end, flags);
        break;
      case FRAME.PRIORITY:
        if (read31(bytes, start) === streamId) this.#events.onConnectionFault('self_dependency');
        break;
      case FRAME.RST_STREAM:
        this.#events.onResetFrame(streamId, read32(bytes, start));
        break;
      case FRAME.SETTINGS:
        if (isAck) this.#events.onSettingsAck();
        else if (
          this.#mayCost((end - start) / SETTING_BYTES / ABUSE_LIMITS.settingsPerFrame, 'settings_flood')
        )
          this.#events.onSettingsFrame(bytes, start, end);
        break;
      case FRAME.PING:
        if (isAck) this.#events.onPingAck(bytes, start);
        else this.#events.onPing(bytes, start);
        break;
      case FRAME.GOAWAY:
        this.#events.onGoAwayFrame(read31(bytes, start), read32(bytes, start + 4));
        break;
      default:
        this.#events.onWindowUpdate(streamId, read31(bytes, start));
    }
  }

  onPart(bytes: Buffer, start: number, end: number, left: number): void {
    const { type, flags, length } = this.#reader;
    if (type !== FRAME.DATA) return;
    let at = start;
    if (this.#padding === PADDING_UNKNOWN) {
      const padding = bytes[at]!;
      at += 1;
      if (padding >= length) {
        this.#events.onConnectionFault('invalid_padding');
        return;
      }
      this.#padding = padding;
      this.#content = length - 1 - padding;
      this.#events.onDataContent(this.#content);
      if (this.#content === 0 && (flags & FLAG.END_STREAM) === 0 && !this.#mayCost(1, 'empty_data_flood'))
        return;
    }
    const size = end - at < this.#content ? end - at : this.#content;
    if (size > 0) {
      this.#content -= size;
      this.#events.onDataBytes(bytes, at, at + size);
    }
    if (left > 0 || this.#reader.isStopped) return;
    if ((flags & FLAG.PADDED) !== 0) this.#events.onPadding(this.#padding + 1);
    if ((flags & FLAG.END_STREAM) !== 0) this.#events.onDataEnd();
  }

  #beginData(length: number, flags: number, streamId: number): PayloadWay {
    const isPadded = (flags & FLAG.PADDED) !== 0;
    const isEnd = (flags & FLAG.END_STREAM) !== 0;
    if (length === 0) {
      if (isPadded) return this.#refuse('invalid_frame_size');
      if (!isEnd && !this.#mayCost(1, 'empty_data_flood')) return STOP;
    }
    if (length < ABUSE_LIMITS.tinyDataBytes && !isEnd && !this.#mayBeTiny()) return STOP;
    this.#padding = isPadded ? PADDING_UNKNOWN : 0;
    this.#content = length;
    this.#events.onDataFrame(streamId, length);
    if (!isPadded && !this.#reader.isStopped) this.#events.onDataContent(length);
    if (length === 0 && isEnd && !this.#reader.isStopped) this.#events.onDataEnd();
    return this.#reader.isStopped ? STOP : PARTS;
  }

  #onHeaders(bytes: Buffer, start: number, end: number, flags: number, streamId: number): void {
    let at = start;
    let padding = 0;
    if ((flags & FLAG.PADDED) !== 0) {
      padding = bytes[at]!;
      at += 1;
    }
    this.#isSelfDependent =
      (flags & FLAG.PRIORITY) !== 0 && end - at >= PRIORITY_BYTES && read31(bytes, at) === streamId;
    if ((flags & FLAG.PRIORITY) !== 0) at += PRIORITY_BYTES;
    if (at > end) {
      this.#events.onConnectionFault('invalid_frame_size');
      return;
    }
    if (padding > end - at) {
      this.#events.onConnectionFault('invalid_padding');
      return;
    }
    if ((flags & FLAG.END_HEADERS) !== 0) {
      const ended = (flags & FLAG.END_STREAM) !== 0;
      this.#events.onHeadBlock(streamId, ended, this.#isSelfDependent, bytes, at, end - padding);
      return;
    }
    this.#fragments.begin(streamId, flags);
    const fault = this.#fragments.add(bytes, at, end - padding);
    if (fault !== null) this.#events.onConnectionFault(fault);
  }

  #onFragment(bytes: Buffer, start: number, end: number, flags: number): void {
    const fragments = this.#fragments;
    const fault = fragments.add(bytes, start, end);
    if (fault !== null) {
      this.#events.onConnectionFault(fault);
      return;
    }
    if ((flags & FLAG.END_HEADERS) === 0) return;
    const { streamId, bytes: block, length } = fragments;
    const ended = (fragments.flags & FLAG.END_STREAM) !== 0;
    this.hasMoved = true;
    fragments.clear();
    this.#events.onHeadBlock(streamId, ended, this.#isSelfDependent, block, 0, length);
  }

  #fixed(length: number, right: number, isOnRightStream: boolean, flood: Http2Fault | null): PayloadWay {
    if (!isOnRightStream) return this.#refuse('invalid_stream_id');
    if (length !== right) return this.#refuse('invalid_frame_size');
    return flood === null || this.#mayCost(1, flood) ? WHOLE : STOP;
  }

  #mayBeTiny(): boolean {
    this.#tinyData ??= new WorkBudget(ABUSE_LIMITS.tinyData, this.#now);
    if (this.#tinyData.spend(1, this.#now)) return true;
    this.#events.onConnectionFault('tiny_data_flood');
    return false;
  }

  #mayCost(cost: number, flood: Http2Fault): boolean {
    if (this.#budget.spend(cost, this.#now)) return true;
    this.#events.onConnectionFault(flood);
    return false;
  }

  #refuse(fault: Http2Fault): PayloadWay {
    this.#events.onConnectionFault(fault);
    return STOP;
  }
}
