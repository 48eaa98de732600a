import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Draw } from '../../draw.ts';
import { framesOf } from '../../wire/h2/frames.ts';
import type { FuzzResult } from '../http1/fuzz.ts';
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

function kindOf(find: string): string {
  return find.slice(0, find.indexOf(':'));
}

/** Leaves out frame by frame what is not needed for a find of this kind. */
function shrunk(role: Role, bytes: Buffer, kind: string): Buffer {
  let best = bytes;
  for (let place = framesOf(best).length - 1; place >= 0; place -= 1) {
    const ends = [0];
    for (const { payload } of framesOf(best)) ends.push(ends.at(-1)! + 9 + payload.length);
    if (place + 1 >= ends.length) continue;
    const fewer = Buffer.concat([best.subarray(0, ends[place]), best.subarray(ends[place + 1])]);
    const find = findIn(role, fewer, new Draw(SHRINK_SEED));
    if (find !== null && kindOf(find) === kind) best = fewer;
  }
  return best;
}

/** Sends drawn frames to both roles until the time is over; each kind of find is shrunk and kept once. */
export function fuzzHttp2(seed: number, milliseconds: number, say: (line: string) => void): FuzzResult {
  const draw = new Draw(seed);
  const files: string[] = [];
  const kinds = new Set<string>();
  const began = performance.now();
  let executions = 0;
  for (; performance.now() - began < milliseconds; executions += 1) {
    const role: Role = draw.below(3) === 0 ? 'client' : 'server';
    const bytes = drawnFrames(draw, role);
    const find = findIn(role, bytes, draw);
    if (find === null) continue;
    const kind = `${role} ${find.slice(0, 60)}`;
    if (kinds.has(kind)) continue;
    kinds.add(kind);
    const small = shrunk(role, bytes, kindOf(find));
    mkdirSync(FINDS, { recursive: true });
    const digest = createHash('sha256').update(small).digest('hex').slice(0, 8);
    const file = join(FINDS, `${kindOf(find)}-${digest}.${role}.bin`);
    writeFileSync(file, small);
    files.push(file);
    say(`${role} ${find}\n  ${small.toString('hex')}\n  ${file}`);
  }
  return { executions, finds: files };
}
