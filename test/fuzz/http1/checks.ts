import { isDeepStrictEqual } from 'node:util';
import { HTTP_DEFAULTS } from '../../../src/model/http-settings.ts';
import { HEAD_DONE, HeadParser, RESPONSE_HEADS } from '../../../src/wire/http1/head-parser.ts';
import { RequestTarget } from '../../../src/wire/http1/target.ts';
import { MessageWriter } from '../../../src/wire/http1/writer.ts';
import type { Draw } from '../../draw.ts';
import { difference, isListed } from '../../wire/http1/differential.ts';
import type { RequestOracle } from '../../wire/http1/llhttp-oracle.ts';
import type { Role } from '../../wire/http1/stream.ts';
import { readStream } from '../../wire/http1/stream.ts';

const MOST_CUTS_EVERYWHERE = 400;

/** What is wrong with how we read `text`, or null. The name before the colon tells finds apart. */
export async function findIn(
  role: Role,
  text: string,
  draw: Draw,
  oracle: RequestOracle,
): Promise<string | null> {
  const bytes = Buffer.from(text, 'latin1');
  try {
    return (
      splitFind(role, bytes, draw) ??
      truncationFind(role, bytes, draw) ??
      roundTripFind(role, bytes) ??
      (await differenceFind(role, bytes, oracle))
    );
  } catch (error) {
    return `throws: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

/** However the bytes are cut, they mean the same. */
function splitFind(role: Role, bytes: Buffer, draw: Draw): string | null {
  const whole = readStream(role, bytes);
  const drawn = Array.from({ length: 1 + draw.below(5) }, () => draw.below(bytes.length + 1));
  for (const cuts of [
    drawn,
    draw.below(8) === 0 && bytes.length <= MOST_CUTS_EVERYWHERE ? Array.from(bytes.keys()) : [],
  ]) {
    const cut = readStream(role, bytes, { cuts });
    if (!isDeepStrictEqual(cut, whole))
      return `split: cut at ${cuts.slice(0, 8)} gives ${JSON.stringify(cut).slice(0, 300)}, whole ${JSON.stringify(whole).slice(0, 300)}`;
  }
  return null;
}

/** Less of the bytes gives a beginning of the same messages, and none that is not there in full. */
function truncationFind(role: Role, bytes: Buffer, draw: Draw): string | null {
  const whole = readStream(role, bytes);
  for (let tries = 0; tries < 3; tries += 1) {
    const end = draw.below(bytes.length + 1);
    const part = readStream(role, bytes.subarray(0, end));
    const last = part.messages.at(-1);
    // What only the end of the connection ends is whole whenever that comes.
    const toEnd =
      role === 'response' && part.ending === 'closed' && part.consumed === end && last?.keepAlive === false;
    const count = toEnd ? part.messages.length - 1 : part.messages.length;
    if (!isDeepStrictEqual(part.messages.slice(0, count), whole.messages.slice(0, count)))
      return `truncation: the first ${end} bytes have messages that all of them have not`;
    if (!toEnd && part.consumed > end) return `truncation: ${part.consumed} bytes used of ${end}`;
  }
  return null;
}

/** What the writer makes of the fields reads as the same fields; a path that was read once reads as itself. */
function roundTripFind(role: Role, bytes: Buffer): string | null {
  const settings = role === 'request' ? HTTP_DEFAULTS : RESPONSE_HEADS;
  const head = new HeadParser(role, settings);
  if (head.parse(bytes, 0, bytes.length) !== HEAD_DONE) return null;
  const target = new RequestTarget();
  const isRead = role === 'response' || target.read(head, HTTP_DEFAULTS.path) === null;
  if (!isRead) return null;
  const writer = new MessageWriter(bytes.length * 2 + 1024);
  writer.latin1(
    role === 'response'
      ? `HTTP/1.1 ${head.status} \r\n`
      : `${head.text(head.methodStart, head.methodEnd)} ${target.path}${target.query} HTTP/1.1\r\n`,
  );
  if (role === 'request' && head.framing.hostStart === -1) writer.latin1('Host: a\r\n');
  const before = Array.from(
    { length: head.fieldCount },
    (_, field) => `${head.name(field)}: ${head.value(field)}`,
  );
  writer.fields(head, new Uint8Array(32), null);
  writer.endHead();
  const again = new HeadParser(role, {
    ...settings,
    limits: {
      ...settings.limits,
      headerCount: settings.limits.headerCount + 1,
      headerBytes: settings.limits.headerBytes * 2,
      requestLineBytes: settings.limits.requestLineBytes * 2,
    },
  });
  const written = Buffer.from(writer.block.subarray(0, writer.length));
  // An HTTP/1.0 head may say what 1.1 must not; the proxy drops such fields.
  if (again.parse(written, 0, written.length) !== HEAD_DONE)
    return head.version === 10 && again.fault === 'invalid_expectation'
      ? null
      : `round trip: what was written is refused: ${again.fault}: ${written.toString('latin1')}`;
  const after = Array.from(
    { length: again.fieldCount },
    (_, field) => `${again.name(field)}: ${again.value(field)}`,
  );
  const expected = role === 'request' && head.framing.hostStart === -1 ? ['Host: a', ...before] : before;
  if (!isDeepStrictEqual(after, expected))
    return `round trip: fields ${JSON.stringify(expected)} became ${JSON.stringify(after)}`;
  if (
    again.framing.contentLength !== head.framing.contentLength ||
    again.framing.chunked !== head.framing.chunked
  )
    return 'round trip: framing changed';
  if (role === 'response') return null;
  const second = new RequestTarget();
  const fault = second.read(again, HTTP_DEFAULTS.path);
  const absolute = fault === 'host_conflict' || fault === 'invalid_host';
  if (!absolute && (fault !== null || second.path !== target.path || second.query !== target.query))
    return `round trip: path ${target.path}${target.query} became ${fault ?? second.path + second.query}`;
  return null;
}

/** Both readers agree, or differ in a way that is listed with its reason. */
async function differenceFind(role: Role, bytes: Buffer, oracle: RequestOracle): Promise<string | null> {
  const found = await difference(role, bytes, oracle);
  if (found === null || isListed(role, found, bytes.toString('latin1'))) return null;
  const side = found.side === 'both' ? 'both differently' : found.side;
  return `difference ${found.side} ${found.key}: taken by ${side}, ${found.key}`;
}
