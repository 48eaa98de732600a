import type { Fate } from './wire.ts';

/** Where an attack goes: the listener with the defaults, one with times of a second, or one with TLS. */
export type Target = 'usual' | 'impatient' | 'secure';

export interface Attack {
  readonly name: string;
  readonly target: Target;
  /** One of these is counted for it in `http2_faults`; empty: it breaks no rule, and must only cost little. */
  readonly faults: readonly string[];
  /** Of memory that it may leave behind, in MB, where that is not the usual. */
  readonly mostMb?: number;
  /** Makes ready what is sent, which is not counted as its work, and gives what then sends it. */
  prepare(): (port: number) => Promise<Fate>;
}

/** How long an attack goes on that nobody ends, in ms. */
export const ATTACK_MS = 1500;
/** For those on the patience of a listener, whose times are a second. */
export const SILENCE_MS = 6000;
