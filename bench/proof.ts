import { once } from 'node:events';
import { get as getPlain, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect as connectH2 } from 'node:http2';
import { get as getSecure } from 'node:https';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import type { Work } from './work/work.ts';

const TIMEOUT_MS = 5_000;
const SMALL_BODY = 'Hello, world!';
const MEGABYTE = 1_048_576;

/**
 * Asks a proxy for what a work is about, once, with a client that has no part in the load (Node's own, grpc-js), so
 * that nothing is measured that does not work.
 * @throws Error saying what was answered instead.
 */
export async function prove(work: Work, port: number): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  try {
    await Promise.race([proof(work, port), promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function proof(work: Work, port: number): Promise<void> {
  if (work.content === 'gRPC')
    return work.loader === 'grpc-stream' ? proveStream(work, port) : proveUnary(work, port);
  if (work.content === 'WebSocket') return proveWebSocket(work, port);
  if (work.tls !== null) await proveTls(work, port);
  const { status, length } = await (work.client === 'HTTP2' ? askH2(work, port) : askH1(work, port));
  if (status !== 200) throw new Error(`status ${status} instead of 200`);
  const wanted = lengthOf(work.path);
  if (length !== wanted) throw new Error(`${length} bytes instead of ${wanted}`);
}

function lengthOf(path: string): number {
  const size = /^\/(\d+)([km])$/.exec(path);
  if (size !== null) return Number(size[1]) * (size[2] === 'k' ? 1024 : MEGABYTE);
  return path === '/chunked.html' ? 10_240 : SMALL_BODY.length;
}

interface Answer {
  readonly status: number;
  readonly length: number;
}

async function askH1(work: Work, port: number): Promise<Answer> {
  const options: RequestOptions = { port, host: '127.0.0.1', path: work.path, agent: false };
  const request =
    work.tls === null ? getPlain(options) : getSecure({ ...options, rejectUnauthorized: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let length = 0;
  for await (const bytes of response) length += (bytes as Buffer).length;
  return { status: response.statusCode ?? 0, length };
}

async function askH2(work: Work, port: number): Promise<Answer> {
  const scheme = work.tls === null ? 'http' : 'https';
  const session = connectH2(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false });
  try {
    // Its end is the stream's, which is waited for; without a listener it would be the process's.
    session.on('error', () => {});
    const stream = session.request({ ':path': work.path });
    const [headers] = (await once(stream, 'response')) as [{ ':status'?: number }];
    let length = 0;
    for await (const bytes of stream) length += (bytes as Buffer).length;
    return { status: headers[':status'] ?? 0, length };
  } finally {
    session.destroy();
  }
}

/** TLS 1.3 is agreed on, and where a work resumes sessions, they are resumed. */
async function proveTls(work: Work, port: number): Promise<void> {
  const first = await handshake(work, port);
  try {
    if (first.getProtocol() !== 'TLSv1.3') throw new Error(`${first.getProtocol()} instead of TLSv1.3`);
    if (work.client === 'HTTP2' && first.alpnProtocol !== 'h2')
      throw new Error(`ALPN ${first.alpnProtocol} instead of h2`);
    if (work.name !== 'tls-resumed') return;
    const [session] = (await once(first, 'session')) as [Buffer];
    const second = await handshake(work, port, session);
    try {
      if (!second.isSessionReused()) throw new Error('a session is not resumed');
    } finally {
      second.destroy();
    }
  } finally {
    first.destroy();
  }
}

async function handshake({ client }: Work, port: number, session?: Buffer): Promise<TLSSocket> {
  const ALPNProtocols = client === 'HTTP2' ? ['h2'] : ['http/1.1'];
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols, session });
  await once(socket, 'secureConnect');
  return socket;
}

const MESSAGE = Buffer.from('a message that comes back');
const asIs = (bytes: Buffer) => bytes;

function withClient(port: number, use: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  return use(client).finally(() => client.close());
}

function proveUnary({ path }: Work, port: number): Promise<void> {
  return withClient(port, async (client) => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
    client.makeUnaryRequest(path, asIs, asIs, MESSAGE, (error: ServiceError | null, answer?: Buffer) =>
      error === null ? resolve(answer) : reject(error),
    );
    sameMessage(await promise);
  });
}

function proveStream({ path }: Work, port: number): Promise<void> {
  return withClient(port, async (client) => {
    const call = client.makeBidiStreamRequest(path, asIs, asIs);
    for (let index = 0; index < 3; index += 1) {
      call.write(MESSAGE);
      const [answer] = (await once(call, 'data')) as [Buffer];
      sameMessage(answer);
    }
    const status = once(call, 'status') as Promise<[{ code: number }]>;
    call.end();
    const [{ code }] = await status;
    if (code !== 0) throw new Error(`gRPC status ${code} instead of 0`);
  });
}

function sameMessage(answer: Buffer | undefined): void {
  if (answer === undefined || !MESSAGE.equals(answer)) throw new Error('another message came back');
}

async function proveWebSocket({ path }: Work, port: number): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  socket.onopen = () => socket.send(MESSAGE.toString());
  socket.onmessage = ({ data }) => resolve(String(data));
  socket.onerror = () => reject(new Error('no WebSocket is opened'));
  socket.onclose = ({ code }) => reject(new Error(`the WebSocket ended with ${code}`));
  try {
    sameMessage(Buffer.from(await promise));
  } finally {
    socket.close();
  }
}
