import { createServer } from 'node:net';

/**
 * The system's error code where somebody listens on the port already (`EADDRINUSE`) or it may not be bound, else null.
 *
 * SO_REUSEPORT lets any process of the same user join a port, and the kernel would then spread connections over
 * both. So before the first socket of ours is bound, the port is tried without it. `host` undefined: all addresses.
 */
export function foreignListener(host: string | undefined, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(null)));
  });
}
