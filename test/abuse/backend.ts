import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';

/*
 * The backend of an attacked proxy, on a thread of its own: /small, /big (1 MB), /slow (no answer), /sink (takes a
 * body). Says its port, and how many requests have come when it is asked.
 */
if (parentPort !== null) {
  const port = parentPort;
  const small = 'hello';
  const big = Buffer.alloc(1_048_576, 'b');
  let requests = 0;
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    requests += 1;
    request.on('error', () => {});
    request.resume();
    if (request.url === '/slow') return;
    const send = () => response.end(request.url === '/big' ? big : small);
    if (request.url === '/sink') request.on('end', send);
    else send();
  });
  server.listen(0, '127.0.0.1', 4096, () => port.postMessage((server.address() as AddressInfo).port));
  port.on('message', () => port.postMessage(requests));
}
