import { FRAME } from '../../../src/wire/h2/frame.ts';
import { SETTING } from '../../../src/wire/h2/settings.ts';
import { ACK, END_HEADERS, END_STREAM, type Frame } from './frames.ts';

const MOST_WINDOW = 2 ** 31 - 1;

interface Sent {
  window: number;
  began: boolean;
  ended: boolean;
}

/**
 * Holds what an engine sends against RFC 9113, knowing nothing of the engine: forms, order on each stream, and the
 * windows that its peer has opened so far. Throws where something is wrong.
 */
export class SentFramesCheck {
  #initial = 65_535;
  #maxFrame = 16_384;
  #window = 65_535;
  #block = 0;
  #isOver = false;
  #settings = 0;
  readonly #streams = new Map<number, Sent>();
  readonly #isServer: boolean;

  constructor(isServer: boolean) {
    this.#isServer = isServer;
  }

  /** The engine's peer has sent this, and it was whole. */
  received({ type, flags, id, payload }: Frame): void {
    if (type === FRAME.SETTINGS && (flags & ACK) === 0) this.#settingsReceived(payload);
    if (type !== FRAME.WINDOW_UPDATE || payload.length !== 4) return;
    const bytes = payload.readUInt32BE(0) & MOST_WINDOW;
    const stream = id & MOST_WINDOW;
    if (stream === 0) this.#window += bytes;
    else this.#of(stream).window += bytes;
  }

  sent({ type, flags, id, payload }: Frame): void {
    const fail = (what: string): never => {
      throw new Error(`${what}: type ${type}, flags ${flags}, stream ${id}, ${payload.length} bytes`);
    };
    if (this.#isOver) fail('a frame after the last GOAWAY');
    if (payload.length > this.#maxFrame) fail('longer than SETTINGS_MAX_FRAME_SIZE');
    if (this.#block !== 0 && (type !== FRAME.CONTINUATION || id !== this.#block))
      fail('within a header block');
    switch (type) {
      case FRAME.DATA:
      case FRAME.HEADERS: {
        if (id === 0) fail('on the connection');
        if (this.#isServer && id % 2 === 0) fail('an even stream');
        const stream = this.#of(id);
        if (stream.ended) fail('after the end of the stream');
        if (type === FRAME.DATA) {
          if (!stream.began) fail('DATA before a head');
          stream.window -= payload.length;
          this.#window -= payload.length;
          if (payload.length > 0 && (stream.window < 0 || this.#window < 0)) fail('beyond the window');
        } else if ((flags & END_HEADERS) === 0) this.#block = id;
        stream.began = true;
        if ((flags & END_STREAM) !== 0) stream.ended = true;
        break;
      }
      case FRAME.CONTINUATION:
        if (this.#block === 0) fail('no header block');
        if ((flags & END_HEADERS) !== 0) this.#block = 0;
        break;
      case FRAME.RST_STREAM:
        if (id === 0 || payload.length !== 4) fail('malformed');
        this.#of(id).ended = true;
        break;
      case FRAME.SETTINGS:
        if (id !== 0 || payload.length % 6 !== 0) fail('malformed');
        if ((flags & ACK) === 0) this.#settings += 1;
        break;
      case FRAME.PING:
        if (id !== 0 || payload.length !== 8) fail('malformed');
        break;
      case FRAME.GOAWAY:
        if (id !== 0 || payload.length < 8) fail('malformed');
        if (payload.readUInt32BE(4) !== 0) this.#isOver = true;
        break;
      case FRAME.WINDOW_UPDATE:
        if (payload.length !== 4 || payload.readUInt32BE(0) === 0) fail('malformed');
        break;
      default:
        fail('a type that is not sent');
    }
    if (this.#settings !== 1) fail('SETTINGS are not the first, or come again');
  }

  #settingsReceived(payload: Buffer): void {
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      const value = payload.readUInt32BE(at + 2);
      const id = payload.readUInt16BE(at);
      if (id === SETTING.INITIAL_WINDOW_SIZE) {
        for (const stream of this.#streams.values()) stream.window += value - this.#initial;
        this.#initial = value;
      } else if (id === SETTING.MAX_FRAME_SIZE && value >= 16_384) this.#maxFrame = value;
    }
  }

  #of(id: number): Sent {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = { window: this.#initial, began: false, ended: false };
      this.#streams.set(id, stream);
    }
    return stream;
  }
}
