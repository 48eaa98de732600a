import type { TestContext } from 'node:test';
import type { ChannelOptions } from '@grpc/grpc-js';
import type { Relay } from './relay.ts';
import { startRelay } from './relay.ts';
import type { HealthClient, InteropClient, UnimplementedClient } from './schema.ts';
import { healthClient, interopClient, unimplementedClient } from './schema.ts';
import type { Backend } from './server.ts';
import { startBackend } from './server.ts';

/** What stands between client and backend: given the backend's port, a port of 127.0.0.1 or the path of a socket. */
export type Path = (context: TestContext, backendPort: number) => Promise<number | string>;

/**
 *     client ── front ── path ── back ── backend
 *
 * `front` and `back` see what goes by, and can break.
 */
export interface Stack {
  readonly client: InteropClient;
  readonly unimplemented: UnimplementedClient;
  readonly health: HealthClient;
  readonly backend: Backend;
  readonly front: Relay;
  readonly back: Relay;
  connect(options: ChannelOptions): InteropClient;
  /** Another backend in the place of the one that has been shut down. */
  restart(): Promise<Backend>;
}

export async function startStack(
  context: TestContext,
  path: Path,
  server: ChannelOptions = {},
): Promise<Stack> {
  let backend = await startBackend(server);
  const back = await startRelay(context, () => backend.port);
  const through = await path(context, back.port);
  const front = await startRelay(context, () => through);
  const clients: { close(): void }[] = [];
  const keep = <T extends { close(): void }>(client: T): T => {
    clients.push(client);
    return client;
  };
  context.after(() => {
    for (const client of clients) client.close();
    backend.kill();
  });
  return {
    client: keep(interopClient(front.port)),
    unimplemented: keep(unimplementedClient(front.port)),
    health: keep(healthClient(front.port)),
    backend,
    front,
    back,
    connect: (options) => keep(interopClient(front.port, options)),
    restart: async () => {
      backend = await startBackend(server);
      return backend;
    },
  };
}
