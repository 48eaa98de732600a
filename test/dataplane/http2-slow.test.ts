import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { FLAG, FRAME } from '../../src/wire/h2/frame.ts';
import { field, frame, framesOf, GET, POST, PREFACE, ping, settings } from '../wire/h2/frames.ts';
import { clocked, until } from './clocked.ts';
import type { Harness } from './harness.ts';
import { startProxy, withHttp } from './harness.ts';
import type { RawBackend } from './raw.ts';
import { answering, OK, RawClient, rawBackend } from './raw.ts';

const SETTINGS = frame(FRAME.SETTINGS, 0, 0);
const ACK = frame(FRAME.SETTINGS, FLAG.ACK, 0);
const WHOLE = FLAG.END_HEADERS | FLAG.END_STREAM;
const SETTINGS_TIMEOUT = 4;
const ENHANCE_YOUR_CALM = 11;
const INITIAL_WINDOW_SIZE = 4;

interface Scene {
  readonly harness: Harness;
  readonly backend: RawBackend;
  readonly client: RawClient;
  advance(milliseconds: number): void;
  /** Codes of the GOAWAYs that have come. */
  goAways(): number[];
  /** Streams that were reset, by the code. */
  resets(): Map<number, number>;
  settled(): Promise<void>;
}

/** A client with its preface and settings, before a proxy with 10 s for heads, 60 s idle, 10 s for writes. */
async function scene(
  context: TestContext,
  said: readonly Buffer[],
  serve: (socket: Socket, bytes: Buffer) => void = answering(OK),
  http = withHttp({}),
): Promise<Scene> {
  const { system, advance } = clocked();
  const backend = await rawBackend(context, serve);
  const harness = await startProxy(context, [backend.port], { system, listener: http });
  const client = new RawClient(harness.port);
  context.after(() => client.socket.destroy());
  if (said.length > 0) client.send(Buffer.concat([...said]));
  const frames = () => framesOf(Buffer.from(client.text, 'latin1'));
  let pings = 0;
  return {
    harness,
    backend,
    client,
    advance,
    goAways: () =>
      frames()
        .filter(({ type }) => type === FRAME.GOAWAY)
        .map(({ payload }) => payload.readUInt32BE(4)),
    resets: () =>
      new Map(
        frames()
          .filter(({ type }) => type === FRAME.RST_STREAM)
          .map(({ id, payload }) => [id, payload.readUInt32BE(0)]),
      ),
    // All that was sent before has been read.
    settled: async () => {
      pings += 1;
      client.send(ping(String(pings).padStart(8, '0')));
      await client.until(
        () =>
          frames().filter(
            ({ type, flags, payload }) =>
              type === FRAME.PING && flags === FLAG.ACK && Number(payload) === pings,
          ).length > 0,
      );
    },
  };
}

const GREETING = [PREFACE, SETTINGS, ACK] as const;

test('settings that are never acknowledged end the connection, also while requests are served', async (context) => {
  const on = await scene(context, [PREFACE, SETTINGS]);
  for (let second = 1; second <= 9; second += 1) {
    on.client.send(frame(FRAME.HEADERS, WHOLE, 2 * second - 1, GET));
    await on.settled();
    on.advance(1000);
    assert.deepEqual(on.goAways(), [], `after ${second} s`);
  }
  on.advance(6000);
  await on.client.untilOver();
  assert.deepEqual(on.goAways(), [SETTINGS_TIMEOUT]);
  assert.equal(on.harness.count('http2_faults', { reason: 'settings_timeout' }), 1);
});

test('nothing but the preface ends so too, and half a preface as a head that does not end', async (context) => {
  const on = await scene(context, [PREFACE]);
  await on.client.until(({ text }) => text.length > 0);
  on.advance(16_000);
  await on.client.untilOver();
  assert.deepEqual(on.goAways(), [SETTINGS_TIMEOUT]);
  const half = await scene(context, [PREFACE.subarray(0, 20)]);
  await until(() => half.harness.count('open_connections') === 1);
  half.advance(61_000);
  await half.client.untilOver();
});

test('a head whose CONTINUATIONs drip has the time of a head, beside requests that go on', async (context) => {
  const on = await scene(context, [...GREETING, frame(FRAME.HEADERS, WHOLE, 1, GET)], () => {});
  await on.settled();
  on.client.send(frame(FRAME.HEADERS, FLAG.END_STREAM, 3, GET));
  for (let second = 0; second < 9; second += 1) {
    on.client.send(frame(FRAME.CONTINUATION, 0, 3, field('x', 'y')));
    await new Promise((resolve) => setImmediate(resolve));
    on.advance(1000);
    assert.deepEqual(on.goAways(), []);
  }
  on.advance(7000);
  await on.client.untilOver();
  assert.deepEqual(on.goAways(), [ENHANCE_YOUR_CALM]);
  assert.equal(on.harness.count('http2_faults', { reason: 'frame_timeout' }), 1);
  await until(() => on.harness.count('active_connections') === 0);
});

for (const [name, bytes] of [
  ['half the header of a frame', SETTINGS.subarray(0, 5)],
  ['half a head', frame(FRAME.HEADERS, WHOLE, 1, GET).subarray(0, 12)],
  ['half a PING', ping().subarray(0, 12)],
] as const)
  test(`${name} for ever has the time of a head`, async (context) => {
    const on = await scene(context, GREETING);
    await on.settled();
    on.client.send(bytes);
    await new Promise((resolve) => setTimeout(resolve, 20));
    on.advance(9000);
    assert.deepEqual(on.goAways(), []);
    on.advance(7000);
    await on.client.untilOver();
    assert.deepEqual(on.goAways(), [ENHANCE_YOUR_CALM]);
  });

test('frames that come in parts, again and again, are none that do not end', async (context) => {
  const on = await scene(context, GREETING);
  const whole = ping();
  on.client.send(whole.subarray(0, 12));
  for (let second = 0; second < 30; second += 1) {
    on.client.send(Buffer.concat([whole.subarray(12), whole.subarray(0, 12)]));
    await on.client.until(({ text }) => framesOf(Buffer.from(text, 'latin1')).length >= second + 3);
    on.advance(1000);
  }
  assert.deepEqual(on.goAways(), []);
});

test('a connection without requests ends after its idle time, whatever frames come meanwhile', async (context) => {
  const on = await scene(context, [...GREETING, frame(FRAME.HEADERS, WHOLE, 1, GET)]);
  await on.client.until(({ text }) =>
    framesOf(Buffer.from(text, 'latin1')).some(({ type }) => type === FRAME.HEADERS),
  );
  for (let second = 0; second < 58; second += 1) {
    await on.settled();
    on.advance(1000);
  }
  assert.deepEqual(on.goAways(), []);
  on.advance(8000);
  await on.client.untilOver();
  assert.deepEqual(on.goAways(), [0]);
});

test('a window that stays shut costs its stream after a window of 5 s, and the connection stays', async (context) => {
  const on = await scene(context, [
    PREFACE,
    settings(INITIAL_WINDOW_SIZE, 0),
    ACK,
    frame(FRAME.HEADERS, WHOLE, 1, GET),
  ]);
  await on.client.until(({ text }) =>
    framesOf(Buffer.from(text, 'latin1')).some(({ type }) => type === FRAME.HEADERS),
  );
  on.advance(4000);
  await on.settled();
  assert.equal(on.resets().size, 0);
  on.advance(3000);
  await on.client.until(() => on.resets().size > 0);
  assert.deepEqual([...on.resets().keys()], [1]);
  assert.deepEqual(on.goAways(), []);
});

test('a body that drips is answered with 408 on its own stream', async (context) => {
  const on = await scene(context, [...GREETING, frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, POST)], () => {});
  for (let second = 0; second < 12; second += 1) {
    on.client.send(frame(FRAME.DATA, 0, 1, Buffer.from('x')));
    await on.settled();
    on.advance(1000);
  }
  await on.client.untilText('request_timeout');
  assert.equal(on.harness.count('local_response_count', { reason: 'request_timeout' }), 1);
  assert.deepEqual(on.goAways(), []);
});

test('drain: a client that does not answer the notice is told the last request, and let go', async (context) => {
  const on = await scene(context, [...GREETING, frame(FRAME.HEADERS, WHOLE, 1, GET)]);
  await on.client.until(({ text }) =>
    framesOf(Buffer.from(text, 'latin1')).some(({ type }) => type === FRAME.HEADERS),
  );
  on.harness.dataplane.drainListener(on.harness.listenerConfig().name);
  await on.client.until(() => on.goAways().length === 1);
  on.advance(2000);
  await on.client.untilOver();
  assert.deepEqual(new Set(on.goAways()), new Set([0]));
  assert.ok(on.goAways().length >= 2);
});
