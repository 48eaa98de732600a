import type { HttpSettings } from '../../model/http-settings.ts';
import { Pace, soonest } from './pace.ts';

/** How often a client that takes its answer slowly is looked at, in ms. */
const LOOK_MS = 1000;

/** Whether a client sends its request, and takes its answer, fast enough. Times by the monotonic clock, in ms. */
export class ClientPace {
  /** Of a request's body, and the bytes of it that have come. */
  readonly sending = new Pace();
  received = 0;
  /** Of answers, and the bytes of them that have been written. */
  readonly taking = new Pace();
  written = 0;
  /** First byte of the request. */
  startedAt = 0;
  /** Since when the body waits for a backend. */
  heldAt = 0;

  beginBody(): void {
    this.received = 0;
    this.heldAt = 0;
    this.sending.reset(0);
  }

  /** `isHeld`: it is the backend that the body waits for. */
  awaitBody(now: number, isHeld: boolean): void {
    const { sending } = this;
    if (!isHeld) sending.run(now, this.received);
    else if (sending.runs || this.heldAt === 0) {
      this.heldAt = now;
      sending.pause(now);
    }
  }

  /** Why the body is waited for no longer, or null. `backendMs`: how long a backend may hold it up. */
  bodyFailure(
    now: number,
    { limits, timeouts }: HttpSettings,
    backendMs: number,
  ): 'request_timeout' | 'upstream_timeout' | null {
    const { requestMs, bodyIdleMs } = timeouts;
    if (requestMs > 0 && now - this.startedAt >= requestMs) return 'request_timeout';
    if (!this.sending.runs) return now - this.heldAt >= backendMs ? 'upstream_timeout' : null;
    const slow = this.sending.isTooSlow(now, this.received, limits.minimumBytesPerSecond, bodyIdleMs);
    return slow ? 'request_timeout' : null;
  }

  /** Milliseconds until `bodyFailure` can say something else. */
  nextBodyLook(now: number, { limits, timeouts }: HttpSettings, backendMs: number): number {
    const { requestMs, bodyIdleMs } = timeouts;
    const whole = requestMs === 0 ? 0 : Math.max(1, requestMs - (now - this.startedAt));
    const next = this.sending.runs
      ? this.sending.nextLook(now, limits.minimumBytesPerSecond, bodyIdleMs)
      : Math.max(1, backendMs - (now - this.heldAt));
    return soonest(whole, next);
  }

  /** The head must be here after this many milliseconds; 0: it never must. */
  headLeft(now: number, { timeouts }: HttpSettings): number {
    const most = soonest(timeouts.headerMs, timeouts.requestMs);
    return most === 0 ? 0 : Math.max(1, most - (now - this.startedAt));
  }

  headFailed(now: number, { timeouts }: HttpSettings): boolean {
    const most = soonest(timeouts.headerMs, timeouts.requestMs);
    return most > 0 && now - this.startedAt >= most;
  }

  /** The client takes its answer too slowly; `unsent` bytes of what was written wait. */
  isStalled(now: number, { limits, timeouts }: HttpSettings, unsent: number, isTunnel: boolean): boolean {
    const rate = isTunnel ? 0 : limits.minimumBytesPerSecond;
    return this.taking.isTooSlow(now, this.written - unsent, rate, timeouts.writeMs);
  }

  /** Milliseconds until `isStalled` can say something else; 0: never. */
  nextTakingLook(now: number, { limits, timeouts }: HttpSettings): number {
    const look = this.taking.nextLook(now, limits.minimumBytesPerSecond, timeouts.writeMs);
    return look === 0 ? 0 : Math.min(look, LOOK_MS);
  }
}
