import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { CidrSet } from '../../src/dataplane/client-address/cidr-set.ts';
import { ClientAddressing } from '../../src/dataplane/client-address/client-addressing.ts';
import { ClientOrigin } from '../../src/dataplane/client-address/client-origin.ts';
import { parameterValue, parseForwarded } from '../../src/dataplane/client-address/forwarded-element.ts';
import type { ClientAddressSettings } from '../../src/model/http-settings.ts';
import { CLIENT_ADDRESS_DEFAULTS } from '../../src/model/http-settings.ts';
import type { SocketStream } from '../../src/os/socket-stream.ts';
import { HEAD_DONE, HeadParser } from '../../src/wire/http1/head-parser.ts';

function clientOf(peer: string, fields: readonly string[], settings: Partial<ClientAddressSettings>): string {
  const head = new HeadParser('request');
  const bytes = Buffer.from(['GET / HTTP/1.1', 'Host: a', ...fields, '', ''].join('\r\n'), 'latin1');
  assert.equal(head.parse(bytes, 0, bytes.length), HEAD_DONE);
  const origin = new ClientOrigin({ remoteAddress: peer } as SocketStream, null);
  assert.ok(origin.identify(new ClientAddressing({ ...CLIENT_ADDRESS_DEFAULTS, ...settings }), head));
  return origin.client;
}

test('the table of the documentation is what happens', () => {
  const page = readFileSync(new URL('../../docs/client-address.md', import.meta.url), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| (`[^`]+`|\(none\)) +\|/.test(line));
  assert.equal(rows.length, 8);
  for (const row of rows) {
    const [field, trusted, one, two] = row
      .split('|')
      .slice(1)
      .map((cell) => cell.replace('(wrong)', '').replaceAll('`', '').trim());
    const fields = field === '(none)' ? [] : [`X-Forwarded-For: ${field}`];
    assert.equal(clientOf('10.0.0.9', fields, { trustedProxies: ['10.0.0.0/8'] }), trusted, row);
    assert.equal(clientOf('10.0.0.9', fields, { trustedHops: 1 }), one, row);
    assert.equal(clientOf('10.0.0.9', fields, { trustedHops: 2 }), two, row);
  }
});

const value = fc.oneof(
  fc.constantFrom('203.0.113.7', '[2001:db8::7]:80', '_x', 'a, for=6.6.6.6', '";for=1', '\\', ''),
  fc.string({ unit: fc.constantFrom(...'ab1.,;="\\ [:]_\t'), maxLength: 12 }),
);
const parameters = fc.dictionary(
  fc.stringMatching(/^[a-z][a-z0-9-]{0,6}$/).filter((name) => name !== '__proto__'),
  value,
  { minKeys: 1, maxKeys: 4, noNullPrototype: true },
);

test('Forwarded: what is written by the grammar is read back, whatever stands within quotes', () => {
  fc.assert(
    fc.property(fc.array(parameters, { maxLength: 5 }), fc.constantFrom(',', ', ', ' ,\t'), (list, comma) => {
      const texts = list.map((each) =>
        Object.entries(each)
          .map(([name, text]) => `${name}=${parameterValue(text)}`)
          .join(';'),
      );
      const parsed = parseForwarded(texts.join(comma), 100);
      assert.deepEqual(
        parsed!.map((element) => element.text),
        texts.toReversed(),
      );
      assert.deepEqual(
        parsed!.map((element) => Object.fromEntries(element.parameters)),
        list.toReversed(),
      );
    }),
    { numRuns: 2000 },
  );
});

test('Forwarded: any text is refused, or every byte of it belongs to an element or stands between two', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'afor=";\\, \t1.'), maxLength: 30 }), (text) => {
      const parsed = parseForwarded(text, 100);
      if (parsed === null) return;
      let rest = text;
      for (const element of parsed) {
        const at = rest.lastIndexOf(element.text);
        assert.match(rest.slice(at + element.text.length), /^[, \t]*$/);
        rest = rest.slice(0, at);
      }
      assert.match(rest, /^[, \t]*$/);
    }),
    { numRuns: 5000 },
  );
});

test('a network has the addresses that begin with its bits, and those alone', () => {
  const ipv4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
  const number = (address: readonly number[]): bigint =>
    address.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  fc.assert(
    fc.property(ipv4, fc.nat(32), ipv4, fc.nat(32), (network, bits, other, shared) => {
      // The address has `shared` bits with the network, more or less.
      const mask = shared === 0 ? 0n : ((1n << BigInt(shared)) - 1n) << BigInt(32 - shared);
      const mixed = (number(network) & mask) | (number(other) & ~mask & 0xffffffffn);
      const address = [24n, 16n, 8n, 0n].map((shift) => Number((mixed >> shift) & 255n));
      const expected = (mixed ^ number(network)) >> BigInt(32 - bits) === 0n;
      const set = new CidrSet(['2001:db8::/32', `${network.join('.')}/${bits}`]);
      assert.equal(set.has(address.join('.')), expected);
      assert.equal(set.has(`::ffff:${address.join('.')}`), expected);
      assert.equal(set.has(`::${address.join('.')}`), false);
    }),
    { numRuns: 2000 },
  );
  assert.equal(new CidrSet(['::/0']).has('192.0.2.1'), false);
  assert.equal(new CidrSet(['::/0']).has('2001:db8::1'), true);
  assert.equal(new CidrSet(['::ffff:0:0/96']).has('192.0.2.1'), true);
  assert.equal(new CidrSet(['2001:db8::/33']).has('2001:db8:8000::'), false);
  assert.equal(new CidrSet(['2001:db8::/33']).has('2001:db8:7fff::1'), true);
  assert.equal(new CidrSet(['0.0.0.0/0']).has('::1'), false);
  assert.equal(new CidrSet(['0.0.0.0/0']).has('not an address'), false);
});
