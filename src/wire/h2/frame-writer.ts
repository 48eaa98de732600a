import type { MessageWriter } from '../http1/writer.ts';
import {
  FLAG,
  FRAME,
  FRAME_HEADER_BYTES,
  GOAWAY_BYTES,
  PING_BYTES,
  RST_STREAM_BYTES,
  SETTING_BYTES,
  WINDOW_UPDATE_BYTES,
} from './frame.ts';

/** The nine bytes before a payload; `at` is where they go in `block`. */
export function putFrameHeader(
  block: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  block[at] = length >>> 16;
  block[at + 1] = length >>> 8;
  block[at + 2] = length;
  block[at + 3] = type;
  block[at + 4] = flags;
  put32(block, at + 5, streamId);
}

function put32(block: Buffer, at: number, value: number): void {
  block[at] = value >>> 24;
  block[at + 1] = value >>> 16;
  block[at + 2] = value >>> 8;
  block[at + 3] = value;
}

export function frameHeader(
  writer: MessageWriter,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  putFrameHeader(writer.block, writer.length, length, type, flags, streamId);
  writer.length += FRAME_HEADER_BYTES;
}

export function number32(writer: MessageWriter, value: number): void {
  put32(writer.block, writer.length, value);
  writer.length += 4;
}

export const RST_STREAM_FRAME_BYTES = FRAME_HEADER_BYTES + RST_STREAM_BYTES;
export function rstStream(writer: MessageWriter, streamId: number, code: number): void {
  frameHeader(writer, RST_STREAM_BYTES, FRAME.RST_STREAM, 0, streamId);
  number32(writer, code);
}

export const WINDOW_UPDATE_FRAME_BYTES = FRAME_HEADER_BYTES + WINDOW_UPDATE_BYTES;
export function windowUpdate(writer: MessageWriter, streamId: number, bytes: number): void {
  frameHeader(writer, WINDOW_UPDATE_BYTES, FRAME.WINDOW_UPDATE, 0, streamId);
  number32(writer, bytes);
}

export const PING_FRAME_BYTES = FRAME_HEADER_BYTES + PING_BYTES;
/** `payload` is eight bytes at `at`. */
export function ping(writer: MessageWriter, isAck: boolean, payload: Buffer, at: number): void {
  frameHeader(writer, PING_BYTES, FRAME.PING, isAck ? FLAG.ACK : 0, 0);
  writer.bytes(payload, at, at + PING_BYTES);
}

export const GOAWAY_FRAME_BYTES = FRAME_HEADER_BYTES + GOAWAY_BYTES;
export function goAway(writer: MessageWriter, lastStreamId: number, code: number): void {
  frameHeader(writer, GOAWAY_BYTES, FRAME.GOAWAY, 0, 0);
  number32(writer, lastStreamId);
  number32(writer, code);
}

export const SETTINGS_ACK_FRAME_BYTES = FRAME_HEADER_BYTES;
export function settingsAck(writer: MessageWriter): void {
  frameHeader(writer, 0, FRAME.SETTINGS, FLAG.ACK, 0);
}

/** `entries` is identifier and value by turns. */
export function settings(writer: MessageWriter, entries: readonly number[]): void {
  frameHeader(writer, (entries.length / 2) * SETTING_BYTES, FRAME.SETTINGS, 0, 0);
  for (let at = 0; at < entries.length; at += 2) {
    writer.block[writer.length] = entries[at]! >>> 8;
    writer.block[writer.length + 1] = entries[at]!;
    writer.length += 2;
    number32(writer, entries[at + 1]!);
  }
}
