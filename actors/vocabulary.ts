/**
 * What every machine file is written with. A machine names effects as actions with parameters and never carries
 * one out; `because` gives the transition its reason. A timer is the effect `startTimer` and later the event
 * `timer.fired`; a random draw is a field of an event. So a machine's future is its events and nothing else.
 */
export interface TimerEffects<Timer extends string = string> {
  startTimer: { readonly timer: Timer; readonly ms: number };
  cancelTimer: { readonly timer: Timer };
}

export interface TimerFired<Timer extends string = string> {
  readonly type: 'timer.fired';
  readonly timer: Timer;
}

/** Tag of a final state that its supervisor takes for a failure. */
export type Tag = 'abnormal';

type Named<Effects, Reason> = {
  [Name in keyof Effects]: (scope: unknown, params: Effects[Name]) => void;
} & { because: (scope: unknown, params: { readonly reason: Reason }) => void };

/** The actions of a machine, for `setup`: types only, since what an effect does is bound outside. */
export function named<Effects, Reason extends string>(): Named<Effects, Reason> {
  return {} as Named<Effects, Reason>;
}

/** `because('drain_requested')`: the reason of a transition; on a transition without target, why it is ignored. */
export function reasons<Reason extends string>() {
  return <const R extends Reason>(reason: R) => ({ type: 'because' as const, params: { reason } });
}

/** Milliseconds before attempt `attempt` (from 0): doubles up to `maxMs`, then jitter takes away up to half by `draw` in [0, 1). */
export function backoffMs(
  backoff: { readonly baseMs: number; readonly maxMs: number },
  attempt: number,
  draw: number,
): number {
  const full = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(full * (1 - draw / 2));
}
