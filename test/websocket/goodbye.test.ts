import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Clocked } from '../dataplane/clocked.ts';
import { clocked, until } from '../dataplane/clocked.ts';
import type { Harness } from '../dataplane/harness.ts';
import { cluster, LISTENER, startProxy, untilRefused, withHttp } from '../dataplane/harness.ts';
import { encodeFrame, FrameReader, TEXT } from './frame.ts';
import type { Opened } from './hub.ts';
import { ask, hub, OPENING } from './hub.ts';
import { CLIENTS, SERVERS } from './paths.ts';

const CLOSE = 8;
const KEY = Buffer.from([1, 2, 3, 4]);

/** One side: its frames as `opcode payload`, a Close as its code and reason; `ends` where the other side has ended. */
class Peer {
  readonly saw: string[] = [];
  readonly socket: Duplex;
  /** Bytes behind the handshake. */
  got = 0;
  readonly #masks: boolean;
  readonly #reader = new FrameReader();

  constructor({ socket, rest }: Opened, masks: boolean) {
    this.socket = socket;
    this.#masks = masks;
    const receive = (bytes: Buffer): void => {
      this.got += bytes.length;
      this.#reader.push(Buffer.from(bytes));
      for (let frame = this.#reader.next(); frame !== null; frame = this.#reader.next()) {
        assert.equal(frame.mask === null, masks, 'masked towards the server, and only there');
        const { opcode, payload } = frame;
        this.saw.push(
          opcode === CLOSE
            ? `close ${payload.readUInt16BE(0)} ${payload.subarray(2)}`
            : `${opcode} ${payload.length > 40 ? payload.length : payload}`,
        );
      }
    };
    if (rest.length > 0) receive(rest);
    socket.on('data', receive);
    socket.on('end', () => this.saw.push(this.#reader.isInside ? 'ends within a frame' : 'ends'));
    socket.resume();
  }

  frame(opcode: number, payload: string | Buffer): Buffer {
    const mask = this.#masks ? KEY : null;
    return encodeFrame({ fin: true, rsv: 0, opcode, mask, payload: Buffer.from(payload) });
  }

  say(text: string): void {
    this.socket.write(this.frame(TEXT, text));
  }

  close(code: number, reason = ''): void {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    this.socket.write(this.frame(CLOSE, Buffer.concat([payload, Buffer.from(reason)])));
  }

  async sees(...wanted: string[]): Promise<void> {
    await until(() => this.saw.length >= wanted.length);
    assert.deepEqual(this.saw, wanted);
  }
}

interface Talk extends Clocked {
  readonly proxy: Harness;
  readonly client: Peer;
  readonly backend: Peer;
}

let paths = 0;

type Protocol = keyof typeof SERVERS;

async function talk(
  context: TestContext,
  options: Parameters<typeof startProxy>[2] = {},
  [front, back]: readonly [Protocol, Protocol] = ['HTTP/1.1', 'HTTP/1.1'],
): Promise<Talk> {
  const clock = clocked();
  const opposite = await SERVERS[back](context);
  const spoken = cluster({ protocol: back === 'HTTP/2' ? 'HTTP2' : 'HTTP1' });
  const proxy = await startProxy(context, [opposite.port], {
    system: clock.system,
    more: [{ kind: 'cluster', value: spoken }],
    ...options,
    timeouts: { webSocketSpread: 0, webSocketClose: 1000, ...options.timeouts },
  });
  paths += 1;
  const asked = opposite.take(`/${paths}`);
  const open = await CLIENTS[front](context, proxy.port);
  const opening = open(`/${paths}`, []);
  const atBackend = await asked;
  atBackend.accept([]);
  const client = new Peer(await opening, true);
  const backend = new Peer(atBackend, false);
  context.after(() => {
    client.socket.destroy();
    backend.socket.destroy();
  });
  return { ...clock, proxy, client, backend };
}

/** Its listener goes away, as a change of the configuration has it; resolves when its connections have been told. */
async function drain(proxy: Harness): Promise<void> {
  proxy.change([], [`listener/${LISTENER}`]);
  proxy.dataplane.drainListener(LISTENER);
  await untilRefused(proxy.port);
}

async function assertOver({ proxy, client, backend, advance }: Talk): Promise<void> {
  client.socket.end();
  backend.socket.end();
  await until(() => proxy.count('open_connections') === 0);
  advance(100);
  assert.equal(proxy.count('active_connections'), 0);
  assert.equal(proxy.count('upstream_open_connections'), 0);
  assert.equal(proxy.dataplane.armedTimers, 0);
}

for (const front of ['HTTP/1.1', 'HTTP/2'] as const)
  for (const back of ['HTTP/1.1', 'HTTP/2'] as const) {
    test(`${front} to ${back}: a drain is a goodbye to the client, from it to the backend, and back`, async (context) => {
      const on = await talk(context, {}, [front, back]);
      on.client.say('hello');
      await on.backend.sees('1 hello');
      await drain(on.proxy);
      await on.client.sees('close 1001 draining');
      on.client.close(1001, 'then I go');
      await on.backend.sees('1 hello', 'close 1001 then I go');
      on.backend.close(1001);
      await on.client.sees('close 1001 draining', 'ends');
      on.client.socket.end();
      await on.proxy.notified('listener.drained');
      assert.equal(on.proxy.count('connections_cut'), 0);
      assert.equal(on.proxy.count('active_connections'), 0);
      assert.equal(on.proxy.count('local_response_count', { reason: 'draining' }), 1);
    });

    test(`${front} to ${back}: sides that say nothing are told both, one after the other`, async (context) => {
      const listener = withHttp({ tunnelIdleMs: 300_000 });
      // Nobody has the time here to answer a PING on the connection.
      const on = await talk(context, { listener, timeouts: { backendSilence: 1e9 } }, [front, back]);
      on.advance(299_000);
      on.client.say('still here');
      await on.backend.sees('1 still here');
      on.advance(299_000);
      on.backend.say('here too');
      await on.client.sees('1 here too');
      on.advance(301_000);
      await on.client.sees('1 here too', 'close 1001 tunnel_idle');
      on.advance(600);
      await on.backend.sees('1 still here', 'close 1001 tunnel_idle');
      on.advance(1200);
      await on.client.sees('1 here too', 'close 1001 tunnel_idle', 'ends');
      await until(() => on.proxy.count('active_connections') === 0);
    });
  }

test('a drain asks the client to go, whose goodbye goes on to the backend: nobody is cut', async (context) => {
  const on = await talk(context);
  on.client.say('hello');
  await on.backend.sees('1 hello');
  await drain(on.proxy);
  await on.client.sees('close 1001 draining');
  on.client.close(1001, 'then I go');
  await on.backend.sees('1 hello', 'close 1001 then I go');
  on.backend.close(1001);
  await on.client.sees('close 1001 draining', 'ends');
  await on.backend.sees('1 hello', 'close 1001 then I go', 'ends');
  await assertOver(on);
  await on.proxy.notified('listener.drained');
  assert.equal(on.proxy.count('connections_cut'), 0);
  assert.equal(on.proxy.count('local_response_count', { reason: 'draining' }), 1);
});

test('what a client says before its goodbye arrives; what the backend says after ours does not', async (context) => {
  const on = await talk(context);
  await drain(on.proxy);
  await on.client.sees('close 1001 draining');
  on.backend.say('too late');
  on.client.say('still under way');
  await on.backend.sees('1 still under way');
  on.client.close(1001);
  await on.backend.sees('1 still under way', 'close 1001 ');
  on.backend.close(1001);
  await on.client.sees('close 1001 draining', 'ends');
  await assertOver(on);
});

test('a frame that is under way ends first, then comes the goodbye', async (context) => {
  const on = await talk(context);
  const frame = on.backend.frame(TEXT, 'x'.repeat(70_000));
  on.backend.say('before');
  on.backend.socket.write(frame.subarray(0, 50_000));
  await on.client.sees('1 before');
  // Part of the frame has gone through by then.
  await until(() => on.client.got > 50_000);
  await drain(on.proxy);
  on.client.say('nothing yet');
  await on.backend.sees('1 nothing yet');
  assert.deepEqual(on.client.saw, ['1 before']);
  on.backend.socket.write(Buffer.concat([frame.subarray(50_000), on.backend.frame(TEXT, 'dropped')]));
  await on.client.sees('1 before', '1 70000', 'close 1001 draining');
  on.client.close(1001);
  on.backend.close(1001);
  await on.client.sees('1 before', '1 70000', 'close 1001 draining', 'ends');
  await assertOver(on);
});

test('a client that says nothing: after a moment the backend is asked to go, after another it is over', async (context) => {
  const on = await talk(context);
  await drain(on.proxy);
  await on.client.sees('close 1001 draining');
  on.advance(900);
  assert.deepEqual(on.backend.saw, []);
  on.advance(300);
  await on.backend.sees('close 1001 draining');
  assert.equal(on.proxy.count('active_connections'), 1);
  on.advance(1100);
  await on.backend.sees('close 1001 draining', 'ends');
  await on.client.sees('close 1001 draining', 'ends');
  await assertOver(on);
  assert.equal(on.proxy.count('connections_cut'), 0);
});

test('a frame that never ends: no goodbye in the middle of it, and it is over all the same', async (context) => {
  const on = await talk(context);
  on.backend.socket.write(on.backend.frame(TEXT, 'half a frame').subarray(0, 5));
  on.client.socket.write(on.client.frame(TEXT, 'half a frame').subarray(0, 5));
  await until(() => on.client.got === 5 && on.backend.got === 5);
  await drain(on.proxy);
  on.advance(2300);
  await on.client.sees('ends within a frame');
  await on.backend.sees('ends within a frame');
  assert.deepEqual([on.client.got, on.backend.got], [5, 5]);
  await assertOver(on);
});

test('sides that are saying goodbye already are not interrupted', async (context) => {
  for (const first of ['client', 'backend'] as const) {
    const on = await talk(context);
    const other = first === 'client' ? 'backend' : 'client';
    on[first].close(1000, 'done');
    await on[other].sees('close 1000 done');
    await drain(on.proxy);
    on[other].close(1000);
    await on[first].sees('close 1000 ', 'ends');
    await on[other].sees('close 1000 done', 'ends');
    await assertOver(on);
  }
});

test('a client that goes without a word: the backend is told in its place', async (context) => {
  const on = await talk(context);
  await drain(on.proxy);
  await on.client.sees('close 1001 draining');
  on.client.socket.end();
  await on.backend.sees('close 1001 draining', 'ends');
  on.backend.socket.end();
  await assertOver(on);
});

test('nothing said for too long: both are asked to go', async (context) => {
  const on = await talk(context, { listener: withHttp({ tunnelIdleMs: 60_000 }) });
  on.advance(59_000);
  on.client.say('still here');
  await on.backend.sees('1 still here');
  on.advance(59_000);
  assert.equal(on.client.saw.length, 0);
  on.advance(1500);
  await on.client.sees('close 1001 tunnel_idle');
  on.client.close(1001);
  await on.backend.sees('1 still here', 'close 1001 ');
  on.backend.close(1001);
  await on.client.sees('close 1001 tunnel_idle', 'ends');
  await assertOver(on);
  assert.equal(on.proxy.count('local_response_count', { reason: 'tunnel_idle' }), 1);
});

test('no time left: last words to both where a frame may stand, and the end', async (context) => {
  const on = await talk(context);
  on.backend.socket.write(on.backend.frame(TEXT, 'half a frame').subarray(0, 5));
  await until(() => on.client.got === 5);
  assert.equal(on.proxy.dataplane.closeListener(LISTENER), 1);
  await on.client.sees('ends within a frame');
  await on.backend.sees('close 1001 draining', 'ends');
  assert.equal(on.proxy.count('connections_cut'), 1);
  await assertOver(on);
});

test('each is asked at a moment of its own, within the time for that', async (context) => {
  const on = await talk(context, { timeouts: { webSocketSpread: 2000 } });
  await drain(on.proxy);
  on.client.say('asked?');
  await on.backend.sees('1 asked?');
  assert.equal(on.client.saw.length, 0);
  on.advance(2200);
  await on.client.sees('close 1001 draining');
  on.client.close(1001);
  on.backend.close(1001);
  await assertOver(on);
});

test('an upgrade that the backend agrees to only while it drains is one that is asked to go', async (context) => {
  const clock = clocked();
  const opposite = await hub(context);
  const timeouts = { webSocketSpread: 0 };
  const proxy = await startProxy(context, [opposite.port], { system: clock.system, timeouts });
  const asked = opposite.take('/late');
  const opening = ask(proxy.port, '/late', OPENING);
  const atBackend = await asked;
  await drain(proxy);
  atBackend.accept([]);
  const client = new Peer(await opening, true);
  await client.sees('close 1001 draining');
  client.socket.destroy();
  atBackend.socket.destroy();
});
