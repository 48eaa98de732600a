import type { HashSource } from '../../model/cluster.ts';
import type { Xoshiro128 } from '../xoshiro128.ts';

const WORDS = 4;

/** The cookie that keeps a client with its endpoint (RFC 6265 section 4.1). Its value says nothing of either. */
export class StickyCookie {
  readonly #random: Xoshiro128;
  readonly #before: string;
  readonly #after: string;
  readonly #afterSecure: string;

  constructor(source: Extract<HashSource, { type: 'Cookie' }>, random: Xoshiro128) {
    const { name, path, ttlSeconds } = source;
    this.#random = random;
    this.#before = `Set-Cookie: ${name}=`;
    const age = ttlSeconds > 0 ? `; Max-Age=${ttlSeconds}` : '';
    this.#after = `; Path=${path}${age}; HttpOnly; SameSite=Lax\r\n`;
    this.#afterSecure = `; Path=${path}${age}; Secure; HttpOnly; SameSite=Lax\r\n`;
  }

  /** A value that no client has yet: 32 hexadecimal digits. */
  draw(): string {
    let value = '';
    for (let word = 0; word < WORDS; word += 1)
      value += (this.#random.bits() >>> 0).toString(16).padStart(8, '0');
    return value;
  }

  /** The field that sets it, with its line end. `isSecure`: it goes over TLS alone, as it came. */
  field(value: string, isSecure: boolean): string {
    return this.#before + value + (isSecure ? this.#afterSecure : this.#after);
  }
}
