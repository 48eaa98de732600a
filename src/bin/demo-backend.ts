import { createServer } from 'node:http';

/** The addresses that deploy/samples names as endpoints. */
export const DEMO_BACKENDS = [
  { name: 'one', port: 9001 },
  { name: 'two', port: 9002 },
  { name: 'three', port: 9003 },
] as const;

export interface DemoBackends {
  close(): Promise<void>;
}

/** Three small HTTP servers on loopback that answer with their name and what reached them. */
export async function startDemoBackends(): Promise<DemoBackends> {
  const servers = await Promise.all(DEMO_BACKENDS.map(({ name, port }) => start(name, port)));
  return {
    async close() {
      await Promise.all(
        servers.map((server) => {
          server.closeAllConnections();
          return new Promise((resolve) => server.close(resolve));
        }),
      );
    },
  };
}

function start(name: string, port: number) {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const body = { backend: name, method: request.method, path: request.url, headers: request.headers };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify(body, null, 2)}\n`);
    });
  });
  return new Promise<typeof server>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
