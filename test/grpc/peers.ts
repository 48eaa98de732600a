import type { ClientHttp2Stream, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { Http2Answer } from '../dataplane/http2-client.ts';
import { answerOf, http2Client } from '../dataplane/http2-client.ts';

/** A gRPC message: prefix and bytes. */
export function message(body: string | Buffer): Buffer {
  const bytes = Buffer.from(body as string);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** What a backend has been asked. */
export interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly body: Promise<Buffer>;
}

export interface ScriptedBackend {
  readonly port: number;
  readonly asked: Asked[];
}

export type Answer = (stream: ServerHttp2Stream, asked: Asked) => unknown;

/** Of HTTP/2 in clear text; answers each request as the next of `answers` says, the last for ever. */
export async function scriptedBackend(
  context: TestContext,
  ...answers: readonly Answer[]
): Promise<ScriptedBackend> {
  const server = createServer();
  const asked: Asked[] = [];
  server.on('stream', (stream, headers) => {
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', () => {});
    const body = new Promise<Buffer>((resolve) => stream.on('end', () => resolve(Buffer.concat(pieces))));
    const one = { headers, body };
    asked.push(one);
    answers[Math.min(asked.length, answers.length) - 1]!(stream as ServerHttp2Stream, one);
  });
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

/** Trailers alone. */
export const status =
  (code: number, more: Record<string, string> = {}): Answer =>
  (stream) =>
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(code), ...more },
      { endStream: true },
    );

/** Messages, once the request has come whole, and trailers behind them. */
export const messages =
  (bodies: readonly (string | Buffer)[], code = 0, more: Record<string, string> = {}): Answer =>
  async (stream, { body }) => {
    await body;
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(code), ...more }));
    for (const each of bodies) stream.write(message(each));
    stream.end();
  };

export interface Caller {
  open(headers: Record<string, string>): ClientHttp2Stream;
  call(headers: Record<string, string>, ...pieces: readonly (string | Buffer)[]): Promise<Http2Answer>;
}

/** A client of HTTP/2 in clear text that says what it likes. */
export function caller(context: TestContext, port: number): Caller {
  const session = http2Client(context, port);
  const open = (headers: Record<string, string>): ClientHttp2Stream =>
    session.request({
      ':method': 'POST',
      ':path': '/service/Method',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
  return {
    open,
    call: (headers, ...pieces) => {
      const stream = open(headers);
      const answered = answerOf(stream);
      for (const piece of pieces) stream.write(piece);
      stream.end();
      return answered;
    },
  };
}
