import { TRAILERS } from './message-boundary.ts';

/**
 * The last frame of a gRPC-Web body (gRPC-Web, Protocol differences): trailers as HTTP/1.1 writes fields, names in
 * lower case.
 *
 *     | 0x80 | length, 4 bytes big-endian | name: value CR LF … |
 */
export function encodeWebTrailers(fields: Iterable<readonly [name: string, value: string]>): Buffer {
  let text = '';
  for (const [name, value] of fields) text += `${name.toLowerCase()}: ${value}\r\n`;
  const frame = Buffer.allocUnsafe(5 + text.length);
  frame[0] = TRAILERS;
  frame.writeUInt32BE(text.length, 1);
  frame.write(text, 5, 'latin1');
  return frame;
}
