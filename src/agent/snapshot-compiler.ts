import { Piscina } from 'piscina';
import type { SnapshotChanges } from '../model/snapshot.ts';

/**
 * Decodes large updates on threads of their own, so that a whole snapshot does not hold up the main thread. The
 * stream client sends only what is large enough here.
 */
export class SnapshotCompiler {
  readonly #pool = new Piscina<readonly Uint8Array[], SnapshotChanges>({
    filename: new URL('./snapshot-compiler-thread.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 10_000,
  });

  readonly decode = (parts: readonly Uint8Array[]): Promise<SnapshotChanges> => this.#pool.run(parts);

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}
