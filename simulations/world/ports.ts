/** Who else holds a port of the machine, and which worker has run out of files. */
export class SimulatedPorts {
  readonly #busy = new Set<number>();
  readonly #exhausted = new Set<number>();

  /** How much longer the system takes to bind a port, in ms. */
  stallMs = 0;

  occupy(port: number): void {
    this.#busy.add(port);
  }

  release(port: number): void {
    this.#busy.delete(port);
  }

  /** The worker can open nothing until it is told that it can again. */
  exhaust(worker: number): void {
    this.#exhausted.add(worker);
  }

  relieve(worker: number): void {
    this.#exhausted.delete(worker);
  }

  isBusy(port: number): boolean {
    return this.#busy.has(port);
  }

  /** Why the worker cannot bind the port; null: it can. */
  refusal(port: number, worker: number): string | null {
    if (this.#exhausted.has(worker)) return 'EMFILE';
    return this.#busy.has(port) ? 'EADDRINUSE' : null;
  }

  heal(): void {
    this.stallMs = 0;
    this.#busy.clear();
    this.#exhausted.clear();
  }
}
