import type { System } from '../../os/system.ts';

/**
 * Handshakes that hold state of OpenSSL, up to 90 KB each; those whose ClientHello is not whole hold next to nothing.
 * A worker that does nothing else ends two thousand a second: so many are under way where clients are 100 ms away.
 */
const MOST_UNDER_WAY = 192;
/** Each takes a quarter of a millisecond; whoever has a request waits for no more of them than this at once. */
const MOST_A_TURN = 16;

export interface HandshakeUnderWay {
  /** Nothing where it has ended meanwhile. */
  start(): void;
  /** It is given up for another. */
  crowdedOut(): void;
}

/**
 * Bounds what clients cost that begin handshakes, however many come at once: only so many are begun in a turn of the
 * event loop, the others wait for theirs in order; and of those that are under way the one that has waited longest
 * for its client makes room for the newest. Whoever means it is done within a round trip.
 */
export class HandshakesUnderWay {
  readonly #system: System;
  /** In the order in which they began. */
  readonly #underWay = new Set<HandshakeUnderWay>();
  #waiting: HandshakeUnderWay[] = [];
  #begun = 0;
  readonly #onTurn = (): void => this.#proceed();

  constructor(system: System) {
    this.#system = system;
  }

  /** False: it waits for its turn. */
  begin(handshake: HandshakeUnderWay): boolean {
    if (this.#begun >= MOST_A_TURN || this.#waiting.length > 0) {
      this.#waiting.push(handshake);
      return false;
    }
    this.#start(handshake);
    return true;
  }

  /** Also of one that has not begun. */
  end(handshake: HandshakeUnderWay): void {
    this.#underWay.delete(handshake);
  }

  #start(handshake: HandshakeUnderWay): void {
    if (this.#begun === 0) this.#system.nextTurn(this.#onTurn);
    this.#begun += 1;
    this.#underWay.add(handshake);
    handshake.start();
    if (this.#underWay.size <= MOST_UNDER_WAY) return;
    const [oldest] = this.#underWay;
    this.end(oldest!);
    oldest!.crowdedOut();
  }

  #proceed(): void {
    this.#begun = 0;
    const next = this.#waiting.splice(0, MOST_A_TURN);
    for (const handshake of next) this.#start(handshake);
  }
}
