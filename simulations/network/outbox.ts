import type { Side } from './side.ts';

/** What a simulated host still has to send on a connection: as the window allows, in pieces where it is slow. */
export class Outbox {
  /** Bytes the kernel has taken. */
  sent = 0;
  readonly #side: Side;
  readonly #queue: Buffer[] = [];
  #onEmpty: (() => void) | null = null;

  constructor(side: Side) {
    this.#side = side;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  send(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#queue.push(bytes);
    if (this.#queue.length === 1) this.pump();
  }

  /** Runs `callback` once all has been taken by the kernel. */
  whenEmpty(callback: () => void): void {
    if (this.isEmpty) callback();
    else this.#onEmpty = callback;
  }

  drop(): void {
    this.#queue.length = 0;
    this.#onEmpty = null;
  }

  pump(): void {
    while (this.#queue.length > 0) {
      const first = this.#queue[0]!;
      const taken = this.#side.write(first);
      if (taken === -1) {
        this.drop();
        return;
      }
      this.sent += taken;
      if (taken < first.length) {
        this.#queue[0] = first.subarray(taken);
        return;
      }
      this.#queue.shift();
    }
    const callback = this.#onEmpty;
    this.#onEmpty = null;
    callback?.();
  }
}
