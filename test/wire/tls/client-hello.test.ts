import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { before, test } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import { connect } from 'node:tls';
import * as fc from 'fast-check';
import type { ClientHelloOutcome } from '../../../src/wire/tls/client-hello-reader.ts';
import { ClientHelloReader } from '../../../src/wire/tls/client-hello-reader.ts';

/** What `node:tls`, an implementation that is not ours, says first. */
function hello(options: ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read() {},
      write(bytes: Buffer, _encoding, done) {
        resolve(bytes);
        done();
      },
    });
    connect({ socket: wire, ...options }).on('error', () => {});
  });
}

/** Each piece comes into the same memory, somewhere in it, as reads of a thread do. */
function read(pieces: readonly Buffer[]): ClientHelloOutcome {
  const reader = new ClientHelloReader();
  const memory = Buffer.alloc(65_536);
  let outcome: ClientHelloOutcome = { outcome: 'more' };
  let length = 0;
  for (const [index, piece] of pieces.entries()) {
    const from = index % 7;
    memory.fill(0xff);
    piece.copy(memory, from);
    length += piece.length;
    outcome = reader.read(memory, from, from + piece.length);
    if (outcome.outcome !== 'more') break;
  }
  assert.deepEqual(reader.received, Buffer.concat(pieces).subarray(0, length));
  return outcome;
}

let full: Buffer;
before(async () => {
  full = await hello({
    servername: 'WWW.Example.com',
    ALPNProtocols: ['h2', 'http/1.1'],
    sigalgs: 'ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256',
  });
});

test('what a client wants is read from what OpenSSL says', async () => {
  assert.deepEqual(read([full]), {
    outcome: 'hello',
    hello: {
      serverName: 'www.example.com',
      alpn: ['h2', 'http/1.1'],
      versions: [0x0304, 0x0303],
      signatureAlgorithms: [0x0403, 0x0804],
      wantsStatus: false,
    },
  });
  const bare = read([await hello({ maxVersion: 'TLSv1.2', requestOCSP: true })]);
  assert.ok(bare.outcome === 'hello');
  assert.equal(bare.hello.serverName, '');
  assert.deepEqual(bare.hello.versions, [0x0303]);
  assert.equal(bare.hello.wantsStatus, true);
});

test('any split, over reads and over records, says the same; every part of it says that more is to come', () => {
  const whole = read([full]);
  for (let length = 0; length < full.length; length += 1)
    assert.equal(read([full.subarray(0, length)]).outcome, 'more', String(length));
  const body = full.subarray(5);
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: body.length - 1 }), { maxLength: 20 });
  fc.assert(
    fc.property(cuts, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (records, reads) => {
      const ends = [...records.sort((a, b) => a - b), body.length];
      let from = 0;
      const wire = Buffer.concat(
        ends.flatMap((end) => {
          const fragment = body.subarray(from, end);
          from = end;
          return [Buffer.from([22, 3, 1, fragment.length >> 8, fragment.length & 0xff]), fragment];
        }),
      );
      const pieces: Buffer[] = [];
      for (let at = 0, index = 0; at < wire.length; index += 1) {
        const size = reads[index % reads.length]!;
        pieces.push(wire.subarray(at, at + size));
        at += size;
      }
      assert.deepEqual(read(pieces), whole);
    }),
  );
});

test('all that was read is there for whoever goes on with it', () => {
  const reader = new ClientHelloReader();
  reader.read(full, 0, 100);
  const rest = Buffer.concat([full.subarray(100), Buffer.from('more')]);
  assert.equal(reader.read(rest, 0, rest.length).outcome, 'hello');
  assert.deepEqual(reader.received, Buffer.concat([full, Buffer.from('more')]));
});

test('what is changed is read, waited for, or refused, never anything else', () => {
  const change = fc.record({
    at: fc.integer({ min: 0, max: full.length - 1 }),
    byte: fc.integer({ min: 0, max: 255 }),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const bytes = Buffer.from(full);
      for (const { at, byte } of changes) bytes[at] = byte;
      const result = read([bytes]);
      if (result.outcome === 'hello') assert.match(result.hello.serverName, /^[a-z0-9_.-]*$/);
    }),
    { numRuns: 10_000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
      read([Buffer.from(bytes)]);
    }),
    { numRuns: 10_000 },
  );
});

test('no client makes us keep more than there is in a ClientHello', () => {
  const header = Buffer.from([22, 3, 1, 0x40, 0]);
  const endless = Buffer.concat([header, Buffer.from([1, 0, 0x80, 1]), Buffer.alloc(16_380)]);
  assert.deepEqual(read([endless]), { outcome: 'failed', fault: 'malformed' });
  const tiny = Buffer.concat(
    Array.from({ length: 100 }, (_, index) => Buffer.from([22, 3, 1, 0, 1, index === 0 ? 1 : 0])),
  );
  assert.deepEqual(read([tiny]), { outcome: 'failed', fault: 'malformed' });
});
