import { createServer, type Server } from 'node:net';
import { fieldBlock } from './field-block.ts';
import { H2Connection } from './h2-connection.ts';

const HEAD = fieldBlock([
  [':status', '200'],
  ['content-type', 'application/grpc'],
]);
const TRAILERS = fieldBlock([['grpc-status', '0']]);

/** Answers every gRPC call with the messages it brings, as they come, and status 0: unary and streaming alike. */
export function grpcBackend(): Server {
  return createServer((socket) => {
    socket.on('error', () => socket.destroy());
    const answered = new Set<number>();
    const connection = new H2Connection(socket, 'server', {
      headers(stream, ended) {
        // A second block on a stream is that of its trailers.
        if (!answered.has(stream)) {
          answered.add(stream);
          connection.headers(stream, HEAD, false);
        }
        if (ended) end(stream);
      },
      data(stream, bytes, ended) {
        if (bytes.length > 0) connection.data(stream, Buffer.from(bytes), false);
        if (ended) end(stream);
      },
      reset: (stream) => answered.delete(stream),
      goaway: () => socket.end(),
    });
    function end(stream: number): void {
      answered.delete(stream);
      connection.headers(stream, TRAILERS, true);
    }
  });
}
