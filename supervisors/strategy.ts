/**
 * Who is restarted when a child ends: decisions over data, as in OTP's supervisor.
 *
 * The contract of a supervisor, which `supervisor.ts` carries out with these decisions:
 *
 * Restart. `permanent` children are restarted whenever they end, `transient` ones when they end abnormally,
 *   `temporary` ones never. A child that is not restarted is forgotten, and whoever wished it is told.
 * Strategy. `one-for-one` restarts the child that ended; `one-for-all` all children; `rest-for-one` it and those
 *   started after it. The others of such a group are stopped in reverse order of start, and when the last of them has
 *   ended, the group is started again in order of start. A temporary child of the group is stopped with it and not
 *   started again. A member that fails while it is being stopped has done as it was asked to.
 * Back-off. A restart waits: `baseMs`, doubled for each failure before it within the window, at most `maxMs`, of
 *   which jitter drawn outside takes away up to half. A group waits once, for the child that failed last.
 * Intensity. `restarts` failures within `withinMs` are forgiven; one more is not. Then the supervisor stops its
 *   children and fails itself (`escalate`), or leaves out the one child and says so (`isolate`). An isolated child is
 *   shown with its reason; its siblings go on without it, whatever the strategy; after `isolatedRetryMs` it alone is
 *   tried again, and fails again at once into isolation while its failures still count.
 * Escalation. To the parent it is the abnormal end of a child like any other, so the parent's policy decides; above
 *   the root of a thread stands the actor that owns the thread, above the root of all the agent itself.
 * A restart that fails is an end like any other. It comes back as a message, never as a loop, so a stop that
 *   arrives meanwhile gets through; the same holds for the very first start of a child.
 * What a child gets at a restart: its place in the tree, and its input built anew from the configuration wished
 *   now. Nothing of its memory, no event that was on its way to its predecessor, and no timer of it. If nobody wishes
 *   it any more, it is not started.
 * Start is in the order of the list. A child counts as started when its actor lives: what it then waits for (a
 *   bind, a thread) is an event of its own.
 * Stop is in reverse order of start, one after the other; where children come and go, all of them at once. Nothing
 *   is started any more, and what waits for its back-off is forgotten. Each child has a deadline after which it is
 *   ended from outside and what it held is released. Supervisors have none: they end when their children have, so the
 *   sum of their children's deadlines is theirs. A supervisor ends when its last child has.
 */
export type Restart = 'permanent' | 'transient' | 'temporary';
export type Strategy = 'one-for-one' | 'one-for-all' | 'rest-for-one';

export interface Intensity {
  /** This many failures are forgiven… */
  readonly restarts: number;
  /** …within these milliseconds. */
  readonly withinMs: number;
  /** Whether children share one budget or each has its own. */
  readonly of: 'supervisor' | 'child';
  readonly exceeded: 'escalate' | 'isolate';
  /** Milliseconds between attempts to bring an isolated child back; null: never. */
  readonly isolatedRetryMs: number | null;
}

export interface Policy {
  readonly strategy: Strategy;
  readonly intensity: Intensity;
  readonly backoff: { readonly baseMs: number; readonly maxMs: number };
}

export type Decision =
  | { readonly verdict: 'leave' }
  | {
      readonly verdict: 'restart';
      /** Failures in the window before this one: the exponent of the back-off. */
      readonly attempt: number;
      readonly failures: readonly number[];
    }
  | { readonly verdict: 'isolate'; readonly failures: readonly number[] }
  | { readonly verdict: 'escalate'; readonly failures: readonly number[] };

/**
 * What becomes of a child that has ended. `failures`: when those before it were, in monotonic milliseconds, oldest
 * first, of all children or of this one as the intensity says; those of the answer are to be remembered instead. They
 * are never more than the intensity allows.
 */
export function decide(
  policy: Policy,
  failures: readonly number[],
  exit: { readonly restart: Restart; readonly outcome: 'normal' | 'abnormal'; readonly at: number },
): Decision {
  if (exit.restart === 'temporary') return { verdict: 'leave' };
  if (exit.restart === 'transient' && exit.outcome === 'normal') return { verdict: 'leave' };
  const { restarts, withinMs, exceeded } = policy.intensity;
  const recent = failures.filter((at) => exit.at - at < withinMs);
  const remembered = restarts === 0 ? [] : [...recent, exit.at].slice(-restarts);
  if (recent.length >= restarts) return { verdict: exceeded, failures: remembered };
  return { verdict: 'restart', attempt: recent.length, failures: remembered };
}

/** `order`: the children in order of start. The answer, in the same order, is to be restarted with `child`. */
export function restartGroup(strategy: Strategy, order: readonly string[], child: string): readonly string[] {
  if (strategy === 'one-for-one') return [child];
  if (strategy === 'one-for-all') return order;
  return order.slice(order.indexOf(child));
}
