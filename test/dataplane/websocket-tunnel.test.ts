import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Downstream } from '../../src/dataplane/client/downstream.ts';
import { WebSocketTunnel } from '../../src/dataplane/client/websocket-tunnel.ts';
import type { Context } from '../../src/dataplane/context.ts';
import { TIMEOUTS } from '../../src/dataplane/timeouts.ts';
import { TimerWheel } from '../../src/dataplane/timer-wheel.ts';
import type { Upstream } from '../../src/dataplane/upstream/upstream.ts';
import { Xoshiro128 } from '../../src/dataplane/xoshiro128.ts';
import { SocketStream } from '../../src/os/socket-stream.ts';
import type { Frame } from '../websocket/frame.ts';
import { CLOSE, encodeFrame, FrameReader } from '../websocket/frame.ts';

const SOURCE = new SocketStream();
const KEY = Buffer.from([9, 8, 7, 6]);

/** A tunnel between two ends that remember what reached them. */
class Stage {
  readonly wheel = new TimerWheel(0);
  readonly toClient: Buffer[] = [];
  readonly toBackend: Buffer[] = [];
  readonly tunnel: WebSocketTunnel;
  over = '';
  #now = 0;

  constructor() {
    const context = {
      wheel: this.wheel,
      timeouts: TIMEOUTS,
      random: new Xoshiro128((words) => words.fill(7)),
    } as unknown as Context;
    const copy = (to: Buffer[]) => (bytes: Buffer, start: number, end: number) => {
      to.push(Buffer.from(bytes.subarray(start, end)));
      return true;
    };
    const client = { sendTunnel: copy(this.toClient) } as unknown as Downstream;
    const backend = { sendBody: copy(this.toBackend) } as unknown as Upstream;
    this.tunnel = new WebSocketTunnel(context, client, backend, {
      tunnelOver: (reason) => {
        assert.equal(this.over, '', 'it is over once');
        this.over = reason;
      },
    });
  }

  wait(milliseconds: number): void {
    this.#now += milliseconds;
    this.wheel.advance(this.#now);
  }
}

/** All frames of what came, and whether it ends within one. */
function frames(pieces: readonly Buffer[]): { readonly seen: Frame[]; readonly isInside: boolean } {
  const reader = new FrameReader();
  for (const piece of pieces) reader.push(piece);
  const seen: Frame[] = [];
  for (let frame = reader.next(); frame !== null; frame = reader.next()) seen.push(frame);
  return { seen, isInside: reader.isInside };
}

const said = (mask: Buffer | null): fc.Arbitrary<Buffer[]> =>
  fc.array(
    fc
      .record({
        opcode: fc.constantFrom(0, 1, 2, 9, 10),
        fin: fc.boolean(),
        size: fc.integer({ min: 0, max: 300 }),
      })
      .map(({ size, ...frame }) =>
        encodeFrame({ ...frame, rsv: 0, mask, payload: Buffer.alloc(size, 0x88) }),
      ),
    { minLength: 1, maxLength: 8 },
  );

const isOurs = ({ opcode, payload }: Frame): boolean =>
  opcode === CLOSE && payload.readUInt16BE(0) === 1001 && payload.toString('latin1', 2) === 'draining';

test('wherever a drain comes: whole frames, then the goodbye, then nothing; all of the client passes', () => {
  fc.assert(
    fc.property(
      said(null),
      said(KEY),
      fc.array(fc.nat(), { maxLength: 6 }),
      fc.nat(),
      (backendSays, clientSays, cuts, moment) => {
        const stage = new Stage();
        const { tunnel } = stage;
        const bytes = Buffer.concat(backendSays);
        const asked = moment % (bytes.length + 1);
        const places = [...cuts.map((cut) => cut % (bytes.length + 1)), asked, bytes.length];
        let from = 0;
        for (const to of places.sort((a, b) => a - b)) {
          tunnel.toClient(bytes, from, to, SOURCE);
          from = to;
          if (to === asked) tunnel.drain('draining');
        }
        const whole = Buffer.concat(clientSays);
        tunnel.toBackend(whole, 0, whole.length, SOURCE);
        assert.ok(Buffer.concat(stage.toBackend).equals(whole));

        let boundary = 0;
        for (const frame of backendSays) if (boundary < asked) boundary += frame.length;
        const came = Buffer.concat(stage.toClient);
        assert.ok(
          came.subarray(0, boundary).equals(bytes.subarray(0, boundary)),
          'what was under way is whole',
        );
        const { seen, isInside } = frames([came.subarray(boundary)]);
        assert.deepEqual([seen.length, isInside, seen.every(isOurs)], [1, false, true]);

        // Nobody answers: the backend is told in the client's place, and then it is over.
        stage.wait(1200);
        const last = frames([Buffer.concat(stage.toBackend).subarray(whole.length)]);
        assert.deepEqual(
          [last.seen.length, last.seen.every(isOurs), last.seen[0]!.mask !== null],
          [1, true, true],
        );
        assert.equal(stage.over, '');
        stage.wait(1200);
        assert.equal(stage.over, 'draining');
        assert.equal(stage.wheel.armed, 0);
      },
    ),
  );
});

const goodbye = (mask: Buffer | null, text: string): Buffer =>
  encodeFrame({ fin: true, rsv: 0, opcode: CLOSE, mask, payload: Buffer.from(`\u0003~${text}`, 'latin1') });

test('the goodbye of a side behind a frame in the same read is found, though it does not go through', () => {
  const stage = new Stage();
  const frame = encodeFrame({ fin: true, rsv: 0, opcode: 1, mask: null, payload: Buffer.from('under way') });
  const own = goodbye(null, '');
  stage.tunnel.toClient(frame, 0, 4, SOURCE);
  stage.tunnel.drain('draining');
  const rest = Buffer.concat([frame.subarray(4), own]);
  stage.tunnel.toClient(rest, 0, rest.length, SOURCE);
  assert.deepEqual(frames(stage.toClient).seen.map(isOurs), [false, true]);
  const answer = goodbye(KEY, 'client');
  stage.tunnel.toBackend(answer, 0, answer.length, SOURCE);
  assert.ok(Buffer.concat(stage.toBackend).equals(answer));
  assert.equal(stage.over, 'draining');
});

test('a backend whose own goodbye is what was under way says it itself, and what it says behind passes too', () => {
  const stage = new Stage();
  const own = goodbye(null, 'mine');
  stage.tunnel.toClient(own, 0, 3, SOURCE);
  stage.tunnel.drain('draining');
  const rest = Buffer.concat([own.subarray(3), own]);
  stage.tunnel.toClient(rest, 0, rest.length, SOURCE);
  assert.ok(Buffer.concat(stage.toClient).equals(Buffer.concat([own, own])));
});

test('where nobody knows where frames end, nothing of ours is put in, and it is over after one wait', () => {
  const stage = new Stage();
  const lost = Buffer.from([0x82, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
  stage.tunnel.toBackend(lost, 0, lost.length, SOURCE);
  stage.tunnel.toClient(lost, 0, lost.length, SOURCE);
  stage.tunnel.drain('tunnel_idle');
  stage.tunnel.lastWords();
  assert.ok(Buffer.concat(stage.toClient).equals(lost));
  stage.wait(1200);
  assert.ok(Buffer.concat(stage.toBackend).equals(lost));
  assert.equal(stage.over, 'tunnel_idle');
});

test('asked twice it says so once; a stop before its time says nothing', () => {
  const stage = new Stage();
  stage.tunnel.drainSoon();
  stage.tunnel.drainSoon();
  stage.wait(2200);
  stage.tunnel.drain('tunnel_idle');
  assert.equal(stage.toClient.length, 1);
  const stopped = new Stage();
  stopped.tunnel.drainSoon();
  stopped.tunnel.stop();
  stopped.wait(5000);
  assert.deepEqual([stopped.toClient.length, stopped.over, stopped.wheel.armed], [0, '', 0]);
});
