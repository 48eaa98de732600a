import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  IncomingHttpStatusHeader,
} from 'node:http2';
import { connect } from 'node:http2';
import type { TestContext } from 'node:test';

/** nghttp2 as a client in clear text, by prior knowledge; gone with the test. */
export function http2Client(context: TestContext, port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  context.after(() => session.destroy());
  return session;
}

export interface Http2Answer {
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader;
  /** Null: there were none. */
  readonly trailers: IncomingHttpHeaders | null;
  readonly body: Buffer;
  /** Of RST_STREAM, or 0. */
  readonly code: number;
}

/** All of it, once the stream is over. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  let headers: Http2Answer['headers'] = {};
  let trailers: IncomingHttpHeaders | null = null;
  const pieces: Buffer[] = [];
  stream.on('response', (given) => {
    headers = given;
  });
  stream.on('trailers', (given) => {
    trailers = given;
  });
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('error', () => {});
  await new Promise<void>((resolve) => stream.on('close', () => resolve()));
  return { headers, trailers, body: Buffer.concat(pieces), code: stream.rstCode ?? 0 };
}
