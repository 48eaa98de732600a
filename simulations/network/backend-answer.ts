import type { Prng } from '../prng.ts';
import { pattern } from './pattern.ts';

/** How a backend behaves; chances of each deviation for a request. */
export interface Temperament {
  /** Ends the connection at any byte of the answer. */
  readonly die: number;
  /** Says nothing any more, from any byte on. */
  readonly stall: number;
  /** Sends the answer in small pieces, with pauses. */
  readonly slow: number;
  /** Sends something that is not the answer. */
  readonly lie: number;
  /** Answers before it has read the request's body. */
  readonly early: number;
  /** Closes a connection after an answer without having said so. */
  readonly closeIdle: number;
  /** Answers as HTTP/1.0: without chunks, and its connection ends. */
  readonly old: number;
  /** The longest that it thinks about an answer, in ms. */
  readonly thinkMs: number;
  /** The longest answer, in bytes. */
  readonly mostBytes: number;
}

export const WELL: Temperament = {
  die: 0,
  stall: 0,
  slow: 0,
  lie: 0,
  early: 0,
  closeIdle: 0,
  old: 0,
  thinkMs: 10,
  mostBytes: 4_000,
};

export interface PlannedAnswer {
  readonly bytes: Buffer;
  readonly status: number;
  /** Of the body, as whoever reads the answer by the rules gets it. */
  readonly length: number;
  /** It ends as the rules say. */
  readonly isWhole: boolean;
  /** The connection ends after it. */
  readonly closes: boolean;
  /** Where nothing but the end of the connection ends it: where its body begins. Else -1. */
  readonly openBodyAt: number;
  /** How it ends before its time: not, by a FIN, by a RST, by silence. */
  readonly cut: 'no' | 'end' | 'reset' | 'silence';
  /** There are bytes after its end, or none that could be it. */
  readonly isPoisonous: boolean;
  readonly isSlow: boolean;
  readonly lie: string;
}

const LIES = ['garbage', 'too-long', 'too-short', 'second-answer', 'two-lengths', 'bad-chunk'] as const;

/** Draws an answer of that id: what is sent, and what must come of it. */
export function planAnswer(id: number, method: string, temperament: Temperament, prng: Prng): PlannedAnswer {
  const status = prng.chance(0.9) ? 200 : prng.pick([204, 404, 500]);
  const hasBody = method !== 'HEAD' && status !== 204;
  const length = hasBody ? bodyLength(prng, temperament.mostBytes) : 0;
  const isOld = prng.chance(temperament.old);
  const drawn = !hasBody || prng.chance(0.6) ? 'length' : prng.pick(['chunked', 'chunked', 'close'] as const);
  const framing = isOld && drawn === 'chunked' ? 'close' : drawn;
  const body = pattern(id, 0, length);
  const lie = hasBody && prng.chance(temperament.lie) ? prng.pick(LIES) : '';
  const closes = framing === 'close' || isOld || lie !== '' || prng.chance(0.05);
  const interim = !isOld && prng.chance(0.03) ? 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n' : '';
  const head = (fields: string) =>
    Buffer.from(
      `${interim}HTTP/1.${isOld && lie === '' ? 0 : 1} ${status} Said\r\nX-Answer: ${id}\r\nX-Secret: of the backend\r\n${fields}${closes && prng.chance(0.5) ? 'Connection: close\r\n' : ''}\r\n`,
      'latin1',
    );
  const plan = {
    status,
    length,
    isWhole: true,
    closes,
    openBodyAt: -1,
    cut: 'no' as const,
    isPoisonous: false,
    isSlow: prng.chance(temperament.slow),
    lie,
  };
  switch (lie) {
    case 'garbage':
      return { ...plan, bytes: pattern(id, 7, 10 + length), isWhole: false, isPoisonous: true };
    case 'too-long': {
      const said = Math.floor(length / 2);
      const bytes = Buffer.concat([head(`Content-Length: ${said}\r\n`), body]);
      return { ...plan, bytes, length: said, isPoisonous: true };
    }
    case 'too-short':
      return {
        ...plan,
        bytes: Buffer.concat([head(`Content-Length: ${length + 10}\r\n`), body]),
        isWhole: false,
      };
    case 'second-answer': {
      const answer = Buffer.concat([head(`Content-Length: ${length}\r\n`), body]);
      return { ...plan, bytes: Buffer.concat([answer, answer]), isPoisonous: true };
    }
    case 'two-lengths': {
      const fields = `Content-Length: ${length}\r\nContent-Length: ${length + 1}\r\n`;
      return { ...plan, bytes: Buffer.concat([head(fields), body]), isWhole: false };
    }
    case 'bad-chunk': {
      const bytes = Buffer.concat([head('Transfer-Encoding: chunked\r\n'), Buffer.from('zz\r\n'), body]);
      return { ...plan, bytes, isWhole: false };
    }
  }
  let bytes: Buffer;
  if (framing === 'chunked')
    bytes = Buffer.concat([head('Transfer-Encoding: chunked\r\n'), chunks(body, prng)]);
  else if (framing === 'length' && status !== 204)
    bytes = Buffer.concat([
      head(`Content-Length: ${method === 'HEAD' ? prng.below(1_000) : length}\r\n`),
      body,
    ]);
  else bytes = Buffer.concat([head(''), body]);
  const openBodyAt = framing === 'close' ? bytes.length - length : -1;
  if (!prng.chance(temperament.die + temperament.stall)) return { ...plan, bytes, openBodyAt };
  const stalls = prng.chance(temperament.stall / (temperament.die + temperament.stall));
  const cut = stalls ? 'silence' : prng.chance(0.5) ? 'end' : 'reset';
  const at = prng.chance(0.3) ? 0 : prng.below(bytes.length);
  const sent = bytes.subarray(0, at);
  // What ends with the connection is whole wherever the connection ends, once the head is there.
  const isWhole = openBodyAt !== -1 && cut === 'end' && at >= openBodyAt;
  return { ...plan, bytes: sent, openBodyAt, cut, isWhole, length: isWhole ? at - openBodyAt : length };
}

function bodyLength(prng: Prng, most: number): number {
  const size = prng.next();
  if (size < 0.15) return 0;
  if (size < 0.7) return 1 + prng.below(Math.min(most, 200));
  return 1 + prng.below(most);
}

function chunks(body: Buffer, prng: Prng): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const length = Math.min(body.length - at, 1 + prng.below(Math.max(100, body.length)));
    parts.push(
      Buffer.from(`${length.toString(16)}\r\n`),
      body.subarray(at, at + length),
      Buffer.from('\r\n'),
    );
    at += length;
  }
  parts.push(Buffer.from(prng.chance(0.1) ? '0\r\nX-Trailer: 1\r\n\r\n' : '0\r\n\r\n'));
  return Buffer.concat(parts);
}
