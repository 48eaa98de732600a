/**
 * Who is restarted when a child ends: decisions over data, as in OTP's supervisor.
 *
 * The contract:
 * - `permanent` children are restarted whenever they end, `transient` ones when they end abnormally, `temporary`
 *   ones never.
 * - `one-for-one` restarts the child that ended; `one-for-all` all children; `rest-for-one` it and those started
 *   after it. Those to be restarted are stopped in reverse order of start and started again in order of start.
 * - A restart waits for its back-off: it doubles with each failure that is followed by another within the window,
 *   with jitter drawn outside. More failures in the window than the intensity allows end it: the supervisor stops
 *   its children and fails itself (`escalate`), or leaves out the one child and says so (`isolate`), and may then
 *   try that child again at a slow, fixed pace.
 * - A restart that fails is an end like any other, so it comes back as a message and a stop still gets through.
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

export interface Failure {
  readonly child: string;
  /** Monotonic milliseconds. */
  readonly at: number;
}

export type Decision =
  | { readonly verdict: 'leave' }
  | {
      readonly verdict: 'restart';
      /** In the order in which they are to be stopped; without the child that ended. */
      readonly stop: readonly string[];
      /** In the order in which they are to be started. */
      readonly start: readonly string[];
      /** Failures in the window before this one: the exponent of the back-off. */
      readonly attempt: number;
      readonly failures: readonly Failure[];
    }
  | { readonly verdict: 'isolate'; readonly failures: readonly Failure[] }
  | { readonly verdict: 'escalate'; readonly failures: readonly Failure[] };

/** `children` in order of start; `failures` those remembered so far. */
export function decide(
  policy: Policy,
  children: readonly string[],
  failures: readonly Failure[],
  exit: {
    readonly child: string;
    readonly restart: Restart;
    readonly outcome: 'normal' | 'abnormal';
    readonly at: number;
  },
): Decision {
  if (exit.restart === 'temporary') return { verdict: 'leave' };
  if (exit.restart === 'transient' && exit.outcome === 'normal') return { verdict: 'leave' };
  const recent = failures.filter((failure) => exit.at - failure.at < policy.intensity.withinMs);
  const counted = recent.filter(
    (failure) => policy.intensity.of === 'supervisor' || failure.child === exit.child,
  );
  const remembered = [...recent, { child: exit.child, at: exit.at }];
  if (counted.length >= policy.intensity.restarts)
    return { verdict: policy.intensity.exceeded, failures: remembered };
  const start = group(policy.strategy, children, exit.child);
  return {
    verdict: 'restart',
    start,
    stop: start.filter((child) => child !== exit.child).reverse(),
    attempt: counted.length,
    failures: remembered,
  };
}

function group(strategy: Strategy, children: readonly string[], child: string): readonly string[] {
  if (strategy === 'one-for-one') return [child];
  if (strategy === 'one-for-all') return children;
  return children.slice(children.indexOf(child));
}
