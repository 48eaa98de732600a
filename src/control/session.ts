import { Metadata, type ServerDuplexStream, type status } from '@grpc/grpc-js';

export type Call = ServerDuplexStream<Buffer, Uint8Array>;

/** One agent's connection, as far as a node needs it. */
export class Session {
  readonly #call: Call;
  readonly #gone = Promise.withResolvers<void>();
  #open = true;

  constructor(call: Call) {
    this.#call = call;
  }

  get open(): boolean {
    return this.#open;
  }

  get peer(): string {
    return this.#call.getPeer();
  }

  /** Tells the agent that its hello was taken. */
  greet(): void {
    this.#call.sendMetadata(new Metadata());
  }

  /**
   * Sends frames one after the other, each made when the one before has left, so that a slow reader holds one.
   * @returns bytes sent; undefined where the connection ended before the last.
   */
  async send(frames: Iterable<Uint8Array>): Promise<number | undefined> {
    let bytes = 0;
    for (const frame of frames) {
      if (!this.#open) return undefined;
      bytes += frame.length;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#call.write(frame, () => resolve());
      await Promise.race([promise, this.#gone.promise]);
    }
    return this.#open ? bytes : undefined;
  }

  /** Ends the connection and tells the agent why. */
  close(code: status, why: string): void {
    if (!this.#open) return;
    this.ended();
    this.#call.emit('error', { code, details: why });
  }

  /** The other side went away. */
  ended(): void {
    this.#open = false;
    this.#gone.resolve();
  }
}
