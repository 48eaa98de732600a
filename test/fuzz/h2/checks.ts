import { Http2Connection } from '../../../src/wire/h2/connection.ts';
import type { Draw } from '../../draw.ts';
import { framesOf, PREFACE } from '../../wire/h2/frames.ts';
import { MemoryOutput } from '../../wire/h2/memory-output.ts';
import { SentFramesCheck } from '../../wire/h2/sent-frames-check.ts';
import { LOCAL } from '../../wire/h2/server.ts';
import type { Role } from './frame-draw.ts';
import { type Manner, StrictOwner } from './strict-owner.ts';

/** No more than this is said for what comes in: an answer to each request, and a frame to each that asks for one. */
const MOST_PER_STREAM = 3200;
const MOST_PER_BYTE = 3;
const MOST_AT_ALL = 500;
const REQUESTS = 4;
const ROOM = 64;
const REQUEST = Buffer.from([0x83, 0x86, 0x84, 0x41, 0x01, 0x61]);

interface World {
  readonly connection: Http2Connection;
  readonly owner: StrictOwner;
  readonly output: MemoryOutput;
}

function begun(role: Role, manner: Manner): World {
  const owner = new StrictOwner(manner);
  const output = new MemoryOutput();
  const connection = new Http2Connection(
    role,
    { ...LOCAL, connectionWindowBytes: 200_000 },
    owner,
    output,
    0,
  );
  connection.begin();
  if (role === 'server') connection.receive(PREFACE, 0, PREFACE.length, 0);
  else {
    for (let count = 0; count < REQUESTS; count += 1) {
      const strict = owner.waiting();
      const stream = connection.open(strict, count === 0)!;
      strict.stream = stream;
      owner.streams.push(strict);
      stream.beginHead(ROOM).all(REQUEST);
      stream.endHead(count === 1);
      strict.begin(false);
    }
  }
  return { connection, owner, output };
}

/** Frame by frame, so that windows are known at each; what is not a whole frame comes last. */
function talk(role: Role, bytes: Buffer): void {
  const { connection, owner, output } = begun(role, 'talking');
  const check = new SentFramesCheck(role === 'server');
  const read = () => {
    const sent =
      role === 'client' && output.total === 0 ? output.take().subarray(PREFACE.length) : output.take();
    for (const each of framesOf(sent)) check.sent(each);
    connection.writable();
  };
  read();
  let at = 0;
  for (const each of framesOf(bytes)) {
    const end = at + 9 + each.payload.length;
    check.received(each);
    connection.receive(bytes, at, end, 0);
    read();
    at = end;
  }
  connection.receive(bytes, at, bytes.length, 0);
  read();
  finish(connection, owner);
  const most = MOST_AT_ALL + MOST_PER_STREAM * owner.streams.length + MOST_PER_BYTE * bytes.length;
  if (output.total > most) throw new Error(`${output.total} bytes were sent`);
}

function finish(connection: Http2Connection, owner: StrictOwner): void {
  connection.end(8);
  if (connection.active !== 0 && owner.streams.length > 0)
    throw new Error(`${connection.active} streams are left`);
}

/** What streams hear, with everything cut as drawn. */
function heard(role: Role, bytes: Buffer, draw: Draw | null): string {
  const { connection, owner } = begun(role, 'silent');
  let at = 0;
  while (at < bytes.length) {
    const size = draw === null ? bytes.length : 1 + draw.below(draw.below(2) === 0 ? 12 : 2000);
    const end = Math.min(at + size, bytes.length);
    // Elsewhere each time, and overwritten after: nothing may be kept.
    const piece = Buffer.from(bytes.subarray(at, end));
    connection.receive(piece, 0, piece.length, 0);
    piece.fill(0xff);
    at = end;
  }
  finish(connection, owner);
  return owner.summary;
}

/** What is wrong with how an engine takes these bytes, as `kind: what`; null: nothing. */
export function findIn(role: Role, bytes: Buffer, draw: Draw): string | null {
  try {
    talk(role, bytes);
    const whole = heard(role, bytes, null);
    const cut = heard(role, bytes, draw);
    if (whole !== cut) return `split: ${JSON.stringify(whole)} or ${JSON.stringify(cut)}`;
  } catch (error) {
    return `throws: ${error instanceof Error ? error.message : error}`;
  }
  return null;
}
