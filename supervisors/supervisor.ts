import { backoffMs } from '../actors/vocabulary.ts';
import type { ActorAddress } from '../src/model/actor.ts';
import type { Behavior, NamedEffect, Step } from './behavior.ts';
import type { Failure, Policy, Restart } from './strategy.ts';
import { decide } from './strategy.ts';

/** How one child is treated; the start itself is the effect `startChild`. */
export interface ChildOptions {
  readonly child: ActorAddress;
  readonly restart: Restart;
  readonly stopMs: number | null;
}

export interface SupervisorInput {
  readonly policy: Policy;
  /** True where children come and go: they are then stopped all at once. */
  readonly many: boolean;
  /** Started with it, in this order. */
  readonly children: readonly ChildOptions[];
}

export type SupervisorEvent =
  | { readonly type: 'child.start'; readonly children: readonly ChildOptions[] }
  | {
      readonly type: 'child.exited';
      readonly child: ActorAddress;
      readonly outcome: 'normal' | 'abnormal';
      readonly reason: string;
      /** Monotonic milliseconds. */
      readonly at: number;
      /** In [0, 1), for the jitter of the back-off. */
      readonly draw: number;
    }
  | { readonly type: 'timer.fired'; readonly timer: string }
  | { readonly type: 'stop' };

interface Child extends ChildOptions {
  readonly status: 'running' | 'stopping' | 'waiting' | 'isolated';
  readonly restarts: number;
}

interface State {
  readonly input: SupervisorInput;
  readonly phase: 'running' | 'stopping' | 'escalating' | 'ended';
  readonly children: readonly Child[];
  readonly failures: readonly Failure[];
  /** Children whose back-off is over, but whose group is still being stopped. */
  readonly due: boolean;
}

type Move = readonly [state: State, reason: string, effects: readonly NamedEffect[], ignored?: 'ignored'];

/** A supervisor is an actor like any other: its inbox is journaled and its decisions replay. */
export const supervisorBehavior: Behavior = {
  mailbox: { limit: 100_000, overflow: 'drop-newest' },
  start(input) {
    const given = input as SupervisorInput;
    const children = given.children.map((child): Child => ({ ...child, status: 'running', restarts: 0 }));
    const state: State = { input: given, phase: 'running', children, failures: [], due: false };
    return step([state, 'started', children.map(start)]);
  },
  receive(snapshot, event) {
    const state = snapshot as State;
    const move = receive(state, event as SupervisorEvent);
    if (move === null) return { ...step([state, 'unexpected', []]), outcome: 'unexpected' };
    return step(move);
  },
  describe: (snapshot) => {
    const { phase, children, failures } = snapshot as State;
    return { phase, children, failures };
  },
  save: (snapshot) => snapshot,
  restore: (memory) => memory,
};

function step([state, reason, effects, ignored]: Move): Step {
  return {
    snapshot: state,
    state: state.phase,
    reason,
    effects,
    outcome: ignored ?? 'taken',
    ended: state.phase !== 'ended' ? null : reason.startsWith('gave_up') ? 'abnormal' : 'normal',
  };
}

function receive(state: State, event: SupervisorEvent): Move | null {
  switch (event.type) {
    case 'child.start':
      return startChildren(state, event.children);
    case 'child.exited':
      return state.phase === 'running' ? exited(state, event) : exitedWhileStopping(state, event.child);
    case 'timer.fired':
      return timerFired(state, event.timer);
    case 'stop':
      if (state.phase !== 'running') return [state, 'already_stopping', [], 'ignored'];
      return stopNext({ ...state, phase: 'stopping' }, 'stop_requested', cancelRestarts(state));
    default:
      return null;
  }
}

function startChildren(state: State, options: readonly ChildOptions[]): Move {
  if (state.phase !== 'running') return [state, 'stopping', [], 'ignored'];
  const known = new Map(state.children.map((child) => [child.child, child]));
  const effects: NamedEffect[] = [];
  for (const option of options) {
    const before = known.get(option.child);
    if (before?.status === 'running' || before?.status === 'stopping') continue;
    const child: Child = { ...option, status: 'running', restarts: before?.restarts ?? 0 };
    known.delete(option.child);
    known.set(option.child, child);
    if (before !== undefined) effects.push(effect('cancelTimer', { timer: `restart:${option.child}` }));
    effects.push(start(child));
  }
  if (effects.length === 0) return [state, 'already_started', [], 'ignored'];
  return [{ ...state, children: [...known.values()] }, 'child_added', effects];
}

function exited(state: State, event: Extract<SupervisorEvent, { type: 'child.exited' }>): Move {
  const child = state.children.find((one) => one.child === event.child);
  if (child === undefined) return [state, 'unknown_child', [], 'ignored'];
  if (child.status === 'stopping') {
    const next = update(state, [child.child], { status: 'waiting' });
    const cancel = effect('cancelTimer', { timer: `kill:${child.child}` });
    return next.due && !next.children.some((one) => one.status === 'stopping')
      ? restartWaiting(next, 'group_restarted', [cancel])
      : [next, 'stopped_for_restart', [cancel]];
  }
  const decision = decide(
    state.input.policy,
    state.children.map((one) => one.child),
    state.failures,
    { child: child.child, restart: child.restart, outcome: event.outcome, at: event.at },
  );
  switch (decision.verdict) {
    case 'leave':
      return [
        { ...state, children: state.children.filter((one) => one !== child) },
        `child_ended_${event.outcome}`,
        [effect('childGone', { child: child.child, reason: event.reason })],
      ];
    case 'isolate': {
      const retryMs = state.input.policy.intensity.isolatedRetryMs;
      const next = update({ ...state, failures: decision.failures }, [child.child], { status: 'isolated' });
      const effects = [effect('childIsolated', { child: child.child, reason: event.reason })];
      if (retryMs !== null)
        effects.push(effect('startTimer', { timer: `restart:${child.child}`, ms: retryMs }));
      return [next, 'child_isolated', effects];
    }
    case 'escalate':
      return stopNext(
        {
          ...state,
          failures: decision.failures,
          phase: 'escalating',
          children: state.children.filter((one) => one !== child),
        },
        'too_many_failures',
        cancelRestarts(state),
      );
    case 'restart': {
      const running = decision.stop.filter((id) =>
        state.children.some((one) => one.child === id && one.status === 'running'),
      );
      let next = update({ ...state, failures: decision.failures, due: false }, [child.child], {
        status: 'waiting',
      });
      next = update(next, running, { status: 'stopping' });
      const ms = backoffMs(state.input.policy.backoff, decision.attempt, event.draw);
      return [
        next,
        'child_failed',
        [
          ...running.flatMap((id) => stop(next.children.find((one) => one.child === id)!)),
          effect('startTimer', { timer: `restart:${child.child}`, ms }),
        ],
      ];
    }
  }
}

function timerFired(state: State, timer: string): Move {
  const cut = timer.indexOf(':');
  const purpose = timer.slice(0, cut);
  const id = timer.slice(cut + 1);
  const child = state.children.find((one) => one.child === id);
  if (child === undefined) return [state, 'late_timer', [], 'ignored'];
  if (purpose === 'kill') {
    if (child.status !== 'stopping') return [state, 'late_timer', [], 'ignored'];
    const kill = effect('killChild', { child: id });
    if (state.phase !== 'running') return exitedWhileStopping(state, id, [kill]);
    const next = update(state, [id], { status: 'waiting' });
    return next.due && !next.children.some((one) => one.status === 'stopping')
      ? restartWaiting(next, 'group_restarted', [kill])
      : [next, 'stop_timeout', [kill]];
  }
  if (state.phase !== 'running') return [state, 'stopping', [], 'ignored'];
  if (child.status !== 'waiting' && child.status !== 'isolated') return [state, 'late_timer', [], 'ignored'];
  if (state.input.policy.strategy === 'one-for-one') {
    const next = update(state, [id], { status: 'running', restarts: child.restarts + 1 });
    return [next, 'child_restarted', [start(next.children.find((one) => one.child === id)!)]];
  }
  if (state.children.some((one) => one.status === 'stopping'))
    return [{ ...state, due: true }, 'group_still_stopping', []];
  return restartWaiting(state, 'group_restarted', []);
}

/** In order of start. */
function restartWaiting(state: State, reason: string, before: readonly NamedEffect[]): Move {
  const children = state.children.map(
    (child): Child =>
      child.status === 'waiting' ? { ...child, status: 'running', restarts: child.restarts + 1 } : child,
  );
  const started = children.filter((_, index) => state.children[index]!.status === 'waiting');
  const timers = started.map((child) => effect('cancelTimer', { timer: `restart:${child.child}` }));
  return [{ ...state, children, due: false }, reason, [...before, ...timers, ...started.map(start)]];
}

function exitedWhileStopping(state: State, id: ActorAddress, before: readonly NamedEffect[] = []): Move {
  const children = state.children.filter((child) => child.child !== id);
  if (children.length === state.children.length) return [state, 'unknown_child', [], 'ignored'];
  return stopNext({ ...state, children }, 'child_stopped', [
    ...before,
    effect('cancelTimer', { timer: `kill:${id}` }),
  ]);
}

/** Reverse order of start, one after the other; children that come and go all at once. */
function stopNext(state: State, reason: string, before: readonly NamedEffect[]): Move {
  const left = state.children.filter((child) => child.status === 'running' || child.status === 'stopping');
  if (left.length === 0) {
    const end = state.phase === 'escalating' ? 'gave_up' : 'stopped';
    return [{ ...state, phase: 'ended', children: [] }, end, before];
  }
  const stopping = left.some((child) => child.status === 'stopping');
  const next = state.input.many
    ? left.filter((child) => child.status === 'running')
    : stopping
      ? []
      : left.slice(-1);
  return [
    update(
      { ...state, children: left },
      next.map((child) => child.child),
      { status: 'stopping' },
    ),
    reason,
    [...before, ...next.flatMap(stop)],
  ];
}

function cancelRestarts(state: State): NamedEffect[] {
  return state.children
    .filter((child) => child.status === 'waiting' || child.status === 'isolated')
    .map((child) => effect('cancelTimer', { timer: `restart:${child.child}` }));
}

function update(state: State, ids: readonly string[], change: Partial<Child>): State {
  if (ids.length === 0) return state;
  const wanted = new Set(ids);
  return {
    ...state,
    children: state.children.map((child) => (wanted.has(child.child) ? { ...child, ...change } : child)),
  };
}

function effect(type: string, params: Readonly<Record<string, unknown>>): NamedEffect {
  return { type, params };
}

function start(child: Child): NamedEffect {
  return effect('startChild', { child: child.child, restarts: child.restarts });
}

function stop(child: Child): NamedEffect[] {
  const ask = effect('stopChild', { child: child.child });
  return child.stopMs === null
    ? [ask]
    : [ask, effect('startTimer', { timer: `kill:${child.child}`, ms: child.stopMs })];
}
