import type { SteppingClock } from '../clock.ts';
import type { Prng } from '../prng.ts';

/** What happens in the same hundredth of a millisecond happens in one turn of an event loop. */
const TURN_MS = 0.01;
const RETRANSMISSION_MS = 200;
const MOST_PIECES = 4;

export interface LinkStyle {
  /** The shortest way, in ms. */
  readonly latencyMs: number;
  /** Added to it at most. */
  readonly jitterMs: number;
  /** Chance that a segment is lost once: TCP sends it again, so it is late. */
  readonly loss: number;
  /** Chance that what is written at once arrives in pieces, cut anywhere. */
  readonly tearing: number;
}

/** One way from one host to another. While it is blocked nothing arrives; after that what was sent arrives late. */
export class Link {
  style: LinkStyle;
  readonly #clock: SteppingClock;
  readonly #prng: Prng;
  #blocked = false;
  #waiting: (() => void)[] = [];
  /** Rises with each block, so that somebody can tell whether there was one meanwhile. */
  blocks = 0;

  constructor(clock: SteppingClock, prng: Prng, style: LinkStyle) {
    this.#clock = clock;
    this.#prng = prng;
    this.style = style;
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  /** When something sent now arrives, not before `earliest`. */
  arrival(earliest: number): number {
    const { latencyMs, jitterMs, loss } = this.style;
    let at = this.#clock.now + latencyMs + this.#prng.next() * jitterMs;
    if (loss > 0 && this.#prng.chance(loss)) at += RETRANSMISSION_MS;
    return Math.max(earliest, Math.ceil(at / TURN_MS) * TURN_MS);
  }

  /** Runs `receive` at that time, or after the link has healed. */
  deliver(at: number, receive: () => void): void {
    this.#clock.after(at - this.#clock.now, () => {
      if (this.#blocked) this.#waiting.push(receive);
      else receive();
    });
  }

  /** Lengths of the pieces in which so many bytes travel. */
  pieces(bytes: number): readonly number[] {
    if (bytes < 2 || !this.#prng.chance(this.style.tearing)) return [bytes];
    const pieces: number[] = [];
    let left = bytes;
    for (let piece = 1; piece < MOST_PIECES && left > 1; piece += 1) {
      // A few bytes as often as many: so cuts fall within heads and chunk lines too.
      const size = 1 + this.#prng.below(this.#prng.chance(0.5) ? Math.min(left, 40) : left - 1);
      if (size >= left) break;
      pieces.push(size);
      left -= size;
    }
    pieces.push(left);
    return pieces;
  }

  block(): void {
    if (!this.#blocked) this.blocks += 1;
    this.#blocked = true;
  }

  heal(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0) return;
    this.deliver(this.#clock.now + this.#prng.next() * RETRANSMISSION_MS, () => {
      for (const receive of waiting) receive();
    });
  }
}
