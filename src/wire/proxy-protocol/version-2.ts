import { ADDRESS_GROUPS, formatAddress, isIPv4, parseAddress } from '../ip-address.ts';
import { crc32c } from './crc32c.ts';
import type { DecodedHeader, ProxiedConnection } from './header.ts';
import { failed, MORE } from './header.ts';

/*
 * proxy-protocol.txt, section 2.2:
 *
 *   0                      12              13                  14        16
 *   | \r\n\r\n\0\r\nQUIT\n | version | cmd | family | transport | length  | addresses | extensions … |
 *                            4 bits    4     4        4           16 bits   0, 12, 36 or 216 bytes
 *
 *   addresses    source, destination, source port, destination port; two paths of 108 bytes for UNIX
 *   extension    type (8 bits), length (16), value
 */
export const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const FIXED_BYTES = 16;
/** A sender may say 65,535; what real ones send (addresses, TLS details of the client, a few names) is below 1,000. */
export const MOST_V2_BYTES = FIXED_BYTES + 4096;

const VERSION = 2;
const LOCAL = 0;
const PROXY = 1;
const UNSPEC = 0;
const INET = 1;
const INET6 = 2;
const STREAM = 1;
const DATAGRAM = 2;
const ADDRESS_BYTES = [0, 12, 36, 216] as const;
const EXTENSION_HEAD_BYTES = 3;
const TYPE_CRC32C = 0x03;
const CRC32C_BYTES = 4;

const source = new Uint16Array(ADDRESS_GROUPS);
const destination = new Uint16Array(ADDRESS_GROUPS);

/** `bytes[start, end)` begins with V2_SIGNATURE. */
export function decodeV2(bytes: Buffer, start: number, end: number): DecodedHeader {
  const at = start + V2_SIGNATURE.length;
  if (at < end && bytes[at]! >> 4 !== VERSION) return failed('unknown_kind');
  if (end - start < FIXED_BYTES) return MORE;
  const command = bytes[at]! & 15;
  if (command !== LOCAL && command !== PROXY) return failed('unknown_kind');
  const length = FIXED_BYTES + bytes.readUInt16BE(start + 14);
  if (length > MOST_V2_BYTES) return failed('header_too_long');
  if (end - start < length) return MORE;
  // Of LOCAL everything else is passed over, whatever it is.
  if (command === LOCAL) return { outcome: 'done', length, version: 2, connection: null };
  const family = bytes[start + 13]! >> 4;
  const transport = bytes[start + 13]! & 15;
  const addressBytes = ADDRESS_BYTES[family];
  if (addressBytes === undefined || transport > DATAGRAM) return failed('unknown_kind');
  // Nothing says how long the addresses of an unspecified kind are, so extensions cannot be found either.
  if (family === UNSPEC || transport === UNSPEC)
    return { outcome: 'done', length, version: 2, connection: null };
  if (length < FIXED_BYTES + addressBytes) return failed('missing_addresses');
  const extensions = start + FIXED_BYTES + addressBytes;
  const fault = checkExtensions(bytes, start, extensions, start + length);
  if (fault !== null) return failed(fault);
  // A client that came by datagrams (QUIC) is as good as one that came by a stream.
  const connection =
    family === INET || family === INET6 ? addresses(bytes, start + FIXED_BYTES, family) : null;
  return { outcome: 'done', length, version: 2, connection };
}

function addresses(bytes: Buffer, start: number, family: typeof INET | typeof INET6): ProxiedConnection {
  let at = readGroups(bytes, start, family, source);
  at = readGroups(bytes, at, family, destination);
  return {
    sourceAddress: formatAddress(source),
    sourcePort: bytes.readUInt16BE(at),
    destinationAddress: formatAddress(destination),
    destinationPort: bytes.readUInt16BE(at + 2),
  };
}

function readGroups(bytes: Buffer, start: number, family: number, groups: Uint16Array): number {
  let at = start;
  groups.fill(0);
  if (family === INET) groups[5] = 0xffff;
  for (let index = family === INET ? 6 : 0; index < ADDRESS_GROUPS; index += 1, at += 2)
    groups[index] = bytes.readUInt16BE(at);
  return at;
}

function checkExtensions(
  bytes: Buffer,
  start: number,
  first: number,
  end: number,
): 'malformed_extension' | 'checksum_mismatch' | null {
  let checked = false;
  for (let at = first; at < end; ) {
    if (end - at < EXTENSION_HEAD_BYTES) return 'malformed_extension';
    const type = bytes[at]!;
    const value = at + EXTENSION_HEAD_BYTES;
    const next = value + bytes.readUInt16BE(at + 1);
    if (next > end) return 'malformed_extension';
    if (type === TYPE_CRC32C) {
      // A second one could not be right: the first is part of what it sums up.
      if (checked || next - value !== CRC32C_BYTES) return 'malformed_extension';
      checked = true;
      if (crc32c(bytes, start, end, value) !== bytes.readUInt32BE(value)) return 'checksum_mismatch';
    }
    at = next;
  }
  return null;
}

/** LOCAL where there is no connection, or its addresses are no IP addresses. */
export function encodeV2(connection: ProxiedConnection | null): Buffer {
  if (
    connection === null ||
    parseAddress(connection.sourceAddress, source) === 0 ||
    parseAddress(connection.destinationAddress, destination) === 0
  )
    return header(LOCAL, UNSPEC, UNSPEC);
  // One family for both.
  const family = isIPv4(source) && isIPv4(destination) ? INET : INET6;
  const bytes = header(PROXY, family, STREAM);
  let at = writeGroups(bytes, FIXED_BYTES, family, source);
  at = writeGroups(bytes, at, family, destination);
  bytes.writeUInt16BE(connection.sourcePort, at);
  bytes.writeUInt16BE(connection.destinationPort, at + 2);
  return bytes;
}

function header(command: number, family: 0 | 1 | 2, transport: number): Buffer {
  const length = ADDRESS_BYTES[family];
  const bytes = Buffer.alloc(FIXED_BYTES + length);
  V2_SIGNATURE.copy(bytes);
  bytes[12] = (VERSION << 4) | command;
  bytes[13] = (family << 4) | transport;
  bytes.writeUInt16BE(length, 14);
  return bytes;
}

function writeGroups(bytes: Buffer, start: number, family: number, groups: Uint16Array): number {
  let at = start;
  for (let index = family === INET ? 6 : 0; index < ADDRESS_GROUPS; index += 1, at += 2)
    bytes.writeUInt16BE(groups[index]!, at);
  return at;
}
