import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { TestContext } from 'node:test';
import type { ConnectionOptions, TlsOptions } from 'node:tls';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';

/**
 * For peers that speak in clear text and are to be met over TLS:
 *
 *     client ── putOn ══ TLS ══ proxy ══ TLS ══ takeOff ── backend
 */
function join(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.pipe(to);
  }
}

async function listening(
  context: TestContext,
  server: ReturnType<typeof createServer>,
  sockets: Set<Socket>,
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** A port in clear text that leads to a port with TLS. */
export function putOn(context: TestContext, port: number, options: ConnectionOptions): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    const secured = connectTls({ host: '127.0.0.1', port, ...options });
    secured.setNoDelay(true);
    for (const each of [socket, secured]) sockets.add(each);
    join(socket, secured);
  });
  return listening(context, server, sockets);
}

/** A port with TLS that leads to one in clear text. */
export function takeOff(context: TestContext, port: number, options: TlsOptions): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTlsServer({ noDelay: true, ...options }, (secured) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    for (const each of [socket, secured]) sockets.add(each);
    join(secured, socket);
  });
  server.on('tlsClientError', () => {});
  return listening(context, server, sockets);
}
