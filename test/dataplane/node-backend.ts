import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A server of `node:http` on a port of its own, which is returned. */
export async function nodeBackend(
  context: TestContext,
  serve: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  const server = createServer({ keepAliveTimeout: 0 }, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
