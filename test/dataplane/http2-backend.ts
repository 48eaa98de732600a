import type { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream, ServerOptions } from 'node:http2';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { Cluster } from '../../src/model/cluster.ts';
import type { Harness } from './harness.ts';
import { cluster, startProxy } from './harness.ts';

export interface Http2Backend {
  readonly port: number;
  readonly sessions: ServerHttp2Session[];
  /** Streams that have come, over all sessions. */
  readonly count: () => number;
}

export type Serve = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** A server of `node:http2` in clear text on a port of its own. */
export async function http2Backend(
  context: TestContext,
  serve: Serve,
  settings: ServerOptions['settings'] = {},
): Promise<Http2Backend> {
  const sessions: ServerHttp2Session[] = [];
  let count = 0;
  const server = createServer({ settings });
  server.on('session', (session) => sessions.push(session));
  const quiet = (emitter: EventEmitter) => emitter.on('error', () => {});
  server.on('session', quiet);
  server.on('sessionError', () => {});
  server.on('stream', (stream, headers) => {
    count += 1;
    quiet(stream);
    serve(stream as ServerHttp2Stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sessions, count: () => count };
}

/** Answers 200 with `body`. */
export function saying(body: string): Serve {
  return (stream) => {
    stream.respond({ ':status': 200, 'content-length': body.length });
    stream.end(body);
  };
}

/** A proxy before backends of HTTP/2. */
export function http2Proxy(
  context: TestContext,
  ports: readonly number[],
  settings: Partial<Cluster> = {},
  options: Parameters<typeof startProxy>[2] = {},
): Promise<Harness> {
  return startProxy(context, ports, {
    ...options,
    more: [{ kind: 'cluster', value: cluster({ protocol: 'HTTP2', ...settings }) }, ...(options.more ?? [])],
  });
}
