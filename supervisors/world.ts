/** What the runtime needs of the world. Production binds it in `src/agent/effects`, a simulation to stepped time. */
export interface World {
  /** Monotonic milliseconds, with fractions. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallClock(): number;
  /** The next draw in [0, 1). */
  draw(): number;
  /** Runs `callback` once after `ms`. Returns how to cancel it. */
  after(ms: number, callback: () => void): () => void;
}
