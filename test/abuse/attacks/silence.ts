import { setTimeout as pass } from 'node:timers/promises';
import { type Attack, SILENCE_MS, type Target } from '../attack.ts';
import {
  END_HEADERS,
  END_STREAM,
  type Fate,
  field,
  frame,
  headers,
  INITIAL_WINDOW_SIZE,
  PREFACE,
  request,
  settings,
  TYPE,
  Wire,
} from '../wire.ts';

/** Of all connections: the last that ended, and null where one stayed. */
function together(wires: readonly Wire[]): Fate {
  const fates = wires.map(({ fate }) => fate);
  const sum = (of: (fate: Fate) => number) => fates.reduce((total, fate) => total + of(fate), 0);
  return {
    goAway: fates.find(({ goAway }) => goAway !== null)?.goAway ?? null,
    endedMs: fates.some(({ endedMs }) => endedMs === null)
      ? null
      : Math.max(...fates.map(({ endedMs }) => endedMs!)),
    sent: sum(({ sent }) => sent),
    resets: sum(({ resets }) => resets),
    answers: sum(({ answers }) => answers),
  };
}

interface Silent {
  readonly connections: number;
  readonly target?: Target;
  readonly reads?: boolean;
  readonly faults?: readonly string[];
  readonly mostMb?: number;
  readonly open: (port: number, reads: boolean) => Promise<Wire>;
  /** Said by each, once a second. */
  readonly drip?: (second: number) => Buffer;
}

/** Connections that ask for much and then say little or nothing. */
function silent(
  name: string,
  { connections, target = 'impatient', reads = true, faults = [], mostMb, open, drip }: Silent,
): Attack {
  return {
    name,
    target,
    faults,
    ...(mostMb === undefined ? {} : { mostMb }),
    prepare: () => async (port) => {
      const wires = await Promise.all(Array.from({ length: connections }, () => open(port, reads)));
      const until = performance.now() + SILENCE_MS;
      for (let second = 0; performance.now() < until && wires.some((wire) => !wire.isOver); second += 1) {
        if (drip !== undefined) for (const wire of wires) wire.say(drip(second));
        await Promise.race([Promise.all(wires.map((wire) => wire.ended)), pass(1000)]);
      }
      for (const wire of wires) wire.close();
      return together(wires);
    },
  };
}

function asking(path: string, streams: number, ours = settings()): Silent['open'] {
  const requests = Buffer.concat(
    Array.from({ length: streams }, (_, index) => headers(2 * index + 1, request(path))),
  );
  return async (port, reads) => {
    const wire = await Wire.greeted(port, ours, reads);
    wire.say(requests);
    return wire;
  };
}

function uploading(streams: number): Silent['open'] {
  const requests = Buffer.concat(
    Array.from({ length: streams }, (_, index) =>
      headers(2 * index + 1, request('/sink', 'POST'), END_HEADERS),
    ),
  );
  return async (port, reads) => {
    const wire = await Wire.greeted(port, settings(), reads);
    wire.say(requests);
    return wire;
  };
}

/** Greets and then says just this. */
function saying(bytes: Buffer): Silent['open'] {
  return async (port, reads) => {
    const wire = await Wire.greeted(port, settings(), reads);
    wire.say(bytes);
    return wire;
  };
}

const NO_WINDOW = settings([INITIAL_WINDOW_SIZE, 0]);

export const SILENCE: readonly Attack[] = [
  silent('100 connections with 128 streams each that read nothing, small answers', {
    connections: 100,
    reads: false,
    // 12,800 requests under way at once: 30 to 102 MB were seen, which is more than the 32 wished for.
    mostMb: 128,
    open: asking('/small', 128),
  }),
  silent('100 connections with 128 streams each that read nothing, answers of 1 MB', {
    connections: 100,
    reads: false,
    // A thousand backend connections, which is the cluster's limit, with a read of 64 KB each; the collector takes its
    // time with them.
    // 67 to 200 MB were seen.
    mostMb: 224,
    open: asking('/big', 128),
  }),
  silent('10 connections with 128 streams and no window for ever', {
    connections: 10,
    open: asking('/big', 128, NO_WINDOW),
  }),
  silent('500 connections that say only the preface', {
    connections: 500,
    open: async (port, reads) => {
      const wire = await Wire.open(port, reads);
      wire.say(PREFACE);
      return wire;
    },
  }),
  silent('500 connections that say nothing after their settings', {
    connections: 500,
    open: saying(Buffer.alloc(0)),
  }),
  silent('500 connections that leave a frame half said', {
    connections: 500,
    open: saying(headers(1, request('/small')).subarray(0, 12)),
  }),
  silent('heads whose CONTINUATIONs come once a second', {
    connections: 100,
    open: saying(headers(1, request('/small'), END_STREAM)),
    drip: () => frame(TYPE.CONTINUATION, 0, 1, field('x', 'y')),
  }),
  silent('such heads beside a request that goes on', {
    connections: 20,
    open: saying(Buffer.concat([headers(1, request('/slow')), headers(3, request('/small'), END_STREAM)])),
    drip: () => frame(TYPE.CONTINUATION, 0, 3, field('x', 'y')),
  }),
  silent('bodies of one byte a second, 128 on each of 10 connections', {
    connections: 10,
    open: uploading(128),
    drip: () =>
      Buffer.concat(
        Array.from({ length: 128 }, (_, index) => frame(TYPE.DATA, 0, 2 * index + 1, Buffer.from('x'))),
      ),
  }),
  silent('PING once a second and nothing else', {
    connections: 100,
    open: saying(Buffer.alloc(0)),
    drip: () => frame(TYPE.PING, 0, 0, Buffer.alloc(8)),
  }),
  {
    // Refused in the proxy itself, so that no backend slows it down, and nothing follows the heads.
    name: 'HEAD requests without end whose answers nobody reads',
    target: 'impatient',
    faults: [],
    prepare() {
      const bursts: Buffer[] = [];
      for (let first = 1; first < 400_000; first += 2000)
        bursts.push(
          Buffer.concat(
            Array.from({ length: 1000 }, (_, index) => headers(first + 2 * index, request('/a%2fb', 'HEAD'))),
          ),
        );
      return async (port) => {
        const wire = await Wire.greeted(port, settings(), false);
        await wire.flood(bursts, SILENCE_MS / 2, false);
        wire.close();
        return wire.fate;
      };
    },
  },
];
