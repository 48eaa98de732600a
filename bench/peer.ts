/**
 * A process of its own beside a benchmark, on the core of the load:
 * `node bench/peer.ts backends GRPC-PORT WEBSOCKET-PORT` serves until it is ended,
 * `node bench/peer.ts load resumptions|grpc-stream|websocket PORT CONNECTIONS STREAMS SECONDS` prints one line of JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { grpcBackend } from './peer/grpc-backend.ts';
import { loadStreams } from './peer/grpc-stream-load.ts';
import { loadResumptions } from './peer/resumption-load.ts';
import { RoundTrips } from './peer/round-trips.ts';
import { websocketBackend } from './peer/websocket-backend.ts';
import { loadWebSockets } from './peer/websocket-load.ts';

const [role, ...rest] = process.argv.slice(2);
if (role === 'backends') {
  const [grpc, websocket] = rest.map(Number);
  grpcBackend().listen({ port: grpc, host: '127.0.0.1', backlog: 4096 });
  websocketBackend().listen({ port: websocket, host: '127.0.0.1', backlog: 4096 });
} else if (role === 'load') {
  const [kind, ...numbers] = rest;
  const [port, connections, streams, seconds] = numbers.map(Number) as [number, number, number, number];
  const trips = new RoundTrips();
  const began = performance.now();
  const print = () =>
    console.log(`RESULT ${JSON.stringify(trips.result((performance.now() - began) / 1000))}`);
  if (kind === 'resumptions') {
    await loadResumptions(port, seconds, trips);
    print();
  } else {
    const load =
      kind === 'grpc-stream'
        ? loadStreams(port, connections, streams, trips)
        : loadWebSockets(port, connections, trips);
    await sleep(seconds * 1000);
    print();
    load.stop();
  }
} else {
  console.error(`peer.ts knows backends and load, not ${role}`);
  process.exitCode = 2;
}
