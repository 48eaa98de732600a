import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { before, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Certificate } from '../../../src/model/certificate.ts';
import { fingerprint, TestAuthority } from '../../certificates.ts';
import { answering, OK, RawClient, rawBackend } from '../raw.ts';
import { certificateResources, exchange, get, shake, startSecure } from './harness.ts';

let authority: TestAuthority;
let certificate: Certificate;

before(async () => {
  authority = await TestAuthority.create();
  certificate = await authority.issue('default/www', ['www.example.com']);
});

/** What a client of `node:tls` says first. */
async function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read() {},
      write(bytes: Buffer, _encoding, done) {
        resolve(bytes);
        done();
      },
    });
    connectTls({ socket: wire, servername: 'www.example.com' }).on('error', () => {});
  });
}

test('2,000 handshakes that stop half way starve nobody, and end when their time is over', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const harness = await startSecure(context, [backend.port], {
    certificates: [certificate],
    tls: { handshakeTimeoutMs: 1500 },
  });
  const hello = await clientHello();
  let over = 0;
  const all: Promise<void>[] = [];
  for (let index = 0; index < 2000; index += 1) {
    const socket = connect(harness.port, '127.0.0.1');
    // Nothing, a part, or the whole, and never an answer to what comes back.
    if (index % 3 === 1) socket.write(hello.subarray(0, 100));
    else if (index % 3 === 2) socket.write(hello);
    socket.resume().on('error', () => {});
    all.push(
      new Promise((resolve) =>
        socket.once('close', () => {
          over += 1;
          resolve();
        }),
      ),
    );
    if (index % 100 === 0) assert.match(await get(harness.port), /^HTTP\/1\.1 200 /);
  }
  for (let request = 0; request < 20; request += 1) assert.match(await get(harness.port), /^HTTP\/1\.1 200 /);
  await Promise.all(all);
  assert.equal(over, 2000);
  const failures = (reason: string) => harness.count('tls_handshake_failures', { reason });
  // Of those that got as far as OpenSSL the ones that had waited longest made room.
  assert.ok(failures('crowded_out') > 0);
  assert.equal(failures('timeout') + failures('crowded_out'), 2000);
  assert.equal(harness.count('open_connections'), 0);
  assert.equal(harness.dataplane.armedTimers, 1);
});

test('what is no TLS is closed without a word, and counted', async (context) => {
  const harness = await startSecure(context, [], { certificates: [certificate] });
  const hello = await clientHello();
  const table: readonly (readonly [Buffer, string])[] = [
    [Buffer.from([0, 1, 2, 3, 4, 5]), 'not_tls'],
    [Buffer.from([0x80, 0x2e, 1, 3, 1, 0]), 'not_tls'],
    [Buffer.from([22, 2, 0, 0, 5, 1]), 'not_tls'],
    [Buffer.from([22, 3, 1, 0, 0]), 'malformed'],
    [Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]), 'malformed'],
    [Buffer.from([22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff]), 'malformed'],
  ];
  for (const [bytes, reason] of table) {
    const seen = harness.count('tls_handshake_failures', { reason });
    const client = new RawClient(harness.port);
    client.send(bytes);
    await client.untilOver();
    assert.equal(client.text, reason === 'malformed' ? '\x15\x03\x01\x00\x02\x02\x32' : '');
    assert.equal(harness.count('tls_handshake_failures', { reason }), seen + 1);
  }
  const looked = new RawClient(harness.port);
  looked.socket.end();
  await looked.untilOver();
  const half = new RawClient(harness.port);
  half.send(hello.subarray(0, 50));
  half.socket.end();
  await half.untilOver();
  assert.equal(harness.count('tls_handshake_failures', { reason: 'closed' }), 1);
  assert.equal(harness.count('open_connections'), 0);
});

test('10,000 changed ClientHellos: each connection ends or shakes hands, and the worker lives', async (context) => {
  const harness = await startSecure(context, [], {
    certificates: [certificate],
    tls: { handshakeTimeoutMs: 2000 },
  });
  const hello = await clientHello();
  let state = 12_345;
  const draw = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const one = (): Promise<void> => {
    const bytes = Buffer.from(hello);
    for (let change = draw(4); change >= 0; change -= 1) bytes[draw(bytes.length)] = draw(256);
    const cut = draw(8) === 0 ? draw(bytes.length) : bytes.length;
    return new Promise((resolve) => {
      const socket = connect(harness.port, '127.0.0.1');
      socket.on('error', () => {}).once('close', () => resolve());
      socket.once('data', () => socket.destroy());
      socket.end(bytes.subarray(0, cut));
    });
  };
  for (let round = 0; round < 100; round += 1) await Promise.all(Array.from({ length: 100 }, one));
  const { socket, failure } = await shake(harness.port, { servername: 'www.example.com' });
  assert.equal(failure, '');
  socket.destroy();
  assert.deepEqual(
    harness.notifications.filter(({ type }) => type === 'fault'),
    [],
  );
});

test('a ClientHello in pieces of one byte is one', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const harness = await startSecure(context, [backend.port], { certificates: [certificate] });
  const raw = connect({ port: harness.port, host: '127.0.0.1', noDelay: true });
  const wire = new Duplex({
    read() {},
    write(bytes: Buffer, _encoding, done) {
      for (const byte of bytes) raw.write(Buffer.from([byte]));
      done();
    },
    final(done) {
      raw.end();
      done();
    },
  });
  raw.on('data', (bytes: Buffer) => wire.push(bytes)).on('end', () => wire.push(null));
  const socket: TLSSocket = connectTls({ socket: wire, servername: 'www.example.com', ca: authority.pem });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  const text = await exchange(socket, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  assert.match(text, /^HTTP\/1\.1 200 /);
});

test('certificates change 200 times under load: no failed handshake, no certificate of another name', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const names = ['a.test', 'b.test'];
  const versions = await Promise.all(
    names.map((name) => Promise.all([0, 1, 2].map(() => authority.issue(`default/${name}`, [name])))),
  );
  const harness = await startSecure(context, [backend.port], {
    certificates: versions.map(([first]) => first!),
  });
  const allowed = names.map((_, index) => new Set(versions[index]!.map(fingerprint)));
  let isOver = false;
  let shakes = 0;
  const client = async (index: number): Promise<void> => {
    while (!isOver) {
      const { socket, failure } = await shake(harness.port, { servername: names[index]! });
      assert.equal(failure, '');
      assert.ok(allowed[index]!.has(socket.getPeerCertificate().fingerprint256));
      const text = await exchange(
        socket,
        `GET / HTTP/1.1\r\nHost: ${names[index]}\r\nConnection: close\r\n\r\n`,
      );
      assert.match(text, /^HTTP\/1\.1 200 /);
      shakes += 1;
    }
  };
  const clients = [client(0), client(1), client(0), client(1)];
  for (let change = 1; change <= 200; change += 1) {
    const at = shakes;
    harness.change(certificateResources(versions.map((some) => some[change % some.length]!)));
    while (shakes === at) await new Promise(setImmediate);
  }
  isOver = true;
  await Promise.all(clients);
  assert.ok(shakes >= 200);
  assert.equal(harness.count('tls_handshake_failures'), 0);
  const { socket } = await shake(harness.port, { servername: 'a.test' });
  assert.equal(socket.getPeerCertificate().fingerprint256, fingerprint(versions[0]![200 % 3]!));
  socket.destroy();
});
