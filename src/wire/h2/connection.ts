import { HpackDecoder } from '../hpack/decoder.ts';
import { HpackEncoder } from '../hpack/encoder.ts';
import type { MessageWriter } from '../http1/writer.ts';
import { ABUSE_LIMITS } from './abuse-limits.ts';
import type { Http2Local, Http2Owner } from './connection-owner.ts';
import { ERROR_CODE } from './error-code.ts';
import {
  DEFAULT_WINDOW_BYTES,
  LEAST_MAX_FRAME_BYTES,
  MOST_31_BITS,
  PING_BYTES,
  PREFACE,
  SETTING_BYTES,
} from './frame.ts';
import type { FrameOutput } from './frame-output.ts';
import * as frames from './frame-writer.ts';
import { answerFault, requestFault, trailerFault } from './head-fault.ts';
import type { HeaderBlock } from './header-block.ts';
import { HTTP2_FAULTS, type Http2Fault } from './http2-fault.ts';
import { type FrameEvents, PeerFrames } from './peer-frames.ts';
import { type DataEvents, Receiving } from './receiving.ts';
import { Sending } from './sending.ts';
import { DEFAULT_HEADER_TABLE_BYTES, type Http2Role, PeerSettings, SETTING } from './settings.ts';
import {
  type Http2Stream,
  type Http2StreamOwner,
  LOCAL_ENDED,
  NO_STREAM_OWNER,
  REMOTE_ENDED,
  RESET,
  type StreamCarrier,
} from './stream.ts';
import { StreamIds } from './stream-ids.ts';
import { giveBlock, giveStream, takeBlock, takeStream } from './stream-memory.ts';
import { WorkBudget } from './work-budget.ts';

const OUR_PING = Buffer.from('novaedge', 'latin1');
/** What the encoder says before the first field. */
const BLOCK_START_BYTES = 1;
const DRAIN_PING = Buffer.from('draining', 'latin1');

function isPayload(bytes: Buffer, start: number, wanted: Buffer): boolean {
  for (let at = 0; at < PING_BYTES; at += 1) if (bytes[start + at] !== wanted[at]) return false;
  return true;
}

/**
 * One HTTP/2 connection (RFC 9113), either side of it. Sans-IO: bytes and the time go in by `receive`, frames go out by
 * the FrameOutput, and what happened is told to owners during the calls. Strict: whatever the RFC calls an error is
 * one, with its code; and whoever makes us work for nothing is sent away (abuse-limits.ts).
 *
 *     transport ──> receive ──> PeerFrames ──> (here) ──> Receiving ──> stream owners
 *     transport <── output <── Sending <── streams <──────────────────── stream owners
 */
export class Http2Connection implements StreamCarrier, FrameEvents, DataEvents {
  readonly role: Http2Role;
  readonly peer = new PeerSettings();
  /** The connection has ended by `close`, `end` or an error. */
  isClosed = false;
  /** GOAWAY has come or gone: no new stream may be opened, or is wanted. */
  isGoingAway = false;
  /** The peer has acknowledged our SETTINGS; whoever waits too long for that closes with SETTINGS_TIMEOUT. */
  isSettingsAcknowledged = false;
  readonly #local: Http2Local;
  readonly #owner: Http2Owner;
  readonly #output: FrameOutput;
  readonly #streams = new Map<number, Http2Stream>();
  readonly #ids: StreamIds;
  readonly #emptyFrames: WorkBudget;
  readonly #resets: WorkBudget;
  readonly #frames: PeerFrames;
  readonly #sending: Sending;
  readonly #receiving: Receiving;
  #decoder: HpackDecoder | null = null;
  #encoder: HpackEncoder | null = null;
  #active = 0;
  #now: number;
  /** Bytes of the peer's preface that have come. */
  #prefaceBytes: number;
  /** Client: of the last stream whose head has gone out. */
  #lastBegunId = 0;
  /** Server: of the last request that is taken, once the final GOAWAY has gone. */
  #lastTakenId = MOST_31_BITS;
  /** Frames of ours that answer the peer's since the transport last took any. */
  #unreadAnswers = 0;

  /** `now` in milliseconds, of any beginning. */
  constructor(role: Http2Role, local: Http2Local, owner: Http2Owner, output: FrameOutput, now: number) {
    this.role = role;
    this.#local = local;
    this.#owner = owner;
    this.#output = output;
    this.#now = now;
    this.#ids = new StreamIds(role);
    this.#emptyFrames = new WorkBudget(ABUSE_LIMITS.emptyFrames, now);
    this.#resets = new WorkBudget(ABUSE_LIMITS.resets, now);
    const mostHeadBytes = local.heads.limits.headerBytes * ABUSE_LIMITS.headBytesFactor;
    this.#frames = new PeerFrames(this, this.#emptyFrames, Math.max(mostHeadBytes, LEAST_MAX_FRAME_BYTES));
    this.#sending = new Sending(output, this.peer, this.#emptyFrames);
    this.#receiving = new Receiving(output, this, local.connectionWindowBytes, local.streamWindowBytes);
    this.#prefaceBytes = role === 'server' ? 0 : PREFACE.length;
  }

  /** Streams that are not closed, or that their owners have not released. */
  get active(): number {
    return this.#active;
  }

  /** The peer's SETTINGS have come. */
  get isEstablished(): boolean {
    return this.#frames.isEstablished;
  }

  /** By it heads are encoded between `beginHead` and `endHead`. */
  get encoder(): HpackEncoder {
    this.#encoder ??= new HpackEncoder();
    return this.#encoder;
  }

  /** Client: `open` would give a stream. */
  get canOpen(): boolean {
    return (
      !this.isGoingAway &&
      !this.isClosed &&
      this.#active < this.peer.maxConcurrentStreams &&
      this.#ids.last < MOST_31_BITS - 1
    );
  }

  /** The preface (client) and our SETTINGS go to the output. */
  begin(): void {
    const { maxConcurrentStreams, streamWindowBytes, connectProtocol, heads } = this.#local;
    const entries: number[] = [];
    if (this.role === 'client') entries.push(SETTING.ENABLE_PUSH, 0);
    else entries.push(SETTING.MAX_CONCURRENT_STREAMS, maxConcurrentStreams);
    entries.push(SETTING.INITIAL_WINDOW_SIZE, streamWindowBytes);
    entries.push(SETTING.MAX_HEADER_LIST_SIZE, heads.limits.headerBytes);
    if (connectProtocol && this.role === 'server') entries.push(SETTING.ENABLE_CONNECT_PROTOCOL, 1);
    const size = PREFACE.length + entries.length * SETTING_BYTES + 2 * frames.WINDOW_UPDATE_FRAME_BYTES;
    const writer = this.#output.writer(size);
    if (this.role === 'client') writer.all(PREFACE);
    frames.settings(writer, entries);
    const { firstCredit } = this.#receiving;
    if (firstCredit > 0) frames.windowUpdate(writer, 0, firstCredit);
  }

  /** What the transport brought, split in any way; `now` in milliseconds. */
  receive(bytes: Buffer, start: number, end: number, now: number): void {
    if (this.isClosed) return;
    this.#now = now;
    let at = start;
    while (this.#prefaceBytes < PREFACE.length) {
      if (at === end) return;
      if (bytes[at] !== PREFACE[this.#prefaceBytes]) {
        this.#fail('invalid_preface');
        return;
      }
      this.#prefaceBytes += 1;
      at += 1;
    }
    this.#frames.receive(bytes, at, end, now);
    if (this.isClosed) return;
    if (this.#sending.hasWaiting) this.#sending.drain();
    if (this.#sending.isTeased) this.#fail('tiny_windows');
  }

  /** The transport takes bytes again: streams that wait are told, in turn. */
  writable(): void {
    if (this.isClosed) return;
    this.#unreadAnswers = 0;
    this.#sending.drain();
  }

  /**
   * Client: a stream for a request, or null where `canOpen` is false. Its head is to be sent before that of a stream
   * opened later. `isBodiless`: the request is HEAD.
   */
  open(owner: Http2StreamOwner, isBodiless: boolean): Http2Stream | null {
    if (!this.canOpen) return null;
    this.#ids.last += 2;
    const stream = this.#begin(this.#ids.last, owner);
    stream.isBodiless = isBodiless;
    return stream;
  }

  /** Asks the peer for a sign of life: `onPong`. */
  ping(): void {
    if (!this.isClosed) frames.ping(this.#output.writer(frames.PING_FRAME_BYTES), false, OUR_PING, 0);
  }

  /**
   * No new streams; those under way go on. A server says so in two steps (RFC 9113 section 6.8), so that no request
   * that is on its way is lost: the second follows by itself when the peer has heard of the first, or by `drainNow`.
   */
  drain(): void {
    if (this.isClosed || this.isGoingAway) return;
    this.isGoingAway = true;
    if (this.role === 'client') {
      this.#goAway(0, ERROR_CODE.NO_ERROR);
      return;
    }
    const writer = this.#output.writer(frames.GOAWAY_FRAME_BYTES + frames.PING_FRAME_BYTES);
    frames.goAway(writer, MOST_31_BITS, ERROR_CODE.NO_ERROR);
    frames.ping(writer, false, DRAIN_PING, 0);
  }

  /** The second step: requests that come from now on are passed over, and the peer knows which. */
  drainNow(): void {
    if (this.isClosed || this.role === 'client' || this.#lastTakenId !== MOST_31_BITS) return;
    this.isGoingAway = true;
    this.#lastTakenId = this.#ids.last;
    this.#goAway(this.#lastTakenId, ERROR_CODE.NO_ERROR);
  }

  /** Ends at once: GOAWAY with `code`, and every stream is told (`onReset`). The owner of the connection is not. */
  close(code: number): void {
    if (this.isClosed) return;
    this.#goAway(this.#lastPeerId(), code);
    this.#end(code, null);
  }

  /** The transport is gone: every stream is told (`onReset` with `code`), nothing is sent. */
  end(code: number): void {
    if (!this.isClosed) this.#end(code, null);
  }

  // What streams ask for.

  beginHead(stream: Http2Stream, room: number): MessageWriter {
    if (stream.isLocallyEnded) throw new Error(`a head on stream ${stream.id}, which has ended`);
    if (!stream.isBegun && this.role === 'client') {
      if (stream.id < this.#lastBegunId)
        throw new Error(`stream ${stream.id} began after ${this.#lastBegunId}`);
      this.#lastBegunId = stream.id;
    }
    stream.isBegun = true;
    const writer = this.#sending.beginHead(room + BLOCK_START_BYTES);
    this.encoder.begin(writer);
    return writer;
  }

  endHead(stream: Http2Stream, endStream: boolean): void {
    this.#sending.endHead(stream.id, endStream);
    if (endStream) this.#endLocal(stream);
  }

  sendData(stream: Http2Stream, bytes: Buffer, start: number, end: number, endStream: boolean): number {
    if (stream.isLocallyEnded) return 0;
    const sent = this.#sending.sendData(stream, bytes, start, end, endStream, this.#now);
    if (endStream && sent === end - start) this.#endLocal(stream);
    return sent;
  }

  resetStream(stream: Http2Stream, code: number): void {
    if (stream.isClosed) return;
    this.#leave(stream, RESET);
    // One whose head has not gone out is not known to the peer.
    if (!stream.isBegun && this.role === 'client') return;
    this.#ids.addReset(stream.id);
    this.#sendReset(stream.id, code);
  }

  consumed(stream: Http2Stream, bytes: number): void {
    if (!this.isClosed) this.#receiving.consumed(stream, bytes);
  }

  released(stream: Http2Stream): void {
    if (stream.isReleased) throw new Error(`stream ${stream.id} was released twice`);
    if (!stream.isClosed) {
      const isAnswered = this.role === 'server' && (stream.state & LOCAL_ENDED) !== 0;
      this.resetStream(stream, isAnswered ? ERROR_CODE.NO_ERROR : ERROR_CODE.CANCEL);
    }
    stream.isReleased = true;
    this.#active -= 1;
    if (!this.isClosed) this.#receiving.forget(stream);
    giveStream(stream);
  }

  // What the peer's frames say.

  onDataFrame(streamId: number, length: number): void {
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) this.#receiving.begin(stream, length);
    else if (this.#isPassedOver(streamId)) this.#receiving.begin(null, length);
  }

  onDataContent(size: number): void {
    this.#receiving.content(size);
  }

  onDataBytes(bytes: Buffer, start: number, end: number): void {
    this.#receiving.bytes(bytes, start, end);
  }

  onPadding(bytes: number): void {
    this.#receiving.padding(bytes);
  }

  onDataEnd(): void {
    this.#receiving.end();
  }

  onRemoteEnd(stream: Http2Stream): void {
    this.#endRemote(stream);
    stream.owner.onEnd(null);
  }

  onHeadBlock(
    streamId: number,
    ended: boolean,
    isSelfDependent: boolean,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const block = takeBlock(this.#local.heads);
    this.#decoder ??= new HpackDecoder(DEFAULT_HEADER_TABLE_BYTES);
    if (!this.#decoder.decode(bytes, start, end, block)) {
      giveBlock(block);
      this.#fail('compression_error');
      return;
    }
    const stream = this.#streams.get(streamId);
    let isKept = false;
    if (stream === undefined) isKept = this.#onRequestHead(streamId, ended, isSelfDependent, block);
    else if (stream.isRemotelyEnded) this.onStreamFault(stream, 'closed_stream');
    else if (stream.head === null) isKept = this.#onAnswerHead(stream, ended, isSelfDependent, block);
    else isKept = this.#onTrailers(stream, ended, isSelfDependent, block);
    if (!isKept) giveBlock(block);
  }

  onResetFrame(streamId: number, code: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      if (this.#ids.isIdle(streamId)) this.#fail('idle_stream');
      else if (!this.#emptyFrames.spend(1, this.#now)) this.#fail('reset_flood');
      return;
    }
    const isEarly = this.role === 'server' && (stream.state & LOCAL_ENDED) === 0;
    this.#leave(stream, RESET);
    stream.owner.onReset(code, null);
    if (isEarly) this.#spendReset();
  }

  onSettingsFrame(bytes: Buffer, start: number, end: number): void {
    const { peer } = this;
    const before = peer.initialWindowBytes;
    for (let at = start; at < end; at += SETTING_BYTES) {
      const fault = peer.take(bytes, at, this.role);
      if (fault !== null) {
        this.#fail(fault);
        return;
      }
    }
    const change = peer.initialWindowBytes - before;
    if (change !== 0 && !this.#widenStreams(change)) return;
    const writer = this.#answer(frames.SETTINGS_ACK_FRAME_BYTES);
    if (writer === null) return;
    frames.settingsAck(writer);
    this.#owner.onSettings();
  }

  onSettingsAck(): void {
    if (this.isSettingsAcknowledged) {
      this.#fail('unexpected_settings_ack');
      return;
    }
    this.isSettingsAcknowledged = true;
    // Until now the peer may have gone by the default.
    const change = this.#local.streamWindowBytes - DEFAULT_WINDOW_BYTES;
    if (change < 0) for (const stream of this.#streams.values()) stream.receiveWindow += change;
  }

  onPing(payload: Buffer, start: number): void {
    const writer = this.#answer(frames.PING_FRAME_BYTES);
    if (writer !== null) frames.ping(writer, true, payload, start);
  }

  onPingAck(payload: Buffer, start: number): void {
    if (isPayload(payload, start, DRAIN_PING)) this.drainNow();
    else if (isPayload(payload, start, OUR_PING)) this.#owner.onPong();
  }

  onGoAwayFrame(lastStreamId: number, code: number): void {
    if (this.role === 'client') {
      this.isGoingAway = true;
      for (const stream of this.#streams.values()) {
        if (stream.id <= lastStreamId) continue;
        this.#leave(stream, RESET);
        stream.owner.onReset(ERROR_CODE.REFUSED_STREAM, null);
        if (this.isClosed) return;
      }
    }
    this.#owner.onGoAway(code);
  }

  onWindowUpdate(streamId: number, bytes: number): void {
    if (streamId === 0) {
      if (bytes === 0) this.#fail('empty_window_update');
      else if (!this.#sending.widen(bytes)) this.#fail('window_overflow');
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      if (this.#ids.isIdle(streamId)) this.#fail('idle_stream');
    } else if (bytes === 0) this.onStreamFault(stream, 'empty_window_update');
    else if (!this.#sending.widenStream(stream, bytes)) this.onStreamFault(stream, 'window_overflow');
  }

  onConnectionFault(fault: Http2Fault): void {
    this.#fail(fault);
  }

  onStreamFault(stream: Http2Stream, fault: Http2Fault, head: HeaderBlock | null = null): void {
    const code = HTTP2_FAULTS[fault];
    this.resetStream(stream, code);
    stream.owner.onReset(code, head?.fault ?? fault);
    this.#owner.onStreamFault(fault, null);
    this.#spendReset();
  }

  /** Whether the block was kept, as in the next two. */
  #onRequestHead(streamId: number, ended: boolean, isSelfDependent: boolean, block: HeaderBlock): boolean {
    if (this.role === 'client' || (streamId & 1) === 0) {
      // An answer that we have given up may go on for a while; but nobody else opens streams.
      if (this.#ids.isIdle(streamId)) this.#fail('invalid_stream_id');
      else this.#isPassedOver(streamId);
      return false;
    }
    if (streamId <= this.#ids.last) {
      if (this.#ids.wasSkipped(streamId)) this.#fail('invalid_stream_id');
      else this.#isPassedOver(streamId);
      return false;
    }
    this.#ids.use(streamId);
    if (streamId > this.#lastTakenId) return false;
    if (this.#active >= this.#local.maxConcurrentStreams) {
      this.#refuse(streamId);
      return false;
    }
    const fault = requestFault(block, ended, isSelfDependent, this.#local.connectProtocol);
    if (fault !== null) {
      this.#sendReset(streamId, HTTP2_FAULTS[fault]);
      this.#ids.addReset(streamId);
      this.#owner.onStreamFault(fault, block);
      this.#spendReset();
      return false;
    }
    const stream = this.#begin(streamId, NO_STREAM_OWNER);
    stream.head = block;
    stream.expectedBytes = block.framing.contentLength;
    if (ended) stream.state = REMOTE_ENDED;
    this.#emptyFrames.earn(ABUSE_LIMITS.earnedByRequest);
    this.#owner.onRequest(stream, block, ended);
    return true;
  }

  #onAnswerHead(stream: Http2Stream, ended: boolean, isSelfDependent: boolean, block: HeaderBlock): boolean {
    const fault = answerFault(stream, block, ended, isSelfDependent);
    if (fault !== null) {
      this.onStreamFault(stream, fault, block);
      return false;
    }
    if (block.status < 200) {
      stream.interimHeads += 1;
      if (stream.interimHeads > ABUSE_LIMITS.interimHeads) this.onStreamFault(stream, 'interim_flood');
      else stream.owner.onInterim(block);
      return false;
    }
    stream.head = block;
    const isBodiless = stream.isBodiless || block.status === 204 || block.status === 304;
    stream.expectedBytes = isBodiless ? 0 : block.framing.contentLength;
    if (ended) this.#endRemote(stream);
    this.#emptyFrames.earn(ABUSE_LIMITS.earnedByRequest);
    stream.owner.onHead(block, ended);
    return true;
  }

  #onTrailers(stream: Http2Stream, ended: boolean, isSelfDependent: boolean, block: HeaderBlock): boolean {
    const fault = trailerFault(stream, block, ended, isSelfDependent);
    if (fault !== null) {
      this.onStreamFault(stream, fault, block);
      return false;
    }
    stream.trailers = block;
    this.#endRemote(stream);
    stream.owner.onEnd(block);
    return true;
  }

  /** Of a stream that is not open: true where the peer may not know that yet; otherwise it is an error. */
  #isPassedOver(streamId: number): boolean {
    if (this.#ids.isIdle(streamId)) this.#fail('idle_stream');
    else if (this.#ids.mayHaveBeenReset(streamId) || streamId > this.#lastTakenId) return true;
    else this.#fail('closed_stream');
    return false;
  }

  #begin(id: number, owner: Http2StreamOwner): Http2Stream {
    const stream = takeStream(this, owner);
    stream.id = id;
    stream.sendWindow = this.peer.initialWindowBytes;
    const { streamWindowBytes } = this.#local;
    // Before it has acknowledged ours the peer may go by the default (RFC 9113 section 6.9.2).
    const isDefault = !this.isSettingsAcknowledged && streamWindowBytes < DEFAULT_WINDOW_BYTES;
    stream.receiveWindow = isDefault ? DEFAULT_WINDOW_BYTES : streamWindowBytes;
    this.#streams.set(id, stream);
    this.#active += 1;
    return stream;
  }

  #refuse(streamId: number): void {
    this.#sendReset(streamId, HTTP2_FAULTS.too_many_streams);
    this.#ids.addReset(streamId);
    this.#owner.onStreamFault('too_many_streams', null);
    if (!this.#emptyFrames.spend(1, this.#now)) this.#fail('refused_stream_flood');
  }

  #endLocal(stream: Http2Stream): void {
    stream.state |= LOCAL_ENDED;
    if (stream.isClosed) this.#leave(stream, 0);
  }

  #endRemote(stream: Http2Stream): void {
    stream.state |= REMOTE_ENDED;
    if (stream.isClosed) this.#leave(stream, 0);
  }

  /** The stream is closed: `how` is RESET, or 0 where both sides have ended. */
  #leave(stream: Http2Stream, how: number): void {
    stream.state |= how;
    this.#streams.delete(stream.id);
    this.#sending.forget(stream);
    if (how === 0) this.#resets.earn(1);
  }

  #widenStreams(change: number): boolean {
    if (!this.#emptyFrames.spend(this.#streams.size / ABUSE_LIMITS.streamsPerFrame, this.#now)) {
      this.#fail('settings_flood');
      return false;
    }
    for (const stream of this.#streams.values()) {
      if (this.#sending.widenStream(stream, change)) continue;
      this.#fail('window_overflow');
      return false;
    }
    return true;
  }

  /** For a frame that answers one of the peer's; null: it reads none of them, and the connection has ended. */
  #answer(size: number): MessageWriter | null {
    if (this.#output.isBlocked) {
      this.#unreadAnswers += 1;
      if (this.#unreadAnswers > ABUSE_LIMITS.unreadAnswers) {
        this.#fail('unread_answers');
        return null;
      }
    }
    return this.#output.writer(size);
  }

  #sendReset(streamId: number, code: number): void {
    const writer = this.#answer(frames.RST_STREAM_FRAME_BYTES);
    if (writer !== null) frames.rstStream(writer, streamId, code);
  }

  #spendReset(): void {
    if (this.role === 'server' && !this.isClosed && !this.#resets.spend(1, this.#now))
      this.#fail('rapid_reset');
  }

  /** Of the peer's streams, the last that has been worked on. */
  #lastPeerId(): number {
    if (this.role === 'client') return 0;
    return this.#lastTakenId < this.#ids.last ? this.#lastTakenId : this.#ids.last;
  }

  #goAway(lastStreamId: number, code: number): void {
    frames.goAway(this.#output.writer(frames.GOAWAY_FRAME_BYTES), lastStreamId, code);
  }

  #fail(fault: Http2Fault): void {
    if (this.isClosed) return;
    const code = HTTP2_FAULTS[fault];
    this.#goAway(this.#lastPeerId(), code);
    this.#end(code, fault);
    this.#owner.onConnectionFault(fault);
  }

  #end(code: number, fault: Http2Fault | null): void {
    this.isClosed = true;
    this.isGoingAway = true;
    this.#frames.stop();
    for (const stream of this.#streams.values()) {
      this.#leave(stream, RESET);
      stream.owner.onReset(code, fault);
    }
  }
}
