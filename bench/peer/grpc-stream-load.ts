import { connect } from 'node:net';
import { fieldBlock } from './field-block.ts';
import { H2Connection } from './h2-connection.ts';
import type { RoundTrips } from './round-trips.ts';

export const STREAM_PATH = '/bench.Echo/Stream';
/** What every message carries. */
export const MESSAGE_BYTES = 64;
const MESSAGE = grpcMessage(Buffer.alloc(MESSAGE_BYTES, 'm'));
/** Streams that end are begun again; a proxy that ends all of them at once would only be asked faster and faster. */
const MOST_ERRORS = 1000;

/** Length-prefixed message, not compressed (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export function grpcMessage(payload: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

/** Opens `connections` with `streams` bidirectional calls each; on every call one message is always under way. */
export function loadStreams(
  port: number,
  connections: number,
  streams: number,
  trips: RoundTrips,
): { stop(): void } {
  const block = fieldBlock([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', STREAM_PATH],
    [':authority', 'bench.test'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ]);
  let isStopped = false;
  const sockets = Array.from({ length: connections }, () => {
    const socket = connect(port, '127.0.0.1');
    const missing = new Map<number, number>();
    const sent = new Map<number, number>();
    let next = 1;
    const failed = (stream: number) => {
      if (isStopped || !missing.delete(stream)) return;
      trips.errors += 1;
      if (trips.errors < MOST_ERRORS) begin();
    };
    const connection = new H2Connection(socket, 'client', {
      headers: (stream, ended) => {
        if (ended) failed(stream);
      },
      data(stream, bytes, ended) {
        let left = (missing.get(stream) ?? 0) - bytes.length;
        if (left === 0) {
          const now = performance.now();
          trips.returned(sent.get(stream)!, now);
          sent.set(stream, now);
          connection.data(stream, MESSAGE, false);
          left = MESSAGE.length;
        }
        missing.set(stream, left);
        if (ended) failed(stream);
      },
      reset: failed,
      goaway: () => {
        trips.errors += isStopped ? 0 : 1;
      },
    });
    function begin(): void {
      const stream = next;
      next += 2;
      missing.set(stream, MESSAGE.length);
      sent.set(stream, performance.now());
      connection.headers(stream, block, false);
      connection.data(stream, MESSAGE, false);
    }
    for (let index = 0; index < streams; index += 1) begin();
    connection.flush();
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (!isStopped) trips.errors += missing.size;
    });
    return socket;
  });
  return {
    stop() {
      isStopped = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}
