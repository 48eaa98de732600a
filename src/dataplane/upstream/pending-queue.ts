import type { UpstreamUser } from './upstream-user.ts';

interface Waiting {
  readonly user: UpstreamUser;
  readonly slot: number;
}

/** Requests that wait for a connection, first come first served. Its length is bounded by the cluster's limit. */
export class PendingQueue {
  readonly #waiting: Waiting[] = [];
  /** Slot in the shared limits that the request taken out last had counted in, or -1. */
  lastSlot = -1;

  get length(): number {
    return this.#waiting.length;
  }

  get first(): UpstreamUser | null {
    return this.#waiting[0]?.user ?? null;
  }

  push(user: UpstreamUser, slot: number): void {
    this.#waiting.push({ user, slot });
  }

  shift(): UpstreamUser | null {
    const first = this.#waiting.shift();
    if (first === undefined) return null;
    this.lastSlot = first.slot;
    return first.user;
  }

  remove(user: UpstreamUser): boolean {
    const at = this.#waiting.findIndex((waiting) => waiting.user === user);
    if (at === -1) return false;
    this.lastSlot = this.#waiting[at]!.slot;
    this.#waiting.splice(at, 1);
    return true;
  }
}
