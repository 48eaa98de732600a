import { COLON, HEX } from './http1/characters.ts';

/*
 * An address is eight groups of 16 bits; an IPv4 address is its IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2),
 * so 192.0.2.1 and ::ffff:192.0.2.1 are one and the same.
 *
 *   192.0.2.1      0    0    0    0    0   ffff c000 0201
 *   2001:db8::1   2001 0db8  0    0    0    0    0    1
 */
export const ADDRESS_GROUPS = 8;

const DOT = 46;
const MAPPED = 0xffff;
/** Leading bits of a mapped address. */
export const MAPPED_BITS = 96;
const MOST_GROUP_DIGITS = 4;

/** How an address was written; 0: it is none. */
export type AddressForm = 0 | 4 | 6;

/**
 * Reads an address into `groups[offset, offset + 8)`: IPv4 as four decimal numbers without leading zeros, IPv6 as in
 * RFC 4291 section 2.2, without brackets and zone. On 0 the groups are undefined.
 */
export function parseAddress(
  text: string,
  groups: Uint16Array,
  offset = 0,
  start = 0,
  end = text.length,
): AddressForm {
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === COLON) return parseIPv6(text, groups, offset, start, end) ? 6 : 0;
    if (code !== DOT) continue;
    groups.fill(0, offset, offset + 5);
    groups[offset + 5] = MAPPED;
    return parseIPv4(text, groups, offset + 6, start, end) ? 4 : 0;
  }
  return 0;
}

function parseIPv4(text: string, groups: Uint16Array, offset: number, start: number, end: number): boolean {
  let at = start;
  for (let index = 0; index < 4; index += 1) {
    let value = 0;
    const first = at;
    while (at < end) {
      const digit = text.charCodeAt(at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      // Some read a leading zero as octal.
      if (at > first && value === 0) return false;
      value = value * 10 + digit;
      if (value > 255) return false;
      at += 1;
    }
    if (at === first) return false;
    if (index < 3) {
      if (at >= end || text.charCodeAt(at) !== DOT) return false;
      at += 1;
    }
    const group = offset + (index >> 1);
    groups[group] = (index & 1) === 0 ? value << 8 : groups[group]! | value;
  }
  return at === end;
}

function parseIPv6(text: string, groups: Uint16Array, offset: number, start: number, end: number): boolean {
  let at = start;
  let count = 0;
  let gap = -1;
  if (text.charCodeAt(at) === COLON) {
    if (at + 1 >= end || text.charCodeAt(at + 1) !== COLON) return false;
    gap = 0;
    at += 2;
  }
  while (at < end) {
    if (count === ADDRESS_GROUPS) return false;
    const first = at;
    let value = 0;
    while (at < end) {
      const digit = HEX[text.charCodeAt(at)];
      if (digit === undefined || digit > 15) break;
      if (at - first === MOST_GROUP_DIGITS) return false;
      value = value * 16 + digit;
      at += 1;
    }
    if (at === first) return false;
    if (at < end && text.charCodeAt(at) === DOT) {
      if (count > 6 || !parseIPv4(text, groups, offset + count, first, end)) return false;
      count += 2;
      at = end;
      break;
    }
    groups[offset + count] = value;
    count += 1;
    if (at === end) break;
    if (text.charCodeAt(at) !== COLON) return false;
    at += 1;
    if (at === end) return false;
    if (text.charCodeAt(at) === COLON) {
      if (gap !== -1) return false;
      gap = count;
      at += 1;
    }
  }
  if (gap === -1) return count === ADDRESS_GROUPS;
  if (count === ADDRESS_GROUPS) return false;
  const missing = ADDRESS_GROUPS - count;
  groups.copyWithin(offset + gap + missing, offset + gap, offset + count);
  groups.fill(0, offset + gap, offset + gap + missing);
  return true;
}

/** IPv4, or IPv4 written as IPv6. */
export function isIPv4(groups: Uint16Array, offset = 0): boolean {
  for (let index = 0; index < 5; index += 1) if (groups[offset + index] !== 0) return false;
  return groups[offset + 5] === MAPPED;
}

/** The one spelling of an address: RFC 5952, and IPv4 as such. */
export function formatAddress(groups: Uint16Array, offset = 0): string {
  if (!isIPv4(groups, offset)) return formatIPv6(groups, offset);
  const high = groups[offset + 6]!;
  const low = groups[offset + 7]!;
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** As formatAddress, but IPv4 as its mapped address in hexadecimal groups. */
export function formatIPv6(groups: Uint16Array, offset = 0): string {
  let gap = -1;
  let gapLength = 1;
  for (let index = 0; index < ADDRESS_GROUPS; index += 1) {
    let length = 0;
    while (index + length < ADDRESS_GROUPS && groups[offset + index + length] === 0) length += 1;
    if (length > gapLength) {
      gap = index;
      gapLength = length;
    }
    index += length;
  }
  let text = '';
  for (let index = 0; index < ADDRESS_GROUPS; index += 1) {
    if (index === gap) {
      text += '::';
      index += gapLength - 1;
      continue;
    }
    if (text !== '' && !text.endsWith(':')) text += ':';
    text += groups[offset + index]!.toString(16);
  }
  return text;
}
