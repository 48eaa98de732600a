import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as http from 'node:http';
import type { ClientHttp2Session, Http2Server } from 'node:http2';
import * as http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { Harness } from './harness.ts';
import { startBefore } from './smuggling-http2-run.ts';

/*
 * Drawn requests and answers through every pair of versions that has HTTP/2 on one side, with Node's own servers and
 * clients at the ends: what may pass by RFC 9110 passes as it was.
 */
type Pairs = readonly (readonly [name: string, value: string])[];

interface Part {
  readonly fields: Pairs;
  readonly body: Buffer;
  readonly trailer: Pairs;
  readonly hasLength: boolean;
}

interface Asked extends Part {
  readonly method: string;
  readonly target: string;
}

interface Answered extends Part {
  readonly status: number;
}

const NAMES = ['accept', 'x-a', 'x-b', 'x-some-name', 'via', "x!#$%&'*+.^`|~z"];
const TRAILER_NAMES = ['x-sum', 'x-t', 'grpc-status'];
/** Node's own parser of HTTP/1.1 takes no control bytes, and HTTP/2 no space at the ends. */
const value = fc
  .stringMatching(/^(?:[!-~](?:[\t -~]{0,30}[!-~])?)?$/)
  .filter((text) => !text.includes('\t') || text.trim() === text);
const pairs = (names: readonly string[], most: number): fc.Arbitrary<Pairs> =>
  fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: most });
const body = fc.oneof(
  fc.constant(Buffer.alloc(0)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.integer({ min: 1, max: 200_000 }).map((size) => Buffer.alloc(size, 'abcdefg')),
);
const segment = fc.stringMatching(/^[A-Za-z0-9_~!$&'()*+,;=:@-]{1,12}$/);
const target = fc
  .tuple(
    fc.array(segment, { maxLength: 5 }),
    fc.option(fc.stringMatching(/^[A-Za-z0-9_~!$&'()*+,;=:@/?.%-]{0,40}$/)),
  )
  .map(([segments, query]) => `/${segments.join('/')}${query === null ? '' : `?${query}`}`);

const asked: fc.Arbitrary<Asked> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'),
  target,
  fields: fc
    .tuple(pairs(NAMES, 8), fc.array(fc.constantFrom('a=1', 'b=2; c=3', 'd='), { maxLength: 2 }))
    .map(([given, cookies]): Pairs => [...given, ...cookies.map((cookie) => ['cookie', cookie] as const)]),
  body,
  trailer: pairs(TRAILER_NAMES, 3),
  hasLength: fc.boolean(),
});

const answered: fc.Arbitrary<Answered> = fc.record({
  status: fc.constantFrom(200, 201, 206, 299, 404, 500, 503),
  fields: fc
    .tuple(
      pairs(['server', 'x-a', 'x-b', 'link'], 6),
      fc.array(fc.constantFrom('a=1', 'b=2; Path=/'), { maxLength: 3 }),
    )
    .map(
      ([given, cookies]): Pairs => [...given, ...cookies.map((cookie) => ['set-cookie', cookie] as const)],
    ),
  body,
  trailer: pairs(TRAILER_NAMES, 3),
  hasLength: fc.boolean(),
});

/** What the backend is to answer, and what it has got. */
let script: Answered;
let got: Asked;

interface Ends {
  readonly server: http.Server | Http2Server;
  readonly harness: Harness;
}
let over1: Ends;
let over2: Ends;
let session: ClientHttp2Session;
let sessionToHttp2: ClientHttp2Session;

function pairsOf(raw: readonly string[]): Pairs {
  const found: [string, string][] = [];
  for (let at = 0; at < raw.length; at += 2) found.push([raw[at]!.toLowerCase(), raw[at + 1]!]);
  return found;
}

/** By name, those of a name in order; crumbs of a cookie are one (RFC 9113 section 8.2.3). */
function grouped(given: Pairs, names: readonly string[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const [name, text] of given) {
    if (!names.includes(name)) continue;
    groups[name] ??= [];
    const group = groups[name];
    if (name === 'cookie' && group.length > 0) group[0] = `${group[0]}; ${text}`;
    else group.push(text);
  }
  return groups;
}

/** HTTP/2 in Node takes several values of a name as a list. */
function asHeaders(given: Pairs): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, text] of given) {
    const known = headers[name];
    if (known === undefined) headers[name] = text;
    else headers[name] = Array.isArray(known) ? [...known, text] : [known, text];
  }
  return headers;
}

/** With a length the end goes with the last byte, and there are no trailers. */
const mayTrail = ({ hasLength }: Part): boolean => !hasLength;

function serve(
  message: IncomingMessage | http2.Http2ServerRequest,
  response: ServerResponse | http2.Http2ServerResponse,
): void {
  const pieces: Buffer[] = [];
  message.on('data', (piece: Buffer) => pieces.push(piece));
  message.on('end', () => {
    got = {
      method: message.method!,
      target: message.url!,
      fields: pairsOf(message.rawHeaders),
      body: Buffer.concat(pieces),
      trailer: pairsOf(message.rawTrailers),
      hasLength: message.headers['content-length'] !== undefined,
    };
    const { status, fields, trailer, hasLength } = script;
    const headers = asHeaders(fields);
    if (hasLength) headers['content-length'] = String(script.body.length);
    if (response instanceof http.ServerResponse) {
      response.sendDate = false;
      if (!hasLength) headers['transfer-encoding'] = 'chunked';
      response.writeHead(status, headers);
      if (mayTrail(script)) response.addTrailers(trailer.map(([name, text]) => [name, text]) as never);
      response.end(script.body);
      return;
    }
    response.sendDate = false;
    response.writeHead(status, headers);
    if (mayTrail(script)) response.addTrailers(asHeaders(trailer) as http2.OutgoingHttpHeaders);
    response.end(script.body);
  });
}

async function begin(server: http.Server | Http2Server, protocol: 'HTTP1' | 'HTTP2'): Promise<Ends> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, harness: await startBefore((server.address() as AddressInfo).port, protocol) };
}

before(async () => {
  over1 = await begin(http.createServer(serve), 'HTTP1');
  over2 = await begin(http2.createServer(serve), 'HTTP2');
  session = http2.connect(`http://127.0.0.1:${over1.harness.port}`);
  sessionToHttp2 = http2.connect(`http://127.0.0.1:${over2.harness.port}`);
});

after(() => {
  for (const one of [session, sessionToHttp2]) one.destroy();
  for (const { harness, server } of [over1, over2]) {
    harness.dataplane.shutdown();
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
  }
});

function askHttp1(port: number, request: Asked): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { method, target: path, fields, hasLength } = request;
    const headers: Record<string, string | string[]> = { host: 'a.example', ...asHeaders(fields) };
    if (hasLength) headers['content-length'] = String(request.body.length);
    else headers['transfer-encoding'] = 'chunked';
    const sent = http.request(
      { port, host: '127.0.0.1', method, path, headers, agent: false },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            fields: pairsOf(response.rawHeaders),
            body: Buffer.concat(pieces),
            trailer: pairsOf(response.rawTrailers),
            hasLength: response.headers['content-length'] !== undefined,
          }),
        );
      },
    );
    sent.on('error', reject);
    if (mayTrail(request)) sent.addTrailers(request.trailer.map(([name, text]) => [name, text]) as never);
    sent.end(request.body);
  });
}

function askHttp2(client: ClientHttp2Session, request: Asked): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { method, target: path, fields, hasLength } = request;
    const length = hasLength ? { 'content-length': String(request.body.length) } : {};
    const stream = client.request(
      { ':method': method, ':path': path, ':authority': 'a.example', ...asHeaders(fields), ...length },
      { waitForTrailers: true, endStream: false },
    );
    stream.on('wantTrailers', () => stream.sendTrailers(mayTrail(request) ? asHeaders(request.trailer) : {}));
    let head: Omit<Answered, 'body' | 'trailer'> | null = null;
    let trailer: Pairs = [];
    const pieces: Buffer[] = [];
    stream.on('response', (headers, _flags, raw: string[]) => {
      head = {
        status: headers[':status']!,
        fields: pairsOf(raw),
        hasLength: headers['content-length'] !== undefined,
      };
    });
    stream.on('trailers', (_headers, _flags, raw: string[]) => {
      trailer = pairsOf(raw);
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', reject);
    stream.on('close', () =>
      head === null
        ? reject(new Error(`no answer: ${stream.rstCode}`))
        : resolve({ ...head, body: Buffer.concat(pieces), trailer }),
    );
    stream.end(request.body);
  });
}

function checkPart(arrived: Part, sent: Part, names: readonly string[]): void {
  assert.ok(arrived.body.equals(sent.body), `${arrived.body.length} bytes of ${sent.body.length}`);
  assert.deepEqual(grouped(arrived.fields, names), grouped(sent.fields, names));
  assert.deepEqual(
    grouped(arrived.trailer, TRAILER_NAMES),
    mayTrail(sent) ? grouped(sent.trailer, TRAILER_NAMES) : {},
  );
  if (sent.hasLength)
    assert.deepEqual(grouped(arrived.fields, ['content-length']), {
      'content-length': [String(sent.body.length)],
    });
}

const REQUEST_NAMES = [...NAMES, 'cookie'];
const ANSWER_NAMES = ['server', 'x-a', 'x-b', 'link', 'set-cookie'];
const WAYS = {
  'HTTP/2 to HTTP/1.1': (request: Asked) => askHttp2(session, request),
  'HTTP/1.1 to HTTP/2': (request: Asked) => askHttp1(over2.harness.port, request),
  'HTTP/2 to HTTP/2': (request: Asked) => askHttp2(sessionToHttp2, request),
};

for (const [name, ask] of Object.entries(WAYS))
  test(`drawn requests and answers pass as they are: ${name}`, { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(asked, answered, async (request, answer) => {
        script = answer;
        const back = await ask(request);
        assert.deepEqual([got.method, got.target], [request.method, request.target]);
        checkPart(got, request, REQUEST_NAMES);
        assert.equal(back.status, answer.status);
        checkPart(back, answer, ANSWER_NAMES);
      }),
      { numRuns: 150 },
    );
  });
