import { createHash, randomBytes, randomFillSync } from 'node:crypto';
import type { SecureContext } from 'node:tls';

const PART_BYTES = 16;
const KEY_BYTES = 3 * PART_BYTES;
const SLOTS = 3;
const HEADER_BYTES = 8;
const MEMORY_BYTES = HEADER_BYTES + SLOTS * KEY_BYTES;
/** Initialization vectors that are drawn at once. */
const VECTORS = 256;
/**
 * Of OpenSSL's callback: the ticket is none of ours; a new one is to be written; it is good, and the client gets a new
 * one, under the newest key and not seen by anybody yet (RFC 8446 appendix C.4).
 */
const UNKNOWN = 0;
const WRITE = 1;
const RENEW = 2;

/** What to do, the keys of HMAC and AES, and for a new ticket the key's name and an initialization vector. */
type TicketAnswer = [number, Uint8Array, Uint8Array, Uint8Array?, Uint8Array?];

interface NativeContext {
  enableTicketKeyCallback(): void;
  onticketkeycallback: (name: Uint8Array, iv: Uint8Array, isNew: boolean) => TicketAnswer;
}

/** What keeps the sessions of a context. */
export interface SessionTickets {
  serve(context: SecureContext): void;
}

/**
 * Keys under which clients keep their sessions (RFC 5077 section 4), shared by all workers of a node and never
 * anywhere but in memory. New sessions are written under the newest; the two before it are still read.
 *
 *     │ newest slot │ – │ name 16 │ HMAC 16 │ AES 16 │ … × 3
 *
 * Every full handshake asks twice: the answers are made once and filled in, as the runtime copies them at once.
 */
export class TicketKeys implements SessionTickets {
  readonly memory: SharedArrayBuffer;
  readonly #newest: Int32Array;
  readonly #keys: Uint8Array;
  readonly #writing: TicketAnswer = [WRITE, part(), part(), part(), part()];
  readonly #reading: TicketAnswer = [RENEW, part(), part()];
  readonly #unknown: TicketAnswer = [UNKNOWN, part(), part()];
  readonly #vectors = new Uint8Array(VECTORS * PART_BYTES);
  #nextVector = VECTORS * PART_BYTES;

  /** Of another thread; without it, new ones. */
  constructor(memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(MEMORY_BYTES);
    this.#newest = new Int32Array(this.memory, 0, 1);
    this.#keys = new Uint8Array(this.memory, HEADER_BYTES);
    if (memory === undefined) for (let slot = 0; slot < SLOTS; slot += 1) this.rotate();
  }

  /** A new key for new sessions; the oldest is forgotten. By one thread only. */
  rotate(): void {
    const slot = (Atomics.load(this.#newest, 0) + 1) % SLOTS;
    this.#keys.set(randomBytes(KEY_BYTES), slot * KEY_BYTES);
    Atomics.store(this.#newest, 0, slot);
  }

  /** From now on sessions of this context are kept under these keys. */
  serve(context: SecureContext): void {
    const native = context.context as NativeContext;
    native.onticketkeycallback = (name, _iv, isNew) => (isNew ? this.#write() : this.#read(name));
    native.enableTicketKeyCallback();
  }

  #write(): TicketAnswer {
    const slot = Atomics.load(this.#newest, 0);
    const [, hmac, aes, name, vector] = this.#writing;
    this.#copy(slot, 0, name!);
    this.#copy(slot, 1, hmac);
    this.#copy(slot, 2, aes);
    if (this.#nextVector === this.#vectors.length) {
      randomFillSync(this.#vectors);
      this.#nextVector = 0;
    }
    for (let at = 0; at < PART_BYTES; at += 1) vector![at] = this.#vectors[this.#nextVector + at]!;
    this.#nextVector += PART_BYTES;
    return this.#writing;
  }

  #read(name: Uint8Array): TicketAnswer {
    for (let slot = 0; slot < SLOTS; slot += 1) {
      if (!this.#isNamed(slot, name)) continue;
      const [, hmac, aes] = this.#reading;
      this.#copy(slot, 1, hmac);
      this.#copy(slot, 2, aes);
      return this.#reading;
    }
    return this.#unknown;
  }

  /** Names are no secret: they stand in front of every ticket. */
  #isNamed(slot: number, name: Uint8Array): boolean {
    const from = slot * KEY_BYTES;
    for (let at = 0; at < PART_BYTES; at += 1) if (this.#keys[from + at] !== name[at]) return false;
    return true;
  }

  #copy(slot: number, index: number, to: Uint8Array): void {
    const from = slot * KEY_BYTES + index * PART_BYTES;
    for (let at = 0; at < PART_BYTES; at += 1) to[at] = this.#keys[from + at]!;
  }
}

function part(): Uint8Array {
  return new Uint8Array(PART_BYTES);
}

/** Sessions are resumed only where this is the same: 32 bytes of a digest. */
export function sessionScope(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
