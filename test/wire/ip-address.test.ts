import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { ADDRESS_GROUPS, formatAddress, formatIPv6, parseAddress } from '../../src/wire/ip-address.ts';

const groups = new Uint16Array(ADDRESS_GROUPS);
const anyGroups = fc
  .array(fc.oneof(fc.constant(0), fc.nat({ max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((values) => Uint16Array.from(values));

/** Text that is nearly an address. */
const nearAddress = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF.:%g/ []'), maxLength: 24 }),
  fc
    .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(50), fc.constantFrom('', '0', ':', '.', '1', 'f', ' '))
    .map(([text, at, piece]) => text.slice(0, at) + piece + text.slice(at + 1)),
);

test('what is an address, and of which kind, is what the runtime says', () => {
  fc.assert(
    fc.property(nearAddress, (text) => {
      if (text.includes('%')) assert.equal(parseAddress(text, groups), 0);
      else assert.equal(parseAddress(text, groups), isIP(text), text);
    }),
    { numRuns: 5000 },
  );
});

test('an address is written in one spelling, whichever one it had', () => {
  fc.assert(
    fc.property(anyGroups, (values) => {
      const text = formatAddress(values);
      assert.notEqual(parseAddress(text, groups), 0);
      assert.deepEqual(groups, values);
      assert.notEqual(parseAddress(formatIPv6(values), groups), 0);
      assert.deepEqual(groups, values);
      const full = Array.from(values, (group) => group.toString(16).toUpperCase().padStart(4, '0')).join(':');
      assert.equal(parseAddress(full, groups), 6);
      assert.equal(formatAddress(groups), text);
      // The WHATWG URL parser is an independent implementation of RFC 5952.
      assert.equal(`[${formatIPv6(values)}]`, new URL(`http://[${full}]/`).hostname);
    }),
  );
});

test('IPv4 is the same however it is written', () => {
  for (const text of ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:192.0.2.1']) {
    assert.notEqual(parseAddress(text, groups), 0, text);
    assert.equal(formatAddress(groups), '192.0.2.1');
  }
  assert.equal(parseAddress('::192.0.2.1', groups), 6);
  assert.equal(formatAddress(groups), '::c000:201');
  for (const text of ['', '192.0.2', '192.0.2.01', '192.0.2.256', '0x7f.1', '1:2', ':::', '::1::', '1::2:'])
    assert.equal(parseAddress(text, groups), 0, text);
});
