import { createServer } from 'node:net';

/** Whether several threads of this process may listen on one port, each with a socket of its own (SO_REUSEPORT). */
export async function canReusePort(): Promise<boolean> {
  const first = createServer();
  const second = createServer();
  try {
    await listen(first, 0);
    const address = first.address();
    if (address === null || typeof address === 'string') return false;
    await listen(second, address.port);
    return true;
  } catch {
    return false;
  } finally {
    first.close();
    second.close();
  }
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port, reusePort: true }, resolve);
  });
}
