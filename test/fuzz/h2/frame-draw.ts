import { FRAME } from '../../../src/wire/h2/frame.ts';
import type { Draw } from '../../draw.ts';
import {
  ACK,
  CONTINUE,
  END_HEADERS,
  END_STREAM,
  field,
  frame,
  GET,
  goAway,
  OK,
  PADDED,
  POST,
  settings,
  uint32,
  WITH_PRIORITY,
} from '../../wire/h2/frames.ts';

export type Role = 'server' | 'client';

const WORDS = [0, 1, 2, 5, 100, 16_384, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const FIELDS: readonly Buffer[] = [
  field('x', 'y'),
  field('content-length', '5'),
  field('content-length', '0'),
  field('te', 'trailers'),
  field('connection', 'close'),
  field(':path', '/'),
  field(':status', '200'),
  field('X', 'y'),
  field('cookie', 'a=b'),
  // With indexing, so that the table changes, and by its index.
  Buffer.concat([Buffer.from([0x40]), field('k', 'v').subarray(1)]),
  Buffer.from([0xbe]),
  Buffer.from([0xbf]),
  Buffer.from([0x20]),
  Buffer.from([0x3f, 0xe1, 0x1f]),
];

function bytes(draw: Draw, most: number): Buffer {
  return Buffer.from(Array.from({ length: draw.below(most + 1) }, () => draw.below(256)));
}

function block(draw: Draw, role: Role): Buffer {
  const first: Buffer =
    role === 'server' ? draw.of<Buffer>([GET, GET, POST]) : draw.of<Buffer>([OK, OK, CONTINUE]);
  const parts: Buffer[] = draw.below(20) === 0 ? [] : [first];
  while (draw.below(4) === 0) parts.push(draw.of(FIELDS));
  return Buffer.concat(parts);
}

/** Once in so many frames a peer is free of any sense. */
const SENSELESS = 25;
const MOST_FRAMES = 60;
/** Of the streams that a client under test has opened. */
const ASKED = [1, 3, 5, 7];

/** A peer that mostly knows what it does, and therefore comes far. */
class FramePeer {
  readonly #draw: Draw;
  readonly #role: Role;
  /** Streams that have begun. */
  #ids: number[];
  #next = 1;

  constructor(draw: Draw, role: Role) {
    this.#draw = draw;
    this.#role = role;
    this.#ids = role === 'client' ? ASKED : [];
  }

  next(): Buffer[] {
    const draw = this.#draw;
    if (draw.below(SENSELESS) === 0) return [this.#senseless()];
    switch (draw.below(14)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return this.#head();
      case 4:
      case 5:
      case 6:
      case 7:
        return this.#ids.length === 0 ? this.#head() : [this.#body(this.#id())];
      case 8:
        return this.#ids.length === 0 ? [] : [this.#reset(this.#id())];
      case 9:
      case 10: {
        const id = this.#ids.length === 0 || draw.below(3) === 0 ? 0 : this.#id();
        return [frame(FRAME.WINDOW_UPDATE, 0, id, uint32(draw.of([1, 2, 5, 100, 16_384, 65_535])))];
      }
      case 11:
        return [settings(draw.of([3, 4, 4, 4, 6, 99]), draw.of([0, 1, 5, 100, 16_384, 65_535, 200_000]))];
      case 12:
        return [
          frame(
            FRAME.PING,
            draw.below(2) === 0 ? ACK : 0,
            0,
            Buffer.from(draw.of(['12345678', 'draining', 'novaedge'])),
          ),
        ];
      default:
        return draw.below(8) === 0
          ? [goAway(draw.below(12), draw.below(14))]
          : [frame(0x20, 0, 0, bytes(draw, 20))];
    }
  }

  /** Mostly one of the last, which are open. */
  #id(): number {
    const last = this.#ids.slice(-4);
    return this.#draw.below(10) === 0 ? this.#draw.of(this.#ids) : this.#draw.of(last);
  }

  /** Of a new stream or, more often where we answer, of one that is there; whole or in pieces. */
  #head(): Buffer[] {
    const draw = this.#draw;
    const isNew = this.#role === 'server' && draw.below(6) !== 0;
    let id = this.#next;
    if (isNew) {
      this.#next += 2 * (1 + (draw.below(20) === 0 ? 1 : 0));
      this.#ids.push(id);
    } else if (this.#ids.length === 0) return [];
    else id = this.#id();
    let flags = draw.below(3) === 0 || (this.#role === 'server' && !isNew) ? END_STREAM : 0;
    let payload = !isNew && this.#role === 'server' ? field('x', 'y') : block(draw, this.#role);
    const half = draw.below(payload.length + 1);
    const rest = payload.subarray(half);
    const isWhole = draw.below(5) !== 0;
    if ((flags & END_STREAM) !== 0) this.#ended(id);
    if (isWhole) flags |= END_HEADERS;
    else payload = payload.subarray(0, half);
    if (draw.below(6) === 0) {
      flags |= WITH_PRIORITY;
      payload = Buffer.concat([uint32(draw.below(20) === 0 ? id : 0), Buffer.from([1]), payload]);
    }
    if (draw.below(6) === 0) {
      const padding = draw.below(4);
      flags |= PADDED;
      payload = Buffer.concat([Buffer.from([padding]), payload, Buffer.alloc(padding)]);
    }
    const first = frame(FRAME.HEADERS, flags, id, payload);
    if (isWhole) return [first];
    const cut = draw.below(rest.length + 1);
    return [
      first,
      frame(FRAME.CONTINUATION, 0, id, rest.subarray(0, cut)),
      frame(FRAME.CONTINUATION, END_HEADERS, id, rest.subarray(cut)),
    ];
  }

  #reset(id: number): Buffer {
    this.#ended(id);
    return frame(FRAME.RST_STREAM, 0, id, uint32(this.#draw.below(16)));
  }

  /** It is mostly, but not always, left alone from now on. */
  #ended(id: number): void {
    if (this.#draw.below(20) !== 0) this.#ids = this.#ids.filter((each) => each !== id);
  }

  #body(id: number): Buffer {
    const draw = this.#draw;
    const flags = draw.below(5) === 0 ? END_STREAM : 0;
    if (flags !== 0) this.#ended(id);
    const content = Buffer.alloc(draw.of([0, 1, 4, 5, 5, 6, 300, 16_000]), 'd');
    if (draw.below(4) !== 0) return frame(FRAME.DATA, flags, id, content);
    const padding = draw.below(9);
    const payload = Buffer.concat([Buffer.from([padding]), content, Buffer.alloc(padding)]);
    return frame(FRAME.DATA, flags | PADDED, id, payload);
  }

  #senseless(): Buffer {
    const draw = this.#draw;
    const id = draw.below(12);
    switch (draw.below(7)) {
      case 0:
        return frame(FRAME.WINDOW_UPDATE, 0, id, uint32(draw.of(WORDS)));
      case 1:
        return settings(draw.below(10), draw.of(WORDS));
      case 2:
        return frame(FRAME.CONTINUATION, draw.below(2) * END_HEADERS, id, block(draw, this.#role));
      case 3:
        return frame(
          FRAME.HEADERS,
          draw.below(256),
          id,
          Buffer.concat([block(draw, this.#role), bytes(draw, 5)]),
        );
      case 4:
        return frame(FRAME.DATA, draw.below(256), id, bytes(draw, 20));
      default:
        return frame(draw.below(12), draw.below(256), id, bytes(draw, 20));
    }
  }
}

/** What a peer sends, now and then with bytes that were changed, left out or put in. */
export function drawnFrames(draw: Draw, role: Role): Buffer {
  const peer = new FramePeer(draw, role);
  const parts: Buffer[] = [settings()];
  for (let count = draw.below(MOST_FRAMES); count > 0; count -= 1) parts.push(...peer.next());
  const all = Buffer.concat(parts);
  for (let changes = draw.below(4) === 0 ? 1 + draw.below(3) : 0; changes > 0; changes -= 1)
    all[draw.below(all.length)] = draw.below(256);
  if (draw.below(10) !== 0) return all;
  const at = draw.below(all.length);
  return Buffer.concat([all.subarray(0, at), bytes(draw, 12), all.subarray(at + draw.below(12))]);
}
