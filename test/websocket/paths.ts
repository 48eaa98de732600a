import type { ClientHttp2Session, Http2Stream, ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:http2';
import type { TestContext } from 'node:test';
import { http2Backend } from '../dataplane/http2-backend.ts';
import type { Asked, Opened } from './hub.ts';
import { ask, hub, OPENING } from './hub.ts';

const NOTHING = Buffer.alloc(0);

/** A side of a WebSocket, before the other side has been found for it. */
export interface ServerSide {
  readonly port: number;
  take(path: string): Promise<Asked>;
}

export type ClientSide = (path: string, lines: readonly string[]) => Promise<Opened>;

/** Servers that speak HTTP/1.1 or HTTP/2 without TLS. */
export const SERVERS: Readonly<Record<'HTTP/1.1' | 'HTTP/2', (context: TestContext) => Promise<ServerSide>>> =
  {
    'HTTP/1.1': hub,
    async 'HTTP/2'(context) {
      const waiting = new Map<string, (asked: Asked) => void>();
      const serve = (stream: ServerHttp2Stream, headers: Record<string, unknown>): void => {
        stream.on('error', () => {});
        const path = String(headers[':path']);
        waiting.get(path)?.({
          socket: stream,
          head: [`${headers[':method']} ${path} ${headers[':protocol']}`],
          rest: NOTHING,
          accept: (lines) => stream.respond({ ':status': 200, ...fields(lines) }),
        });
        waiting.delete(path);
      };
      const { port } = await http2Backend(context, serve, { enableConnectProtocol: true });
      return { port, take: (path) => new Promise((resolve) => waiting.set(path, resolve)) };
    },
  };

/** Clients; all that one opens over HTTP/2 are streams of one connection. */
export const CLIENTS: Readonly<
  Record<'HTTP/1.1' | 'HTTP/2', (context: TestContext, port: number) => Promise<ClientSide>>
> = {
  'HTTP/1.1': async (_context, port) => (path, lines) => ask(port, path, [...OPENING, ...lines]),
  async 'HTTP/2'(context, port) {
    const session = connect(`http://127.0.0.1:${port}`);
    session.on('error', () => {});
    context.after(() => session.destroy());
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    return (path, lines) => request(session, path, lines);
  },
};

async function request(session: ClientHttp2Session, path: string, lines: readonly string[]): Promise<Opened> {
  const socket = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':scheme': 'http',
    ':path': path,
    ':authority': 'chat.example',
    'sec-websocket-version': '13',
    ...fields(lines),
  });
  socket.on('error', () => {});
  const headers = await new Promise<Record<string, unknown>>((resolve) => socket.once('response', resolve));
  return { socket, head: [`HTTP/2 ${headers[':status']}`], rest: NOTHING } satisfies Opened<Http2Stream>;
}

function fields(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}
