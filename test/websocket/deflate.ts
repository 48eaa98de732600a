import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';

/** What both sides agreed on for permessage-deflate (RFC 7692 section 7.1). */
export interface DeflateParameters {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  readonly serverMaxWindowBits: number;
  readonly clientMaxWindowBits: number;
}

export const DEFLATE: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};

const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);
const NOTHING = Buffer.alloc(0);

/**
 * One direction of the extension. What earlier messages said is the dictionary of the next one: the same bytes for
 * zlib as a window that is kept (context takeover).
 */
export class Deflation {
  readonly #takeover: boolean;
  readonly #windowBits: number;
  #window: Buffer = NOTHING;

  constructor(takeover: boolean, windowBits: number) {
    this.#takeover = takeover;
    this.#windowBits = windowBits;
  }

  static of(parameters: DeflateParameters, from: 'client' | 'server'): Deflation {
    return from === 'client'
      ? new Deflation(!parameters.clientNoContextTakeover, parameters.clientMaxWindowBits)
      : new Deflation(!parameters.serverNoContextTakeover, parameters.serverMaxWindowBits);
  }

  /** RFC 7692 section 7.2.1. */
  compress(message: Buffer, level = 6): Buffer {
    const deflated = deflateRawSync(message, {
      windowBits: this.#windowBits,
      level,
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(this.#window.length > 0 ? { dictionary: this.#window } : {}),
    });
    this.#remember(message);
    return deflated.subarray(0, deflated.length - TAIL.length);
  }

  /** RFC 7692 section 7.2.2. Throws for what is no deflate data, or more than `most` bytes. */
  decompress(payload: Buffer, most: number): Buffer {
    const message = inflateRawSync(Buffer.concat([payload, TAIL]), {
      windowBits: this.#windowBits,
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: most,
      ...(this.#window.length > 0 ? { dictionary: this.#window } : {}),
    });
    this.#remember(message);
    return message;
  }

  #remember(message: Buffer): void {
    if (!this.#takeover) return;
    const size = 2 ** this.#windowBits;
    const all = Buffer.concat([this.#window, message]);
    this.#window = all.subarray(Math.max(0, all.length - size));
  }
}
