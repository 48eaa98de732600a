import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Draw } from '../../draw.ts';
import { framesOf } from '../../wire/h2/frames.ts';
import type { Fuzzer } from '../fuzzer.ts';
import { findIn } from './checks.ts';
import { drawnFrames, type Role } from './frame-draw.ts';

const FINDS = fileURLToPath(new URL('../finds/h2', import.meta.url));
const SHRINK_SEED = 1;

export interface Find {
  readonly name: string;
  readonly role: Role;
  readonly bytes: Buffer;
}

/** What was found before: `NAME.server.bin` is what a server was sent. */
export function finds(): Find[] {
  mkdirSync(FINDS, { recursive: true });
  return readdirSync(FINDS)
    .filter((name) => name.endsWith('.bin'))
    .sort()
    .map((name) => ({
      name,
      role: name.includes('.client.') ? 'client' : 'server',
      bytes: readFileSync(join(FINDS, name)),
    }));
}

/** Leaves out frame by frame what is not needed for a find of this kind. */
function shrunk(role: Role, bytes: Buffer, isAlike: (find: string | null) => boolean): Buffer {
  let best = bytes;
  for (let place = framesOf(best).length - 1; place >= 0; place -= 1) {
    const ends = [0];
    for (const { payload } of framesOf(best)) ends.push(ends.at(-1)! + 9 + payload.length);
    if (place + 1 >= ends.length) continue;
    const fewer = Buffer.concat([best.subarray(0, ends[place]), best.subarray(ends[place + 1])]);
    if (isAlike(judged(role, fewer, new Draw(SHRINK_SEED)))) best = fewer;
  }
  return best;
}

function judged(role: Role, bytes: Buffer, draw: Draw): string | null {
  const find = findIn(role, bytes, draw);
  return find === null ? null : `${role} ${find}`;
}

/** Drawn frames to either role. */
export function http2Fuzzer(seed: number): Fuzzer<{ readonly role: Role; readonly bytes: Buffer }> {
  const draw = new Draw(seed);
  return {
    draw: () => {
      const role: Role = draw.below(3) === 0 ? 'client' : 'server';
      return { role, bytes: drawnFrames(draw, role) };
    },
    find: ({ role, bytes }) => judged(role, bytes, draw),
    shrink: ({ role, bytes }, isAlike) => ({ role, bytes: shrunk(role, bytes, isAlike) }),
    keep: ({ role, bytes }, kind) => {
      mkdirSync(FINDS, { recursive: true });
      const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
      const file = join(FINDS, `${kind.slice(role.length + 1)}-${digest}.${role}.bin`);
      writeFileSync(file, bytes);
      return file;
    },
    show: ({ bytes }) => bytes.toString('hex'),
  };
}
