import type { DeflateParameters, Deflation } from './deflate.ts';
import type { EncodeOptions } from './frame.ts';
import { BINARY, brief, CONTINUATION, encodeFrame, TEXT } from './frame.ts';

/** One frame that a case sends; whole, and masked as its side has to, where it does not say otherwise. */
export interface Sent extends EncodeOptions {
  readonly opcode: number;
  readonly payload?: Buffer | string;
  readonly fin?: boolean;
  readonly rsv?: number;
  /** Masked where it must not be, unmasked where it must; or with this very key. */
  readonly mask?: 'wrong' | Buffer;
}

/** A message that goes compressed, in fragments of so many bytes of what it is compressed to. */
export interface Deflated {
  readonly deflate: Buffer;
  readonly opcode: number;
  readonly fragmentBytes?: number;
  readonly level?: number;
}

/** A row of the tables: what one side sends, and what the strict endpoint opposite makes of it. */
export interface Case {
  readonly id: string;
  readonly what: string;
  readonly sends: readonly (Sent | Deflated | Buffer)[];
  /** Bytes of each write; 0: all in one. */
  readonly chop: number;
  /** What comes back, besides its end. */
  readonly answers: readonly string[];
  /** The connection ends with it: the endpoint closes or fails it, or the sender ends its half. */
  readonly ends: 'no' | 'by the endpoint' | 'by the sender';
  readonly deflate: DeflateParameters | null;
  /** Only with this side as the sender; null: with both. */
  readonly from: 'client' | 'server' | null;
}

type Given = Partial<Omit<Case, 'id'>> & Pick<Case, 'what' | 'sends'>;

/** The rows of a chapter get their numbers by their order. */
export function chapter(number: number, rows: readonly Given[]): Case[] {
  return rows.map((row, index) => ({
    id: `${number}.${index + 1}`,
    chop: 0,
    answers: [],
    ends: 'no',
    deflate: null,
    from: null,
    ...row,
  }));
}

/** The endpoint fails the connection with this code. */
export function fails(code: number, before: readonly string[] = []): Pick<Case, 'answers' | 'ends'> {
  return { answers: [...before, `close ${code} ""`], ends: 'by the endpoint' };
}

export function echoed(opcode: number, message: Buffer | string): string {
  return `${opcode === TEXT ? 'text' : 'binary'} ${brief(Buffer.from(message))}`;
}

/** A message in fragments of these sizes; the rest, also where nothing is left, is the last one. */
export function fragments(opcode: number, message: Buffer, sizes: readonly number[]): Sent[] {
  let at = 0;
  const frames: Sent[] = sizes.map((size, index) => {
    const payload = message.subarray(at, at + size);
    at += size;
    return { opcode: index === 0 ? opcode : CONTINUATION, payload, fin: false };
  });
  frames.push({ opcode: frames.length === 0 ? opcode : CONTINUATION, payload: message.subarray(at) });
  return frames;
}

/** As many fragments as it takes of `size` bytes each. */
export function inPieces(opcode: number, message: Buffer, size: number): Sent[] {
  const count = Math.max(0, Math.ceil(message.length / size) - 1);
  return fragments(
    opcode,
    message,
    Array.from({ length: count }, () => size),
  );
}

/** Bytes that look like nothing, the same every time. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed * 2_654_435_761;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export function letters(length: number): Buffer {
  return Buffer.from('The quick brown fox jumps over the lazy dog. '.repeat(length / 45 + 1)).subarray(
    0,
    length,
  );
}

/** Encodes what a case sends, as one side of one connection. */
export class Sender {
  readonly #role: 'client' | 'server';
  readonly #deflation: Deflation | null;
  #masks = 0;

  constructor(role: 'client' | 'server', deflation: Deflation | null) {
    this.#role = role;
    this.#deflation = deflation;
  }

  encode(sends: Case['sends']): Buffer {
    return Buffer.concat(sends.map((sent) => this.#one(sent)));
  }

  #one(sent: Case['sends'][number]): Buffer {
    if (Buffer.isBuffer(sent)) return sent;
    if (!('deflate' in sent)) return this.#frame(sent);
    const payload = this.#deflation!.compress(sent.deflate, sent.level);
    const frames = inPieces(sent.opcode, payload, sent.fragmentBytes ?? (payload.length || 1));
    return Buffer.concat(
      frames.map((frame, index) => this.#frame(index === 0 ? { ...frame, rsv: 4 } : frame)),
    );
  }

  #frame({ opcode, payload = '', fin = true, rsv = 0, mask, ...options }: Sent): Buffer {
    return encodeFrame({ fin, rsv, opcode, mask: this.#mask(mask), payload: Buffer.from(payload) }, options);
  }

  #mask(wanted: Sent['mask']): Buffer | null {
    if (Buffer.isBuffer(wanted)) return wanted;
    if ((this.#role === 'client') === (wanted === 'wrong')) return null;
    this.#masks += 1;
    return noise(4, this.#masks);
  }
}

export const MESSAGES = [TEXT, BINARY] as const;
