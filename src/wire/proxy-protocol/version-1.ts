import { CR, LF } from '../http1/characters.ts';
import { ADDRESS_GROUPS, formatAddress, formatIPv6, isIPv4, parseAddress } from '../ip-address.ts';
import type { DecodedHeader, ProxiedConnection } from './header.ts';
import { failed, MORE } from './header.ts';

/*
 * proxy-protocol.txt, section 2.1:
 *
 *   PROXY TCP4 192.0.2.1 198.51.100.7 51724 443\r\n
 *   PROXY TCP6 2001:db8::1 2001:db8::7 51724 443\r\n
 *   PROXY UNKNOWN …\r\n
 */
export const V1_PREFIX = Buffer.from('PROXY ');
/** With its line end. */
export const MOST_V1_BYTES = 107;

const PORT = /^(?:0|[1-9][0-9]{0,4})$/;
const source = new Uint16Array(ADDRESS_GROUPS);
const destination = new Uint16Array(ADDRESS_GROUPS);

/** `bytes[start, end)` begins as V1_PREFIX does. */
export function decodeV1(bytes: Buffer, start: number, end: number): DecodedHeader {
  const most = Math.min(end, start + MOST_V1_BYTES);
  let at = start;
  while (at < most && bytes[at]! >= 32 && bytes[at]! < 127) at += 1;
  if (at === start + MOST_V1_BYTES) return failed('line_too_long');
  if (at === end) return MORE;
  if (bytes[at] !== CR) return failed('malformed_line');
  if (at + 1 === start + MOST_V1_BYTES) return failed('line_too_long');
  if (at + 1 === end) return MORE;
  if (bytes[at + 1] !== LF) return failed('malformed_line');
  const length = at + 2 - start;
  const parts = bytes.toString('latin1', start, at).split(' ');
  // What else stands in such a line is not looked at.
  if (parts[1] === 'UNKNOWN') return { outcome: 'done', length, version: 1, connection: null };
  const form = parts[1] === 'TCP4' ? 4 : parts[1] === 'TCP6' ? 6 : 0;
  if (form === 0 || parts.length !== 6) return failed('malformed_line');
  if (parseAddress(parts[2]!, source) !== form) return failed('malformed_line');
  if (parseAddress(parts[3]!, destination) !== form) return failed('malformed_line');
  const sourcePort = port(parts[4]!);
  const destinationPort = port(parts[5]!);
  if (sourcePort === -1 || destinationPort === -1) return failed('malformed_line');
  const connection = {
    sourceAddress: formatAddress(source),
    sourcePort,
    destinationAddress: formatAddress(destination),
    destinationPort,
  };
  return { outcome: 'done', length, version: 1, connection };
}

/** -1 where it is none. */
function port(text: string): number {
  if (!PORT.test(text)) return -1;
  const value = Number(text);
  return value > 65_535 ? -1 : value;
}

/** UNKNOWN where there is no connection, or its addresses are no IP addresses. */
export function encodeV1(connection: ProxiedConnection | null): Buffer {
  if (
    connection === null ||
    parseAddress(connection.sourceAddress, source) === 0 ||
    parseAddress(connection.destinationAddress, destination) === 0
  )
    return Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
  const ports = `${connection.sourcePort} ${connection.destinationPort}\r\n`;
  // One family for both.
  const line =
    isIPv4(source) && isIPv4(destination)
      ? `PROXY TCP4 ${formatAddress(source)} ${formatAddress(destination)} ${ports}`
      : `PROXY TCP6 ${formatIPv6(source)} ${formatIPv6(destination)} ${ports}`;
  return Buffer.from(line, 'latin1');
}
