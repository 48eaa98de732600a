import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect as connectTcp } from 'node:net';
import type { TestContext } from 'node:test';
import { before, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { connect, createSecureContext } from 'node:tls';
import type { Certificate } from '../../src/model/certificate.ts';
import type { StreamOwner } from '../../src/os/socket-stream.ts';
import { SocketStream } from '../../src/os/socket-stream.ts';
import { SYSTEM } from '../../src/os/system.ts';
import { hasTlsHandles } from '../../src/os/tls/tls-binding.ts';
import type { TlsSettings } from '../../src/os/tls/tls-stream.ts';
import { TestAuthority } from '../certificates.ts';

let certificate: Certificate;
before(async () => {
  const authority = await TestAuthority.create();
  certificate = await authority.issue('default/www', ['localhost']);
});

function settings(): TlsSettings {
  return {
    context: createSecureContext({ cert: certificate.chain, key: certificate.privateKey, ca: [] }),
    isServer: true,
    alpn: null,
    clientCertificate: 'none',
    ocspResponse: null,
    serverName: '',
    session: null,
  };
}

interface Recorder extends StreamOwner {
  stream: SocketStream;
  ended: boolean;
  closed: string | null;
}

/** A server whose accepted connections are handed to `serve` as soon as they come. */
async function listen(
  context: TestContext,
  owner: (stream: SocketStream) => Partial<StreamOwner>,
): Promise<{
  port: number;
  next: Promise<Recorder>;
}> {
  let tell: (recorder: Recorder) => void;
  const next = new Promise<Recorder>((resolve) => {
    tell = resolve;
  });
  const listening = await SYSTEM.listen(
    { port: 0, address: '127.0.0.1', reusePort: false, backlog: 16 },
    (handle) => {
      const stream = SocketStream.accepted(handle);
      const recorder: Recorder = {
        stream,
        ended: false,
        closed: null,
        onBytes() {},
        onEnd() {
          recorder.ended = true;
        },
        onWritable() {},
        onConnect() {},
        onClosed(code) {
          recorder.closed = code;
        },
        onFault(error) {
          throw error;
        },
      };
      Object.assign(recorder, owner(stream));
      stream.owner = recorder;
      stream.secure(settings(), { onSecured: () => {}, onSession: () => {} }, null);
      tell(recorder);
    },
  );
  context.after(() => listening.close());
  return { port: listening.port, next };
}

function client(port: number, socket?: Socket): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secured = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...(socket && { socket }),
    });
    secured.once('secureConnect', () => resolve(secured)).on('error', reject);
  });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

test('32 MiB written as fast as it is taken, to a reader that pauses, come whole', async (context) => {
  const blocks = 512;
  const random = randomBytes(65_536);
  const content = (index: number): Buffer => random.subarray(0).fill(index & 0xff, 0, 100);
  let left = blocks;
  const server = await listen(context, (stream) => {
    const write = (): void => {
      while (left > 0) {
        left -= 1;
        const block = Buffer.from(content(left));
        const done =
          left % 3 === 0
            ? stream.writeAll([block.subarray(0, 100), block.subarray(100)])
            : stream.write(block);
        // From then on it is nobody's business what is in it.
        if (done || !stream.keepsMemory) block.fill(0xee);
        if (!done) return;
      }
      if (!stream.writing) stream.end();
    };
    return { onBytes: write, onWritable: write };
  });
  const socket = await client(server.port);
  const expected = createHash('sha256');
  for (let index = blocks - 1; index >= 0; index -= 1) expected.update(content(index));
  const got = createHash('sha256');
  let reads = 0;
  socket.on('data', (bytes: Buffer) => {
    got.update(bytes);
    reads += 1;
    if (reads % 50 === 0) {
      socket.pause();
      setImmediate(() => socket.resume());
    }
  });
  const over = new Promise((resolve) => socket.once('end', resolve));
  socket.write('go');
  await over;
  assert.equal(got.digest('hex'), expected.digest('hex'));
  socket.destroy();
});

test('what was written before a close goes out, and the peer hears that it was the end', {
  skip: !hasTlsHandles,
}, async (context) => {
  for (const pieces of [1, 5, 40]) {
    const server = await listen(context, (stream) => ({
      onBytes() {
        for (let piece = 0; piece < pieces; piece += 1) stream.write(Buffer.alloc(1000, piece));
        stream.destroy();
      },
    }));
    const socket = await client(server.port);
    let length = 0;
    socket.on('data', (bytes: Buffer) => {
      length += bytes.length;
    });
    const over = new Promise((resolve) => socket.once('end', resolve));
    socket.write('go');
    await over;
    assert.equal(length, pieces * 1000);
  }
});

test('nothing is told to whoever has paused, and all of it once he goes on', async (context) => {
  const sent = randomBytes(200_000);
  const heard: Buffer[] = [];
  let paused = false;
  const server = await listen(context, (stream) => ({
    onBytes(bytes, end) {
      assert.equal(paused, false);
      heard.push(Buffer.from(bytes.subarray(0, end)));
      paused = true;
      stream.pause();
      setImmediate(() => {
        paused = false;
        stream.resume();
      });
    },
    onEnd() {
      if (hasTlsHandles) assert.equal(paused, false);
      stream.destroy();
    },
  }));
  const socket = await client(server.port);
  socket.end(sent);
  socket.resume();
  const recorder = await server.next;
  await until(() => recorder.closed !== null);
  assert.deepEqual(Buffer.concat(heard), sent);
});

test('an end within TLS is an end, one of the connection alone a reset', {
  skip: !hasTlsHandles,
}, async (context) => {
  const clean = await listen(context, () => ({}));
  const first = await client(clean.port);
  first.end();
  const one = await clean.next;
  await until(() => one.ended);
  one.stream.destroy();

  const cut = await listen(context, () => ({}));
  const raw = connectTcp(cut.port, '127.0.0.1');
  const second = await client(cut.port, raw);
  second.on('error', () => {});
  const two = await cut.next;
  // Beneath TLS, as somebody on the way could.
  raw.destroySoon();
  await until(() => two.closed !== null);
  assert.equal(two.ended, false);
  assert.equal(two.closed, 'ECONNRESET');
});

test('a stream can be destroyed in the midst of everything', async (context) => {
  for (const place of ['secured', 'bytes', 'writing'] as const) {
    const listening = await SYSTEM.listen(
      { port: 0, address: '127.0.0.1', reusePort: false, backlog: 16 },
      (handle) => {
        const stream = SocketStream.accepted(handle);
        stream.owner = {
          onConnect() {},
          onBytes() {
            if (place === 'writing')
              for (let count = 0; count < 100; count += 1) stream.write(Buffer.alloc(65_536));
            stream.reset();
          },
          onEnd() {},
          onWritable() {},
          onClosed() {},
          onFault(error) {
            throw error;
          },
        };
        const onSecured = (): void => {
          if (place === 'secured') stream.destroy();
        };
        stream.secure(settings(), { onSecured, onSession: () => {} }, null);
      },
    );
    context.after(() => listening.close());
    await Promise.all(
      Array.from({ length: 20 }, () => {
        const socket = connect({ port: listening.port, host: '127.0.0.1', rejectUnauthorized: false });
        socket.on('error', () => {}).on('secureConnect', () => socket.write('go'));
        socket.resume();
        return new Promise((resolve) => socket.once('close', resolve));
      }),
    );
  }
});
