import { createServer } from 'node:http';
import { parentPort } from 'node:worker_threads';

/**
 * A backend on a thread of its own, whose port is its first message: `GET /<bytes>` is answered with so many bytes, as
 * fast as they are taken; what is sent to it is taken, counted, and answered with the count. To `/pausing` it takes
 * nothing for a while in between.
 */
const PAUSE_AFTER = 50_000_000;
const PAUSE_MS = 1500;
const PIECE = Buffer.alloc(262_144, 97);

const server = createServer((incoming, response) => {
  if (incoming.method !== 'GET') {
    let bytes = 0;
    let mayPause = incoming.url?.includes('/pausing') === true;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (!mayPause || bytes < PAUSE_AFTER) return;
      mayPause = false;
      incoming.pause();
      setTimeout(() => incoming.resume(), PAUSE_MS);
    });
    incoming.on('end', () => response.end(String(bytes)));
    return;
  }
  let left = Number(/^\/(?:[a-z]+\/)?(\d+)/.exec(incoming.url ?? '')?.[1] ?? 2);
  response.writeHead(200, { 'Content-Length': left });
  const pump = (): void => {
    while (left > 0 && !response.destroyed) {
      const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
      left -= piece.length;
      if (!response.write(piece)) return;
    }
    if (left === 0) response.end();
  };
  response.on('drain', pump);
  pump();
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  parentPort!.postMessage(typeof address === 'object' && address !== null ? address.port : 0);
});
