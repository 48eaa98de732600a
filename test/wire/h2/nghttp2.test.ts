import assert from 'node:assert/strict';
import http2 from 'node:http2';
import type { Duplex } from 'node:stream';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { Http2Connection } from '../../../src/wire/h2/connection.ts';
import type { Http2Local } from '../../../src/wire/h2/connection-owner.ts';
import { Draw } from '../../draw.ts';
import { ClientOwner, DigestRequest, type Outcome, type Plan, pathOf } from './digest-client.ts';
import { DigestOwner, digestOf, pattern, wantedOf } from './digest-server.ts';
import { plans } from './drawn-plans.ts';
import { LOCAL } from './server.ts';
import { SocketLink } from './socket-link.ts';

const RUNS = 100;
const SIZES = [0, 1, 100, 16_383, 16_384, 16_385, 65_535, 65_536, 200_000, 400_000];
const size = fc.oneof(fc.constantFrom(...SIZES), fc.integer({ min: 0, max: 100_000 }));
const window = fc.constantFrom(2000, 16_384, 65_535, 262_144);

const plan = plans(size);

const world = fc.record({
  plans: fc.array(plan, { minLength: 1, maxLength: 9 }),
  seed: fc.nat(),
  ourWindow: window,
  ourConnection: fc.constantFrom(65_535, 1_000_000),
  theirWindow: window,
  theirFrame: fc.constantFrom(16_384, 20_000, 1_000_000),
  pieces: fc.constantFrom(1, 2, 20),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

/** Cuts at drawn places; small reads are cut byte by byte now and then. */
function cutter(seed: number, pieces: number): (bytes: Buffer) => Buffer[] {
  const draw = new Draw(seed);
  return (bytes) => {
    const cuts = Array.from({ length: pieces - 1 }, () => draw.below(bytes.length + 1));
    if (bytes.length < 200 && draw.below(4) === 0) for (let at = 1; at < bytes.length; at += 1) cuts.push(at);
    const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
    return places.slice(1).map((end, index) => bytes.subarray(places[index]!, end));
  };
}

function localOf({ ourWindow, ourConnection }: World): Http2Local {
  return { ...LOCAL, streamWindowBytes: ourWindow, connectionWindowBytes: ourConnection };
}

function check(plan: Plan, seed: number, outcome: Outcome | string): void {
  if (outcome === 'cancelled') {
    assert.notEqual(plan.cancelAt, null);
    return;
  }
  assert.notEqual(typeof outcome, 'string', `${outcome}`);
  const { digest, body, trailer } = outcome as Outcome;
  assert.equal(digest, digestOf(pattern(plan.up, seed), plan.upTrailer ? 'sent' : ''));
  const expected = plan.method === 'HEAD' ? Buffer.alloc(0) : pattern(plan.down, seed);
  assert.equal(Buffer.compare(body, expected), 0, 'the body is what was asked for');
  assert.equal(trailer, plan.downTrailer && plan.method !== 'HEAD' ? 'over' : '');
}

function requestByNode(
  session: http2.ClientHttp2Session,
  plan: Plan,
  seed: number,
): Promise<Outcome | string> {
  return new Promise((resolve, reject) => {
    const stream = session.request(
      { ':method': plan.method, ':path': pathOf(plan, seed), cookie: 'a=b' },
      { endStream: plan.up === 0 && !plan.upTrailer, waitForTrailers: plan.upTrailer },
    );
    const body: Buffer[] = [];
    let taken = 0;
    let digest = '';
    let trailer = '';
    const mayCancel = () => {
      if (plan.cancelAt === null || taken < plan.cancelAt || stream.closed) return;
      stream.close(http2.constants.NGHTTP2_CANCEL);
      resolve('cancelled');
    };
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-up': 'sent' }));
    stream.on('response', (fields) => {
      digest = String(fields['x-digest']);
      mayCancel();
    });
    stream.on('data', (bytes: Buffer) => {
      body.push(bytes);
      taken += bytes.length;
      mayCancel();
    });
    stream.on('trailers', (fields) => {
      trailer = String(fields['x-down'] ?? '');
    });
    stream.on('end', () => resolve({ digest, body: Buffer.concat(body), trailer }));
    stream.on('error', reject);
    if (plan.up > 0 || plan.upTrailer) stream.end(pattern(plan.up, seed));
  });
}

/** Answers as DigestOwner does. */
function answerByNode(stream: http2.ServerHttp2Stream, fields: http2.IncomingHttpHeaders): void {
  const wanted = wantedOf(String(fields[':path']));
  const body: Buffer[] = [];
  let up = '';
  stream.on('error', () => {});
  stream.on('data', (bytes: Buffer) => body.push(bytes));
  stream.on('trailers', (trailers) => {
    up = String(trailers['x-up'] ?? '');
  });
  stream.on('end', () => {
    if (stream.destroyed) return;
    const digest = digestOf(Buffer.concat(body), up);
    const isHead = fields[':method'] === 'HEAD';
    stream.respond(
      { ':status': 200, 'content-length': wanted.down, 'x-digest': digest },
      { waitForTrailers: wanted.trailer && !isHead, endStream: isHead },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-down': 'over' }));
    if (!isHead) stream.end(pattern(wanted.down, wanted.seed));
  });
}

test('every byte of drawn requests by nghttp2 arrives, both ways, on its stream', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(world, async (drawn) => {
      const [near, far] = duplexPair() as [Duplex, Duplex];
      const link = new SocketLink(near, cutter(drawn.seed, drawn.pieces));
      const owner = new DigestOwner();
      const connection = new Http2Connection('server', localOf(drawn), owner, link, performance.now());
      owner.connection = connection;
      link.start(connection);
      const session = http2.connect('http://a.example', {
        createConnection: () => far,
        settings: { initialWindowSize: drawn.theirWindow, maxFrameSize: drawn.theirFrame },
      });
      session.on('error', () => {});
      const outcomes = await Promise.all(drawn.plans.map((each, at) => requestByNode(session, each, at)));
      for (const [at, outcome] of outcomes.entries()) check(drawn.plans[at]!, at, outcome);
      assert.equal(owner.fault, null);
      assert.deepEqual(owner.streamFaults, []);
      await new Promise<void>((resolve) => session.close(() => resolve()));
      assert.equal(connection.active, 0);
    }),
    { numRuns: RUNS },
  );
});

test('every byte of drawn requests to nghttp2 arrives, both ways, on its stream', {
  timeout: 120_000,
}, async () => {
  const sessions: http2.ServerHttp2Session[] = [];
  await fc.assert(
    fc.asyncProperty(world, async (drawn) => {
      const [near, far] = duplexPair() as [Duplex, Duplex];
      const server = http2.createServer({
        settings: { initialWindowSize: drawn.theirWindow, maxFrameSize: drawn.theirFrame },
      });
      server.on('stream', answerByNode);
      server.on('session', (session) => {
        sessions.push(session);
        session.on('error', () => {});
      });
      server.emit('connection', far);
      const link = new SocketLink(near, cutter(drawn.seed, drawn.pieces));
      const owner = new ClientOwner();
      const connection = new Http2Connection('client', localOf(drawn), owner, link, performance.now());
      owner.connection = connection;
      link.start(connection);
      const requests = drawn.plans.map(
        (each, at) => new DigestRequest(connection, each, pathOf(each, at), pattern(each.up, at)),
      );
      const outcomes = await Promise.all(requests.map(({ done }) => done));
      for (const [at, outcome] of outcomes.entries()) check(drawn.plans[at]!, at, outcome);
      assert.equal(owner.fault, null);
      assert.deepEqual(owner.streamFaults, []);
      assert.equal(connection.active, 0);
      connection.close(0);
      link.close();
      for (const session of sessions.splice(0)) session.destroy();
    }),
    { numRuns: RUNS },
  );
});
