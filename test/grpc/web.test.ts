import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { GRPC_STATUS } from '../../src/model/grpc-status.ts';
import type { RouteRule } from '../../src/model/route.ts';
import { Base64Decoder } from '../../src/wire/grpc/base64.ts';
import type { Harness } from '../dataplane/harness.ts';
import { cluster, route, rule, startProxy } from '../dataplane/harness.ts';
import type { Answer, ScriptedBackend } from './peers.ts';
import { caller, message, messages, scriptedBackend, status } from './peers.ts';

async function bridge(
  context: TestContext,
  answers: readonly Answer[],
  overrides: Partial<RouteRule> = {},
): Promise<Harness & { readonly backend: ScriptedBackend }> {
  const backend = await scriptedBackend(context, ...answers);
  const harness = await startProxy(context, [backend.port], {
    more: [
      { kind: 'cluster', value: cluster({ protocol: 'HTTP2' }) },
      { kind: 'route', value: route({ rules: [rule({ grpcWeb: true, ...overrides })] }) },
    ],
  });
  return { ...harness, backend };
}

interface WebAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** As a browser does by HTTP/1.1; `pieces` go one after the other. */
function post(
  port: number,
  headers: Record<string, string>,
  ...pieces: readonly (string | Buffer)[]
): Promise<WebAnswer> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(
      {
        port,
        host: '127.0.0.1',
        path: '/service/Method',
        method: 'POST',
        headers: { 'x-grpc-web': '1', ...headers },
      },
      (answer) => {
        const body: Buffer[] = [];
        answer.on('data', (piece: Buffer) => body.push(piece));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(body) }),
        );
      },
    );
    asked.on('error', reject);
    for (const piece of pieces) asked.write(piece);
    asked.end();
  });
}

interface Frames {
  readonly messages: string[];
  readonly trailers: Record<string, string>;
}

/** Independent of what the bridge is made of. */
function framesOf(body: Buffer): Frames {
  const found: string[] = [];
  let trailers: Record<string, string> = {};
  for (let at = 0; at < body.length; ) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    assert.ok(end <= body.length, 'a frame is whole');
    const text = body.toString('latin1', at + 5, end);
    if (body[at] === 0) found.push(text);
    else {
      assert.equal(body[at], 0x80);
      assert.equal(end, body.length, 'trailers are the last');
      trailers = Object.fromEntries(
        text
          .split('\r\n')
          .filter(Boolean)
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      );
    }
    at = end;
  }
  return { messages: found, trailers };
}

const plain = (text: Buffer): Buffer => new Base64Decoder().decode(text, 0, text.length)!;
const BINARY = { 'content-type': 'application/grpc-web+proto' };
const TEXT = { 'content-type': 'application/grpc-web-text' };

test('a call of gRPC-Web is a call of gRPC to the backend, and its trailers are the end of the body', async (context) => {
  const { port, backend, count } = await bridge(context, [
    messages(['one', 'two'], GRPC_STATUS.DATA_LOSS, { 'grpc-message': 'why', 'x-more': 'm' }),
  ]);
  const answer = await post(port, BINARY, message('asked'));
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'application/grpc-web+proto');
  assert.deepEqual(framesOf(answer.body), {
    messages: ['one', 'two'],
    trailers: { 'grpc-status': String(GRPC_STATUS.DATA_LOSS), 'grpc-message': 'why', 'x-more': 'm' },
  });
  const asked = backend.asked[0]!;
  assert.equal(asked.headers['content-type'], 'application/grpc+proto');
  assert.equal(asked.headers.te, 'trailers');
  assert.deepEqual(await asked.body, message('asked'));
  assert.equal(count('grpc_responses', { code: 'DATA_LOSS' }), 1);
});

test('text is base64 both ways, in pieces as they come', async (context) => {
  const { port, backend } = await bridge(context, [messages(['one', 'to', 'longer than three'])]);
  const body = message('a message that is asked');
  const text = body.toString('base64');
  for (const pieces of [
    [text],
    [...text],
    // Two pieces that are padded by themselves.
    [body.subarray(0, 10).toString('base64'), body.subarray(10).toString('base64')],
  ]) {
    const answer = await post(port, TEXT, ...pieces);
    assert.equal(answer.headers['content-type'], 'application/grpc-web-text');
    assert.match(answer.body.toString('latin1'), /^[A-Za-z0-9+/=]+$/);
    assert.deepEqual(framesOf(plain(answer.body)), {
      messages: ['one', 'to', 'longer than three'],
      trailers: { 'grpc-status': '0' },
    });
    assert.deepEqual(await backend.asked.at(-1)!.body, body);
    assert.equal(backend.asked.at(-1)!.headers['content-type'], 'application/grpc');
  }
});

test('what a browser accepts decides over the answer', async (context) => {
  const { port } = await bridge(context, [messages(['one'])]);
  const text = await post(port, { ...BINARY, accept: 'application/grpc-web-text' }, message('a'));
  assert.equal(text.headers['content-type'], 'application/grpc-web-text+proto');
  assert.deepEqual(framesOf(plain(text.body)).messages, ['one']);
  const asked = message('a').toString('base64');
  const binary = await post(port, { ...TEXT, accept: 'application/grpc-web' }, asked);
  assert.equal(binary.headers['content-type'], 'application/grpc-web');
  assert.deepEqual(framesOf(binary.body).messages, ['one']);
});

test('each message can be read when it has come, not only when the next one does', async (context) => {
  const { port } = await bridge(context, [
    (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.write(message('1'));
    },
  ]);
  const asked = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: '/', headers: TEXT });
  asked.on('error', () => {});
  asked.end(message('a').toString('base64'));
  const first = await new Promise<Buffer>((resolve) =>
    asked.on('response', (answer) => {
      answer.on('error', () => {});
      answer.once('data', resolve);
    }),
  );
  assert.deepEqual(plain(first), message('1'));
  asked.destroy();
});

test('large messages come through whole, both ways', async (context) => {
  const large = Buffer.alloc(700_001, 'abcdefg');
  const { port, backend } = await bridge(context, [messages([large, large])]);
  for (const [headers, body, read] of [
    [BINARY, message(large), (bytes: Buffer) => bytes],
    [TEXT, Buffer.from(message(large).toString('base64')), plain],
  ] as const) {
    const answer = await post(port, headers, body);
    const frames = framesOf(read(answer.body));
    assert.deepEqual(
      frames.messages.map((text) => text === large.toString('latin1')),
      [true, true],
    );
    assert.equal(frames.trailers['grpc-status'], '0');
    assert.ok((await backend.asked.at(-1)!.body).equals(message(large)));
  }
});

test('trailers alone stay fields of the head, from the backend or ours', async (context) => {
  const { port } = await bridge(context, [status(GRPC_STATUS.NOT_FOUND, { 'grpc-message': 'no' })], {
    bodyBytes: 50,
  });
  const answer = await post(port, BINARY, message('a'));
  assert.equal(answer.headers['grpc-status'], String(GRPC_STATUS.NOT_FOUND));
  assert.equal(answer.headers['content-type'], 'application/grpc-web+proto');
  assert.equal(answer.body.length, 0);
  const ours = await post(port, BINARY, Buffer.alloc(51));
  assert.equal(ours.status, 200);
  assert.equal(ours.headers['grpc-status'], String(GRPC_STATUS.RESOURCE_EXHAUSTED));
  assert.equal(ours.headers['content-type'], 'application/grpc-web+proto');
  assert.equal(ours.body.length, 0);
});

test('what is no base64, or not all of it, is refused', async (context) => {
  const { port } = await bridge(context, [messages(['never'])]);
  for (const body of ['AAAA*', 'AAAAB', 'AA=A']) {
    const answer = await post(port, TEXT, body);
    assert.equal(answer.headers['grpc-status'], String(GRPC_STATUS.INTERNAL), body);
    assert.equal(answer.headers['x-novaedge-reason'], 'bad_request');
  }
});

test('an answer that breaks off between messages ends by trailers, within one it breaks off', async (context) => {
  const { port } = await bridge(context, [
    (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.write(message('first'), () => stream.session?.destroy());
    },
    (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.write(message('first').subarray(0, 8), () => stream.session?.destroy());
    },
  ]);
  const answer = await post(port, BINARY, message('a'));
  assert.deepEqual(framesOf(answer.body).messages, ['first']);
  assert.equal(framesOf(answer.body).trailers['grpc-status'], String(GRPC_STATUS.UNAVAILABLE));
  await assert.rejects(post(port, BINARY, message('a')));
});

test('over HTTP/2 it is the same', async (context) => {
  const { port } = await bridge(context, [messages(['one'])]);
  const answered = await caller(context, port).call(BINARY, message('a'));
  assert.equal(answered.headers['content-type'], 'application/grpc-web+proto');
  assert.deepEqual(framesOf(answered.body), { messages: ['one'], trailers: { 'grpc-status': '0' } });
  assert.equal(answered.trailers, null);
});

test('a rule that does not ask for it leaves it as it is, and gRPC through a rule that does is gRPC', async (context) => {
  const without = await bridge(context, [messages(['one'])], { grpcWeb: false });
  await post(without.port, BINARY, message('a'));
  assert.equal(without.backend.asked[0]!.headers['content-type'], 'application/grpc-web+proto');
  const withIt = await bridge(context, [messages(['one'])]);
  const answered = await caller(context, withIt.port).call({}, message('a'));
  assert.equal(answered.headers['content-type'], 'application/grpc+proto');
  assert.deepEqual(answered.body, message('one'));
  assert.equal(answered.trailers?.['grpc-status'], '0');
});

test('an answer that is no gRPC comes as it is', async (context) => {
  const { port } = await bridge(context, [
    (stream) => {
      stream.respond({ ':status': 503, 'content-type': 'text/plain', 'content-length': 4 });
      stream.end('busy');
    },
  ]);
  const answer = await post(port, TEXT, message('a').toString('base64'));
  assert.equal(answer.status, 503);
  assert.equal(answer.body.toString(), 'busy');
});
