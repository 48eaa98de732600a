import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32c } from '../../../src/wire/proxy-protocol/crc32c.ts';
import type { ProxiedConnection } from '../../../src/wire/proxy-protocol/header.ts';
import {
  decodeProxyHeader,
  encodeProxyHeader,
  ProxyHeaderReader,
} from '../../../src/wire/proxy-protocol/header-reader.ts';
import { MOST_V1_BYTES } from '../../../src/wire/proxy-protocol/version-1.ts';
import { MOST_V2_BYTES } from '../../../src/wire/proxy-protocol/version-2.ts';
import { extension, v2 } from './frames.ts';

const V4: ProxiedConnection = {
  sourceAddress: '192.168.0.1',
  sourcePort: 56324,
  destinationAddress: '192.168.0.11',
  destinationPort: 443,
};
const V6: ProxiedConnection = {
  sourceAddress: '2001:db8::1',
  sourcePort: 1,
  destinationAddress: '2001:db8::7',
  destinationPort: 65_535,
};
const MIXED: ProxiedConnection = { ...V4, destinationAddress: '2001:db8::7' };

const V4_BLOCK = 'c0a80001c0a8000bdc0401bb';
const V6_BLOCK = '20010db800000000000000000000000120010db80000000000000000000000070001ffff';

/** Bytes and value, in both directions. */
const VECTORS: readonly (readonly ['V1' | 'V2', Buffer, ProxiedConnection | null])[] = [
  ['V1', Buffer.from('PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n'), V4],
  ['V1', Buffer.from('PROXY TCP6 2001:db8::1 2001:db8::7 1 65535\r\n'), V6],
  ['V1', Buffer.from('PROXY TCP6 ::ffff:c0a8:1 2001:db8::7 56324 443\r\n'), MIXED],
  ['V1', Buffer.from('PROXY UNKNOWN\r\n'), null],
  ['V2', v2(0x21, 0x11, Buffer.from(V4_BLOCK, 'hex')), V4],
  ['V2', v2(0x21, 0x21, Buffer.from(V6_BLOCK, 'hex')), V6],
  ['V2', v2(0x20, 0x00, Buffer.alloc(0)), null],
];

function read(bytes: Buffer): ReturnType<typeof decodeProxyHeader> {
  return decodeProxyHeader(bytes, 0, bytes.length);
}

function fault(bytes: Buffer | string): string {
  const decoded = read(Buffer.from(bytes as string, 'latin1'));
  return decoded.outcome === 'failed' ? decoded.fault : decoded.outcome;
}

function connectionOf(bytes: Buffer | string): ProxiedConnection | null {
  const decoded = read(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  assert.equal(decoded.outcome, 'done');
  return decoded.outcome === 'done' ? decoded.connection : null;
}

test('vectors, in both directions', () => {
  for (const [version, bytes, connection] of VECTORS) {
    assert.deepEqual(encodeProxyHeader(version, connection), bytes);
    assert.deepEqual(read(bytes), {
      outcome: 'done',
      length: bytes.length,
      version: version === 'V1' ? 1 : 2,
      connection,
    });
  }
});

test('a header that ends at any byte is not done, and the rest of it makes it so', () => {
  const withExtensions = v2(
    0x21,
    0x11,
    Buffer.concat([Buffer.from(V4_BLOCK, 'hex'), extension(0x02, Buffer.from('a.example'))]),
  );
  for (const bytes of [...VECTORS.map(([, each]) => each), withExtensions]) {
    const whole = read(bytes);
    for (let cut = 0; cut < bytes.length; cut += 1) {
      assert.deepEqual(decodeProxyHeader(bytes, 0, cut), { outcome: 'more' }, `cut at ${cut}`);
      const reader = new ProxyHeaderReader();
      const following = Buffer.concat([bytes, Buffer.from('GET / HTTP/1.1\r\n')]);
      if (cut > 0) assert.equal(reader.read(following, 0, cut).outcome, 'more');
      const rest = Buffer.concat([Buffer.from('xx'), following.subarray(cut)]);
      assert.deepEqual(reader.read(rest, 2, rest.length), whole);
      assert.equal(rest.toString('latin1', reader.next), 'GET / HTTP/1.1\r\n');
    }
  }
});

const port = fc.nat({ max: 65_535 });
const address = fc.oneof(fc.ipV4(), fc.ipV6());

test('what is encoded is decoded again, in any pieces, and not a byte more is taken', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('V1' as const, 'V2' as const),
      address,
      port,
      address,
      port,
      fc.uint8Array({ maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 300 }),
      (version, sourceAddress, sourcePort, destinationAddress, destinationPort, after, sizes) => {
        const header = encodeProxyHeader(version, {
          sourceAddress,
          sourcePort,
          destinationAddress,
          destinationPort,
        });
        const whole = connectionOf(header);
        assert.equal(whole?.sourcePort, sourcePort);
        assert.equal(whole?.destinationPort, destinationPort);
        assert.deepEqual(connectionOf(encodeProxyHeader(version, whole)), whole);
        const bytes = Buffer.concat([header, after]);
        const reader = new ProxyHeaderReader();
        let at = 0;
        for (let index = 0; ; index += 1) {
          const end = Math.min(bytes.length, at + sizes[index % sizes.length]!);
          const decoded = reader.read(bytes, at, end);
          if (decoded.outcome === 'done') {
            assert.equal(reader.next, header.length);
            assert.deepEqual(decoded.connection, whole);
            return;
          }
          assert.equal(decoded.outcome, 'more');
          at = end;
        }
      },
    ),
  );
});

test('version 1: exactly the line of the specification', () => {
  const cases: Record<string, string> = {
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n': 'malformed_line',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\r\n': 'malformed_line',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n': 'malformed_line',
    'PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n': 'malformed_line',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n': 'malformed_line',
    'PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n': 'malformed_line',
    'PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n': 'malformed_line',
    'PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n': 'malformed_line',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 100000\r\n': 'malformed_line',
    'PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n': 'malformed_line',
    'PROXY TCP4 1.2.3.4 ::1 1 2\r\n': 'malformed_line',
    'PROXY TCP6 1.2.3.4 ::1 1 2\r\n': 'malformed_line',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n': 'malformed_line',
    'PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n': 'malformed_line',
    'PROXY UNKNOWNX\r\n': 'malformed_line',
    'PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n': 'malformed_line',
    'PROXY TCP4 1.2.3.4\t5.6.7.8 1 2\r\n': 'malformed_line',
    'PROXY\tTCP4 1.2.3.4 5.6.7.8 1 2\r\n': 'no_header',
    'proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n': 'no_header',
    'GET / HTTP/1.1\r\n': 'no_header',
    P: 'more',
    PO: 'no_header',
    '': 'more',
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(fault(text), expected, text);
  assert.equal(connectionOf('PROXY UNKNOWN ffff:f::1 what ever 1 2\r\n'), null);
});

test('version 1: 107 bytes and no more', () => {
  const line = (length: number): string => `PROXY UNKNOWN ${'x'.repeat(length - 16)}\r\n`;
  assert.equal(line(MOST_V1_BYTES).length, MOST_V1_BYTES);
  assert.equal(connectionOf(line(MOST_V1_BYTES)), null);
  assert.equal(fault(line(MOST_V1_BYTES + 1)), 'line_too_long');
  assert.equal(fault(line(MOST_V1_BYTES + 2)), 'line_too_long');
  assert.equal(fault('PROXY '.padEnd(MOST_V1_BYTES - 1, 'x')), 'more');
  assert.equal(fault('PROXY '.padEnd(MOST_V1_BYTES, 'x')), 'line_too_long');
});

test('version 2: kinds that there are, and what becomes of each', () => {
  const block = Buffer.alloc(216, 1);
  for (let command = 0; command < 256; command += 1) {
    const decoded = read(v2(command, 0x11, block.subarray(0, 12)));
    assert.equal(decoded.outcome, command === 0x20 || command === 0x21 ? 'done' : 'failed');
  }
  for (let kind = 0; kind < 256; kind += 1) {
    const decoded = read(v2(0x21, kind, extension(0x04, block.subarray(0, 213))));
    const known = kind >> 4 <= 3 && (kind & 15) <= 2;
    // Bytes of the extension stand where addresses would; only those that are not read leave it whole.
    if (!known) assert.deepEqual(decoded, { outcome: 'failed', fault: 'unknown_kind' });
    else if (kind >> 4 === 0 || (kind & 15) === 0 || kind >> 4 === 3) {
      assert.equal(decoded.outcome, 'done');
      assert.equal(decoded.outcome === 'done' && decoded.connection, null);
    }
    assert.equal(read(v2(0x20, kind, block)).outcome, 'done', 'of LOCAL nothing is looked at');
  }
  const bytes = Buffer.from(V4_BLOCK, 'hex');
  assert.deepEqual(connectionOf(v2(0x21, 0x12, bytes)), V4, 'a client that came by QUIC');
});

test('version 2: lengths are held to', () => {
  const v4Block = Buffer.from(V4_BLOCK, 'hex');
  for (let length = 0; length < 12; length += 1)
    assert.equal(faultOf(v2(0x21, 0x11, v4Block.subarray(0, length))), 'missing_addresses');
  assert.equal(faultOf(v2(0x21, 0x21, Buffer.alloc(35))), 'missing_addresses');
  assert.equal(faultOf(v2(0x21, 0x31, Buffer.alloc(215))), 'missing_addresses');
  assert.equal(connectionOf(v2(0x21, 0x31, Buffer.alloc(216))), null);
  const filled = (size: number): Buffer =>
    v2(0x21, 0x11, Buffer.concat([v4Block, extension(0x04, Buffer.alloc(size - 16 - 12 - 3))]));
  assert.deepEqual(connectionOf(filled(MOST_V2_BYTES)), V4);
  assert.equal(faultOf(filled(MOST_V2_BYTES + 1)), 'header_too_long');
  assert.equal(faultOf(filled(MOST_V2_BYTES + 1).subarray(0, 16)), 'header_too_long');
});

function faultOf(bytes: Buffer): string {
  const decoded = read(bytes);
  return decoded.outcome === 'failed' ? decoded.fault : decoded.outcome;
}

test('version 2: extensions fill their place exactly', () => {
  const block = Buffer.from(V4_BLOCK, 'hex');
  const whole = Buffer.concat([extension(0x01, Buffer.from('h2')), extension(0xea, Buffer.alloc(0))]);
  assert.deepEqual(connectionOf(v2(0x21, 0x11, Buffer.concat([block, whole]))), V4);
  const ends = new Set([0, 5, whole.length]);
  for (let cut = 0; cut <= whole.length; cut += 1) {
    const bytes = v2(0x21, 0x11, Buffer.concat([block, whole.subarray(0, cut)]));
    assert.equal(faultOf(bytes), ends.has(cut) ? 'done' : 'malformed_extension', `cut at ${cut}`);
  }
});

test('version 2: a checksum is checked, and any bit that has changed is seen', () => {
  assert.equal(crc32c(Buffer.from('123456789'), 0, 9, 9), 0xe3069283, 'the check value of CRC-32C');
  const block = Buffer.from(V4_BLOCK, 'hex');
  const at = 16 + block.length + 3;
  const bytes = v2(0x21, 0x11, Buffer.concat([block, extension(0x03, Buffer.alloc(4))]));
  bytes.writeUInt32BE(crc32c(bytes, 0, bytes.length, at), at);
  assert.deepEqual(connectionOf(bytes), V4);
  for (let bit = 16 * 8; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    // Of the extension's own head no bit can change without another meaning.
    if (bit >> 3 >= at - 3 && bit >> 3 < at) continue;
    assert.equal(faultOf(changed), 'checksum_mismatch', `bit ${bit}`);
  }
  const short = v2(0x21, 0x11, Buffer.concat([block, extension(0x03, Buffer.alloc(3))]));
  assert.equal(faultOf(short), 'malformed_extension');
});

test('any bytes end in a header, a fault or a wish for more, and never take more than there may be', () => {
  const start = fc.constantFrom(
    Buffer.alloc(0),
    Buffer.from('PROXY '),
    Buffer.from('PROXY TCP4 '),
    Buffer.from('PROXY TCP6 '),
    v2(0x21, 0x11, Buffer.alloc(0)).subarray(0, 12),
    v2(0x21, 0x11, Buffer.alloc(0)).subarray(0, 14),
    v2(0x21, 0x21, Buffer.alloc(30)).subarray(0, 16),
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 300 }), (prefix, rest) => {
      const bytes = Buffer.concat([prefix, rest]);
      const whole = read(bytes);
      if (whole.outcome === 'done') assert.ok(whole.length <= bytes.length);
      if (whole.outcome === 'more') assert.ok(bytes.length < MOST_V2_BYTES);
      const reader = new ProxyHeaderReader();
      let last = read(Buffer.alloc(0));
      for (let at = 0; at < bytes.length && last.outcome === 'more'; at += 1)
        last = reader.read(bytes, at, at + 1);
      assert.deepEqual(last, whole, 'byte by byte is the same');
    }),
    { numRuns: 3000 },
  );
});
