/*
 * ClientHello (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2), all of which is readable before any key is agreed on:
 *
 *   version 2 │ random 32 │ session id <0..32> │ cipher suites <2..2^16-2> │ compression <1..255> │ extensions <0..2^16-1>
 *   extension:  type 2 │ data <0..2^16-1>
 */

export interface ClientHello {
  /** Name that the client wants to speak to (RFC 6066 section 3), in lower case, or empty. */
  readonly serverName: string;
  /** Protocols it would speak (RFC 7301), the first preferred. */
  readonly alpn: readonly string[];
  /** Versions of TLS it would speak: 0x0303 is 1.2, 0x0304 is 1.3. */
  readonly versions: readonly number[];
  /** Signatures it can verify (RFC 8446 section 4.2.3); empty: it does not say. */
  readonly signatureAlgorithms: readonly number[];
  /** It wants to hear from the authority that the certificate has not been revoked (RFC 6066 section 8). */
  readonly wantsStatus: boolean;
}

export class ClientHelloError extends Error {}

const SERVER_NAME = 0;
const STATUS_REQUEST = 5;
const SIGNATURE_ALGORITHMS = 13;
const ALPN = 16;
const SUPPORTED_VERSIONS = 43;
const OCSP = 1;
const HOST_NAME = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/** Reads on from a place, never beyond the end that it was given. */
class Cursor {
  readonly #bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.at === this.end;
  }

  /** A number of so many bytes. */
  number(size: number): number {
    if (this.end - this.at < size) throw new ClientHelloError('it is cut short');
    let value = 0;
    for (const end = this.at + size; this.at < end; this.at += 1) value = value * 256 + this.#bytes[this.at]!;
    return value;
  }

  /** A vector with its length in so many bytes before it. */
  vector(size: number): Cursor {
    const length = this.number(size);
    if (this.end - this.at < length) throw new ClientHelloError('it is cut short');
    const from = this.at;
    this.at += length;
    return new Cursor(this.#bytes, from, this.at);
  }

  skip(size: number): void {
    if (this.end - this.at < size) throw new ClientHelloError('it is cut short');
    this.at += size;
  }

  latin1(): string {
    let text = '';
    for (; this.at < this.end; this.at += 1) text += String.fromCharCode(this.#bytes[this.at]!);
    return text;
  }

  numbers(size: number): number[] {
    const numbers: number[] = [];
    while (!this.isAtEnd) numbers.push(this.number(size));
    return numbers;
  }
}

/**
 * Reads the body of a ClientHello: `bytes[from, end)`, without the header of the handshake message.
 * @throws ClientHelloError where it cannot be read in one way only
 */
export function decodeClientHello(bytes: Uint8Array, from: number, end: number): ClientHello {
  const cursor = new Cursor(bytes, from, end);
  const version = cursor.number(2);
  cursor.skip(32);
  const sessionId = cursor.vector(1);
  if (sessionId.end - sessionId.at > 32) throw new ClientHelloError('the session id is too long');
  const ciphers = cursor.vector(2);
  if (ciphers.isAtEnd || (ciphers.end - ciphers.at) % 2 !== 0)
    throw new ClientHelloError('the list of ciphers is not one');
  if (cursor.vector(1).isAtEnd) throw new ClientHelloError('there is no compression method');
  let serverName = '';
  let alpn: string[] = [];
  let versions: number[] = version > 0x0303 ? [0x0303] : [version];
  let signatureAlgorithms: number[] = [];
  let wantsStatus = false;
  const extensions = cursor.isAtEnd ? cursor : cursor.vector(2);
  if (!cursor.isAtEnd) throw new ClientHelloError('something follows it');
  const seen = new Set<number>();
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    if (seen.has(type)) throw new ClientHelloError('an extension comes twice');
    seen.add(type);
    if (type === SERVER_NAME) serverName = readServerName(whole(data, 2));
    else if (type === ALPN) alpn = readProtocols(whole(data, 2));
    else if (type === SUPPORTED_VERSIONS) versions = whole(data, 1).numbers(2);
    else if (type === SIGNATURE_ALGORITHMS) signatureAlgorithms = whole(data, 2).numbers(2);
    else if (type === STATUS_REQUEST) wantsStatus = data.number(1) === OCSP;
  }
  return { serverName, alpn, versions, signatureAlgorithms, wantsStatus };
}

/** The vector that the data of an extension consists of. */
function whole(data: Cursor, size: number): Cursor {
  const vector = data.vector(size);
  if (!data.isAtEnd || vector.isAtEnd) throw new ClientHelloError('an extension is not what it should be');
  return vector;
}

function readServerName(names: Cursor): string {
  const type = names.number(1);
  const name = names.vector(2).latin1().toLowerCase();
  // RFC 6066 knows one kind of name, and one name of a kind.
  if (type !== 0 || !names.isAtEnd) throw new ClientHelloError('the server name is not one');
  const plain = name.endsWith('.') ? name.slice(0, -1) : name;
  if (plain.length > 253 || !HOST_NAME.test(plain))
    throw new ClientHelloError('the server name is no host name');
  return plain;
}

function readProtocols(names: Cursor): string[] {
  const protocols: string[] = [];
  while (!names.isAtEnd) {
    const name = names.vector(1);
    if (name.isAtEnd) throw new ClientHelloError('a protocol has no name');
    protocols.push(name.latin1());
  }
  return protocols;
}
