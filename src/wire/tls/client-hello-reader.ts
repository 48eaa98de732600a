import type { ClientHello } from './client-hello.ts';
import { ClientHelloError, decodeClientHello } from './client-hello.ts';

/*
 * Records (RFC 8446 section 5.1), over any number of which a handshake message may be spread:
 *
 *   │ 22 │ 3 │ 0..4 │ length 2 │ fragment <1..2^14> │
 *   ClientHello: │ 1 │ length 3 │ body │
 */
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER_BYTES = 5;
const MESSAGE_HEADER_BYTES = 4;
const MOST_FRAGMENT_BYTES = 16_384;
/** With keys for several groups, also post-quantum ones, a ClientHello has some 2,000 bytes. */
export const MOST_HELLO_BYTES = 32_768;
const FIRST_BYTES = 2048;
/** Nobody has a reason for more, and each is looked at again when the next byte comes. */
const MOST_RECORDS = 64;

/** `http`: somebody speaks HTTP in clear text. `not_tls`: nothing that is known. `malformed`: a ClientHello that is none. */
export type ClientHelloFault = 'http' | 'not_tls' | 'malformed';

export type ClientHelloOutcome =
  | { readonly outcome: 'more' }
  | { readonly outcome: 'hello'; readonly hello: ClientHello }
  | { readonly outcome: 'failed'; readonly fault: ClientHelloFault };

const MORE: ClientHelloOutcome = { outcome: 'more' };

function failed(fault: ClientHelloFault): ClientHelloOutcome {
  return { outcome: 'failed', fault };
}

/**
 * Collects what a client says first until its ClientHello is whole, in pieces of any size. A handshake that goes no
 * further has cost this memory and nothing else.
 */
export class ClientHelloReader {
  /** While the first read is looked at, that read; its own as soon as there has to be another. */
  #memory: Buffer | null = null;
  #length = 0;
  /** Before there are so many bytes there is nothing new to find out. */
  #needed = 1;

  get untouched(): boolean {
    return this.#length === 0;
  }

  /**
   * All that has come; after the ClientHello the rest of the read that had its end. Valid until the memory of that read
   * is used again.
   */
  get received(): Buffer {
    return this.#memory === null ? Buffer.alloc(0) : this.#memory.subarray(0, this.#length);
  }

  read(bytes: Buffer, from: number, end: number): ClientHelloOutcome {
    const isFirst = this.#memory === null;
    if (isFirst) {
      this.#memory = bytes.subarray(from, end);
      this.#length = end - from;
    } else this.#append(bytes, from, end);
    if (this.#length < this.#needed) return MORE;
    try {
      const looked = this.#look();
      // Nearly every client's is whole in one read.
      if (looked === MORE && isFirst) this.#keep();
      return looked;
    } catch (error) {
      if (error instanceof ClientHelloError) return failed('malformed');
      throw error;
    }
  }

  #append(bytes: Buffer, from: number, end: number): void {
    const length = this.#length + end - from;
    if (this.#memory!.length < length) this.#enlarge(Math.max(length, this.#memory!.length * 2));
    bytes.copy(this.#memory!, this.#length, from, end);
    this.#length = length;
  }

  #keep(): void {
    this.#enlarge(Math.max(this.#length, FIRST_BYTES));
  }

  #enlarge(size: number): void {
    const larger = Buffer.allocUnsafeSlow(size);
    this.#memory!.copy(larger, 0, 0, this.#length);
    this.#memory = larger;
  }

  #look(): ClientHelloOutcome {
    const memory = this.#memory!;
    if (memory[0] !== HANDSHAKE) return failed(isLetter(memory[0]!) ? 'http' : 'not_tls');
    const fragments: Buffer[] = [];
    let collected = 0;
    for (let at = 0; ; ) {
      if (this.#length - at < RECORD_HEADER_BYTES) {
        // What is there of a header must be one.
        if (this.#length - at >= 2 && memory[at + 1] !== 3) return failed('not_tls');
        this.#needed = Math.max(at + RECORD_HEADER_BYTES, this.#length + 1);
        return MORE;
      }
      const size = memory.readUInt16BE(at + 3);
      if (
        memory[at] !== HANDSHAKE ||
        memory[at + 1] !== 3 ||
        memory[at + 2]! > 4 ||
        size > MOST_FRAGMENT_BYTES
      )
        return failed(at === 0 ? 'not_tls' : 'malformed');
      if (size === 0 || fragments.length === MOST_RECORDS) return failed('malformed');
      at += RECORD_HEADER_BYTES;
      const there = memory.subarray(at, Math.min(at + size, this.#length));
      fragments.push(there);
      collected += there.length;
      let left = size;
      const message = fragments.length === 1 ? there : Buffer.concat(fragments, Math.min(collected, 4));
      if (message.length > 0 && message[0] !== CLIENT_HELLO) return failed('malformed');
      if (message.length >= MESSAGE_HEADER_BYTES) {
        const body = message.readUIntBE(1, 3);
        if (body > MOST_HELLO_BYTES) return failed('malformed');
        const whole = MESSAGE_HEADER_BYTES + body;
        left = Math.min(size, whole - collected + there.length);
        if (collected >= whole) {
          const all = fragments.length === 1 ? there : Buffer.concat(fragments, whole);
          return { outcome: 'hello', hello: decodeClientHello(all, MESSAGE_HEADER_BYTES, whole) };
        }
      }
      if (there.length < size) {
        this.#needed = message.length < MESSAGE_HEADER_BYTES ? this.#length + 1 : at + left;
        return MORE;
      }
      at += size;
    }
  }
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
