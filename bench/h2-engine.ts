/**
 * `npx node bench/h2-engine.ts`: what the HTTP/2 engine itself costs for a request, in memory. The heads are a few
 * bytes of the static table, so HPACK is next to nothing here (see bench/hpack.ts for that).
 */

import { Http2Connection } from '../src/wire/h2/connection.ts';
import type { Http2Local, Http2Owner } from '../src/wire/h2/connection-owner.ts';
import type { FrameOutput } from '../src/wire/h2/frame-output.ts';
import type { HeaderBlock } from '../src/wire/h2/header-block.ts';
import type { Http2Stream, Http2StreamOwner } from '../src/wire/h2/stream.ts';
import { RESPONSE_HEADS } from '../src/wire/http1/head-parser.ts';
import { MessageWriter } from '../src/wire/http1/writer.ts';

const BATCH = 32;
const ROUNDS = 20_000;
const WARM_ROUNDS = 5000;
const TRIES = 5;
const NS_PER_MS = 1e6;
const NS_PER_US = 1000;
const LOCAL: Http2Local = {
  maxConcurrentStreams: 128,
  streamWindowBytes: 262_144,
  connectionWindowBytes: 1_048_576,
  connectProtocol: false,
  heads: RESPONSE_HEADS,
};
/** `:method: GET`, `:scheme: http`, `:path: /`, `:authority: a`. */
const REQUEST_HEAD = Buffer.from([0x82, 0x86, 0x84, 0x41, 0x01, 0x61]);
const SMALL = Buffer.alloc(100, 'x');
const LARGE = Buffer.alloc(65_536, 'x');

class Output implements FrameOutput {
  isBlocked = false;
  readonly #writer = new MessageWriter(8 * 1024 * 1024);

  writer(): MessageWriter {
    return this.#writer;
  }
}

/** Both sides' owner: what happens is counted, and nothing else. */
class Side implements Http2Owner, Http2StreamOwner {
  connection: Http2Connection | null = null;
  stream: Http2Stream | null = null;
  body: Buffer = SMALL;
  ended = 0;

  onRequest(stream: Http2Stream): void {
    stream.owner = this;
    const writer = stream.beginHead(64);
    this.connection!.encoder.status(writer, 200);
    stream.endHead(false);
    stream.sendData(this.body, 0, this.body.length, true);
    this.ended += 1;
    stream.release();
  }

  onHead(): void {}
  onInterim(): void {}

  onData(_bytes: Buffer, start: number, end: number): void {
    this.stream!.consumed(end - start);
  }

  onEnd(_trailers: HeaderBlock | null): void {
    this.ended += 1;
    this.stream!.release();
  }

  onReset(): void {
    throw new Error('a stream was reset');
  }

  onWritable(): void {}
  onSettings(): void {}
  onGoAway(): void {}
  onPong(): void {}
  onStreamFault(): void {
    throw new Error('a stream failed');
  }

  onConnectionFault(fault: string): void {
    throw new Error(`the connection failed: ${fault}`);
  }
}

/** Whole requests without a body, `BATCH` in one read, as often as asked. */
function requests(): { readonly bytes: Buffer; next(): void } {
  const size = 9 + REQUEST_HEAD.length;
  const bytes = Buffer.alloc(size * BATCH);
  let id = 1;
  for (let at = 0; at < bytes.length; at += size) {
    bytes.writeUIntBE(REQUEST_HEAD.length, at, 3);
    bytes[at + 3] = 1;
    bytes[at + 4] = 5;
    REQUEST_HEAD.copy(bytes, at + 9);
  }
  return {
    bytes,
    next() {
      for (let at = 0; at < bytes.length; at += size, id += 2) bytes.writeUInt32BE(id, at + 5);
    },
  };
}

/** Microseconds a request, of the server. */
function server(body: Buffer, rounds: number): number {
  const output = new Output();
  const side = new Side();
  side.body = body;
  const connection = new Http2Connection('server', LOCAL, side, output, 0);
  side.connection = connection;
  connection.begin();
  const preface = Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    // The greatest windows: SETTINGS_INITIAL_WINDOW_SIZE and WINDOW_UPDATE, once a round as a client would.
    Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x3f, 0xff, 0xff, 0xff]),
  ]);
  connection.receive(preface, 0, preface.length, 0);
  const { bytes, next } = requests();
  const update = Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  update.writeUInt32BE(BATCH * body.length, 9);
  let took = 0n;
  for (let round = 0; round < rounds; round += 1) {
    next();
    output.writer().length = 0;
    const began = process.hrtime.bigint();
    connection.receive(update, 0, update.length, round);
    connection.receive(bytes, 0, bytes.length, round);
    took += process.hrtime.bigint() - began;
  }
  if (side.ended !== rounds * BATCH) throw new Error(`${side.ended} requests were answered`);
  return Number(took) / NS_PER_US / side.ended;
}

/** Microseconds a request, of client and server together, one request at a time on one connection. */
function pair(body: Buffer, rounds: number): number {
  const [up, down] = [new Output(), new Output()];
  const [near, far] = [new Side(), new Side()];
  far.body = body;
  near.connection = new Http2Connection('client', LOCAL, near, up, 0);
  far.connection = new Http2Connection('server', LOCAL, far, down, 0);
  near.connection.begin();
  far.connection.begin();
  const path = Buffer.from('/');
  const exchange = (now: number): void => {
    const sent = up.writer();
    far.connection!.receive(sent.block, 0, sent.length, now);
    sent.length = 0;
    const answered = down.writer();
    near.connection!.receive(answered.block, 0, answered.length, now);
    answered.length = 0;
  };
  exchange(0);
  const began = process.hrtime.bigint();
  for (let round = 0; round < rounds; round += 1) {
    const stream = near.connection.open(near, false)!;
    near.stream = stream;
    const writer = stream.beginHead(64);
    const { encoder } = near.connection;
    encoder.method(writer, Buffer.from('GET'), 0, 3);
    encoder.scheme(writer, false);
    encoder.authority(writer, 'a');
    encoder.path(writer, path, 0, 1);
    stream.endHead(true);
    exchange(round);
  }
  const took = Number(process.hrtime.bigint() - began);
  if (near.ended !== rounds) throw new Error(`${near.ended} answers came`);
  return took / NS_PER_US / rounds;
}

function best(run: () => number): number {
  return Math.min(...Array.from({ length: TRIES }, run));
}

const began = performance.now();
server(SMALL, WARM_ROUNDS);
console.log(`server, answers of 100 B:   ${best(() => server(SMALL, ROUNDS)).toFixed(3)} µs a request`);
console.log(`server, answers of 64 KiB:  ${best(() => server(LARGE, ROUNDS / 100)).toFixed(3)} µs a request`);
pair(SMALL, WARM_ROUNDS);
console.log(`client and server, 100 B:   ${best(() => pair(SMALL, ROUNDS * 5)).toFixed(3)} µs a request`);
console.log(`took ${((performance.now() - began) / (NS_PER_MS / NS_PER_US)).toFixed(1)} s`);
