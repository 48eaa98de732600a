import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Http2Connection } from '../../../src/wire/h2/connection.ts';
import { FRAME } from '../../../src/wire/h2/frame.ts';
import { Draw } from '../../draw.ts';
import { ClientOwner, DigestRequest, type Outcome, type Plan, pathOf } from './digest-client.ts';
import { DigestOwner, digestOf, pattern } from './digest-server.ts';
import { plans } from './drawn-plans.ts';
import { type Frame, framesOf, get, PREFACE, SETTINGS_ACK, settings, windowUpdate } from './frames.ts';
import { MemoryOutput } from './memory-output.ts';
import { SentFramesCheck } from './sent-frames-check.ts';
import { LOCAL, Server } from './server.ts';

const MOST_STEPS = 200_000;
const size = fc.oneof(fc.constantFrom(0, 1, 16_384, 65_536, 150_000), fc.integer({ min: 0, max: 30_000 }));

const plan = plans(size);

/** One direction: what has left one side and not reached the other. */
class Way {
  readonly output: MemoryOutput;
  readonly #check: SentFramesCheck;
  readonly #others: SentFramesCheck;
  #wire: Buffer = Buffer.alloc(0);
  /** Sent, and heard, that is not a whole frame yet; and how much comes before the first frame. */
  #unchecked: Buffer = Buffer.alloc(0);
  #unheard: Buffer = Buffer.alloc(0);
  #skipped: number;
  #skippedUnheard: number;
  /** Of what waits in the output. */
  #examined = 0;

  /** `check` holds what goes this way against the RFC, `others` what goes the other way. */
  constructor(most: number, skipped: number, check: SentFramesCheck, others: SentFramesCheck) {
    this.output = new MemoryOutput(most);
    this.#check = check;
    this.#others = others;
    this.#skipped = skipped;
    this.#skippedUnheard = skipped;
  }

  get isEmpty(): boolean {
    return this.output.waiting === 0 && this.#wire.length === 0;
  }

  /** The transport takes what there is. */
  take(): void {
    this.examine();
    this.#wire = Buffer.concat([this.#wire, this.output.take()]);
    this.#examined = 0;
  }

  /** What has been put together, by what is known now: before that changes. */
  examine(): void {
    const bytes = this.output.peek().subarray(this.#examined);
    this.#examined += bytes.length;
    const skip = Math.min(this.#skipped, bytes.length);
    this.#skipped -= skip;
    this.#unchecked = Buffer.concat([this.#unchecked, bytes.subarray(skip)]);
    for (const frame of framesOf(this.#unchecked)) {
      this.#check.sent(frame);
      this.#unchecked = this.#unchecked.subarray(9 + frame.payload.length);
    }
  }

  /** `back` is the way on which `to` answers. */
  deliver(count: number, to: Http2Connection, back: Way): void {
    const bytes = this.#wire.subarray(0, count);
    this.#wire = this.#wire.subarray(bytes.length);
    const skip = Math.min(this.#skippedUnheard, bytes.length);
    this.#skippedUnheard -= skip;
    this.#unheard = Buffer.concat([this.#unheard, bytes.subarray(skip)]);
    const heard = framesOf(this.#unheard);
    if (heard.some(({ type }) => type === FRAME.SETTINGS)) back.examine();
    for (const frame of heard) {
      this.#others.received(frame);
      this.#unheard = this.#unheard.subarray(9 + frame.payload.length);
    }
    to.receive(Buffer.from(bytes), 0, bytes.length, 0);
  }
}

test('two engines and a transport that blocks and cuts: every byte arrives, and nothing is sent that must not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(plan, { minLength: 1, maxLength: 8 }),
      fc.nat(),
      fc.constantFrom(1, 5000, 100_000, Number.POSITIVE_INFINITY),
      fc.constantFrom(3000, 65_535, 262_144),
      async (plans, seed, most, streamWindowBytes) => {
        const draw = new Draw(seed);
        const [ofClient, ofServer] = [new SentFramesCheck(false), new SentFramesCheck(true)];
        const up = new Way(most, PREFACE.length, ofClient, ofServer);
        const down = new Way(most, 0, ofServer, ofClient);
        const local = { ...LOCAL, streamWindowBytes };
        const [near, far] = [new ClientOwner(), new DigestOwner()];
        const client = new Http2Connection('client', local, near, up.output, 0);
        const server = new Http2Connection('server', local, far, down.output, 0);
        far.connection = server;
        client.begin();
        server.begin();
        const outcomes = new Map<number, Outcome | string>();
        for (const [at, each] of plans.entries()) {
          const request = new DigestRequest(client, each, pathOf(each, at), pattern(each.up, at));
          void request.done.then((outcome) => outcomes.set(at, outcome));
        }
        let steps = 0;
        for (; steps < MOST_STEPS && !(up.isEmpty && down.isEmpty); steps += 1) {
          const [way, from, to] = draw.below(2) === 0 ? [up, client, server] : [down, server, client];
          if (draw.below(3) === 0) {
            way.take();
            from.writable();
          } else way.deliver(1 + draw.below(draw.of([5, 500, 100_000])), to, way === up ? down : up);
        }
        await new Promise((resolve) => setImmediate(resolve));
        assert.deepEqual([near.fault, far.fault, near.streamFaults, far.streamFaults], [null, null, [], []]);
        assert.equal(outcomes.size, plans.length, `after ${steps} steps`);
        for (const [at, outcome] of outcomes) {
          const each = plans[at]!;
          if (outcome === 'cancelled' && each.cancelAt !== null) continue;
          const { digest, body, trailer } = outcome as Outcome;
          assert.equal(digest, digestOf(pattern(each.up, at), each.upTrailer ? 'sent' : ''));
          const hasBody = each.method !== 'HEAD';
          assert.equal(Buffer.compare(body, pattern(hasBody ? each.down : 0, at)), 0);
          assert.equal(trailer, each.downTrailer && hasBody ? 'over' : '');
        }
        assert.deepEqual([client.active, server.active], [0, 0]);
      },
    ),
    { numRuns: 60 },
  );
});

test('a client keeps to the streams a server takes, and to none after GOAWAY', () => {
  const output = new MemoryOutput();
  const owner = new ClientOwner();
  const client = new Http2Connection('client', LOCAL, owner, output, 0);
  client.begin();
  const plan: Plan = { method: 'GET', up: 0, upTrailer: false, down: 0, downTrailer: false, cancelAt: null };
  const send = (...parts: Buffer[]) => {
    const bytes = Buffer.concat(parts);
    client.receive(bytes, 0, bytes.length, 0);
  };
  send(settings(3, 2));
  assert.equal(owner.settings, 1);
  const first = new DigestRequest(client, plan, '/', Buffer.alloc(0));
  const second = new DigestRequest(client, plan, '/', Buffer.alloc(0));
  assert.equal(client.canOpen, false);
  assert.throws(() => new DigestRequest(client, plan, '/', Buffer.alloc(0)), /no stream/);
  send(settings(3, 3));
  assert.equal(client.canOpen, true);
  const goAway = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
  send(goAway);
  assert.equal(client.canOpen, false);
  assert.equal(client.active, 1, 'the second was not worked on');
  assert.equal(owner.goAway, 0);
  // :status: 200, END_STREAM.
  send(Buffer.from([0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88]));
  assert.equal(client.active, 0);
  return Promise.all([first.done, second.done]).then(([one, two]) => {
    assert.equal((one as Outcome).digest, '');
    assert.equal(two, 'reset 7 ');
  });
});

test('a conversation that ends at any byte leaves nothing behind', () => {
  const talk = Buffer.concat([PREFACE, settings(), SETTINGS_ACK, get(1), get(3), windowUpdate(0, 5), get(5)]);
  for (let end = 0; end <= talk.length; end += 1) {
    const server = new Server({}, Buffer.alloc(70_000));
    server.send(talk.subarray(0, end));
    server.connection.end(8);
    assert.equal(server.connection.active, 0);
    assert.equal(server.owner.fault, null);
  }
});

test('streams that have much to send take turns', () => {
  const server = Server.ready({ maxConcurrentStreams: 100 }, Buffer.alloc(1_000_000));
  server.send(settings(4, 2 ** 30), windowUpdate(0, 2 ** 30));
  server.output.isBlocked = true;
  const ids = [1, 3, 5, 7];
  const bytes = Buffer.concat(ids.map((id) => get(id)));
  server.connection.receive(bytes, 0, bytes.length, 0);
  const total = new Map(ids.map((id) => [id, 0]));
  const frames: Frame[] = server.read().concat(server.read());
  for (const { type, id, payload } of frames) {
    if (type !== FRAME.DATA) continue;
    total.set(id, total.get(id)! + payload.length);
    const open = [...total.values()].filter((sent) => sent < 1_000_000);
    if (open.length === ids.length)
      assert.ok(Math.max(...open) - Math.min(...open) <= 2 * 65_536, [...total.values()].join());
  }
  assert.deepEqual(
    [...total.values()],
    ids.map(() => 1_000_000),
  );
});
