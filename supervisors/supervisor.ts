import { backoffMs } from '../actors/vocabulary.ts';
import type { ActorAddress } from '../src/model/actor.ts';
import type { Behavior, NamedEffect, Step } from './behavior.ts';
import { decide, restartGroup } from './strategy.ts';
import type { Child, ChildOptions, Failure, State, SupervisorInput } from './supervisor-state.ts';
import {
  budget,
  changed,
  described,
  forgotten,
  initialState,
  inOrder,
  left,
  lives,
  restored,
  saved,
  withChild,
} from './supervisor-state.ts';

export type SupervisorEvent =
  | { readonly type: 'child.start'; readonly children: readonly ChildOptions[] }
  | {
      readonly type: 'child.exited';
      readonly child: ActorAddress;
      readonly outcome: 'normal' | 'abnormal';
      readonly reason: string;
      /** Why it ended, for people; `reason` alone where it is not set. */
      readonly message?: string;
      /** Monotonic milliseconds. */
      readonly at: number;
      /** In [0, 1), for the jitter of the back-off. */
      readonly draw: number;
    }
  /** It was to be started, but nobody wishes it any more. */
  | { readonly type: 'child.unwished'; readonly child: ActorAddress }
  | { readonly type: 'timer.fired'; readonly timer: string }
  | { readonly type: 'stop' };

type Exit = Extract<SupervisorEvent, { type: 'child.exited' }>;
type Move = readonly [state: State, reason: string, effects: readonly NamedEffect[], ignored?: 'ignored'];

/**
 * A supervisor is an actor like any other: its inbox is journaled and its decisions replay. The contract stands at
 * the head of `strategy.ts`. What one event costs does not grow with the number of children, save where it is about
 * all of them.
 */
export const supervisorBehavior: Behavior = {
  mailbox: { limit: 100_000, overflow: 'drop-newest' },
  start(input) {
    const state = initialState(input as SupervisorInput);
    return step([state, 'started', inOrder(state).map(start)]);
  },
  receive(snapshot, event) {
    const state = snapshot as State;
    const move = receive(state, event as SupervisorEvent);
    if (move === null) return { ...step([state, 'unexpected', []]), outcome: 'unexpected' };
    return step(move);
  },
  describe: (snapshot) => described(snapshot as State),
  save: (snapshot) => saved(snapshot as State),
  restore: restored,
};

function step([state, reason, effects, ignored]: Move): Step {
  return {
    ...(state.phase === 'ended' && state.failure !== undefined ? { message: state.failure } : {}),
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
    case 'child.unwished':
      return unwished(state, event.child);
    case 'timer.fired':
      return timerFired(state, event.timer);
    case 'stop':
      if (state.phase !== 'running') return [state, 'already_stopping', [], 'ignored'];
      return stopAll(state, 'stopping', 'stop_requested');
    default:
      return null;
  }
}

function startChildren(before: State, options: readonly ChildOptions[]): Move {
  if (before.phase !== 'running') return [before, 'stopping', [], 'ignored'];
  let state = before;
  const effects: NamedEffect[] = [];
  for (const option of options) {
    const known = state.children.get(option.child);
    if (known !== undefined && lives(known)) continue;
    if (known !== undefined) {
      state = forgotten(state, known.child);
      effects.push(cancelRestart(known));
    }
    state = withChild(state, option, known?.restarts ?? 0);
    effects.push(effect('startChild', { child: option.child, restarts: known?.restarts ?? 0 }));
  }
  if (effects.length === 0) return [state, 'already_started', [], 'ignored'];
  return [state, 'child_added', effects];
}

function exited(state: State, event: Exit): Move {
  const child = state.children.get(event.child);
  if (child === undefined) return [state, 'unknown_child', [], 'ignored'];
  if (child.status === 'stopping' || child.status === 'condemned')
    return stoppedForGroup(state, child, 'stopped_for_restart', cancelKill(child));
  if (child.status !== 'running') return [state, 'late_exit', [], 'ignored'];
  const { policy } = state.input;
  const key = budget(policy, child.child);
  const decision = decide(policy, state.failures.get(key) ?? [], {
    restart: child.restart,
    outcome: event.outcome,
    at: event.at,
  });
  if (decision.verdict === 'leave')
    return [left(state, child), `child_ended_${event.outcome}`, [gone(child, event.reason)]];
  const remembering = { ...state, failures: state.failures.with(key, decision.failures) };
  const { reason, message, at } = event;
  const last: Failure = message === undefined ? { reason, at } : { reason, message, at };
  if (decision.verdict === 'isolate') {
    const { isolatedRetryMs } = policy.intensity;
    const effects = [effect('childIsolated', { child: child.child, reason: message ?? reason })];
    if (isolatedRetryMs !== null) effects.push(restartTimer(child, isolatedRetryMs));
    return [changed(remembering, child, { status: 'isolated', last }), 'child_isolated', effects];
  }
  if (decision.verdict === 'escalate') {
    const failure = `${childName(child)} keeps failing: ${message ?? reason}`;
    return stopAll({ ...forgotten(remembering, child.child), failure }, 'escalating', 'too_many_failures');
  }
  const ms = backoffMs(policy.backoff, decision.attempt, event.draw);
  const waiting = changed(remembering, child, { status: 'waiting', last });
  return restartAfter(waiting, child, ms);
}

/** The child's timer is the one of its whole group. */
function restartAfter(before: State, child: Child, ms: number): Move {
  const { policy, many } = before.input;
  if (policy.strategy === 'one-for-one') return [before, 'child_failed', [restartTimer(child, ms)]];
  const order = inOrder(before).map((one) => one.child);
  let state: State = { ...before, due: false };
  const effects: NamedEffect[] = [];
  for (const id of [...restartGroup(policy.strategy, order, child.child)].reverse()) {
    const member = state.children.get(id)!;
    if (member.status === 'running') {
      state = changed(state, member, { status: many ? 'stopping' : 'condemned' });
      if (many) effects.push(...stop(member));
    } else if (member.status === 'waiting' && id !== child.child) effects.push(cancelRestart(member));
  }
  const toStop = inOrder(state).flatMap((one) => (one.status === 'condemned' ? [one.child] : []));
  const [next, asked] = askNext({ ...state, toStop, stopped: 0 });
  return [next, 'child_failed', [...effects, ...asked, restartTimer(child, ms)]];
}

/** One of a group that is to be restarted has ended as it was asked to, or was ended. */
function stoppedForGroup(before: State, child: Child, reason: string, done: NamedEffect): Move {
  const temporary = child.restart === 'temporary';
  const [state, asked] = askNext(
    temporary ? left(before, child) : changed(before, child, { status: 'waiting' }),
  );
  const effects = [done, ...(temporary ? [gone(child, reason)] : []), ...asked];
  return state.due && state.stopping === 0 ? startGroup(state, effects) : [state, reason, effects];
}

/** Asks the next one to stop, if none is being stopped. Who has ended by itself meanwhile is passed over. */
function askNext(before: State): [State, NamedEffect[]] {
  if (before.stopping > 0) return [before, []];
  let at = before.stopped;
  let next: Child | undefined;
  while ((next === undefined || !lives(next)) && at < before.toStop.length) {
    at += 1;
    next = before.children.get(before.toStop.at(-at)!);
  }
  const state: State = { ...before, stopped: at };
  if (next === undefined || !lives(next)) return [state, []];
  return [changed(state, next, { status: 'stopping' }), stop(next)];
}

function unwished(state: State, id: ActorAddress): Move {
  const child = state.children.get(id);
  if (child === undefined) return [state, 'unknown_child', [], 'ignored'];
  if (state.phase !== 'running') return exitedWhileStopping(state, id);
  if (child.status === 'stopping' || child.status === 'condemned')
    return stoppedForGroup(state, child, 'stopped_for_restart', cancelKill(child));
  return [left(state, child), 'child_unwished', [gone(child, 'not_wished')]];
}

function timerFired(state: State, timer: string): Move {
  const cut = timer.indexOf(':');
  const child = state.children.get(timer.slice(cut + 1));
  if (child === undefined) return [state, 'late_timer', [], 'ignored'];
  if (timer.slice(0, cut) === 'kill') {
    if (child.status !== 'stopping') return [state, 'late_timer', [], 'ignored'];
    const kill = effect('killChild', { child: child.child });
    return state.phase === 'running'
      ? stoppedForGroup(state, child, 'stop_timeout', kill)
      : exitedWhileStopping(state, child.child, [kill]);
  }
  if (state.phase !== 'running') return [state, 'stopping', [], 'ignored'];
  if (child.status === 'isolated' || state.input.policy.strategy === 'one-for-one') {
    if (child.status !== 'waiting' && child.status !== 'isolated')
      return [state, 'late_timer', [], 'ignored'];
    const again: Child = { ...child, status: 'running', restarts: child.restarts + 1 };
    return [changed(state, child, again), 'child_restarted', [start(again)]];
  }
  if (child.status !== 'waiting') return [state, 'late_timer', [], 'ignored'];
  if (state.stopping > 0) return [{ ...state, due: true }, 'group_still_stopping', []];
  return startGroup(state, []);
}

/** In order of start. */
function startGroup(before: State, effects: readonly NamedEffect[]): Move {
  let state: State = { ...before, due: false };
  const started: Child[] = [];
  for (const child of inOrder(state)) {
    if (child.status !== 'waiting') continue;
    const again: Child = { ...child, status: 'running', restarts: child.restarts + 1 };
    state = changed(state, child, again);
    started.push(again);
  }
  return [state, 'group_restarted', [...effects, ...started.map(cancelRestart), ...started.map(start)]];
}

/** Reverse order of start, one after the other; children that come and go all at once. */
function stopAll(before: State, phase: 'stopping' | 'escalating', reason: string): Move {
  let state: State = { ...before, phase };
  const effects: NamedEffect[] = [];
  const running: Child[] = [];
  for (const child of inOrder(state)) {
    if (child.status === 'running' || child.status === 'condemned') running.push(child);
    else if (child.status !== 'stopping') {
      effects.push(cancelRestart(child));
      state = forgotten(state, child.child);
    }
  }
  if (!state.input.many)
    return stopNext({ ...state, toStop: running.map((child) => child.child), stopped: 0 }, reason, effects);
  for (const child of running.reverse()) {
    state = changed(state, child, { status: 'stopping' });
    effects.push(...stop(child));
  }
  return stopNext(state, reason, effects);
}

function exitedWhileStopping(state: State, id: ActorAddress, before: readonly NamedEffect[] = []): Move {
  const child = state.children.get(id);
  if (child === undefined) return [state, 'unknown_child', [], 'ignored'];
  return stopNext(forgotten(state, id), 'child_stopped', [...before, cancelKill(child)]);
}

function stopNext(before: State, reason: string, effects: readonly NamedEffect[]): Move {
  if (before.children.size === 0) {
    const end = before.phase === 'escalating' ? 'gave_up' : 'stopped';
    return [{ ...before, phase: 'ended' }, end, effects];
  }
  const [state, asked] = askNext(before);
  return [state, reason, [...effects, ...asked]];
}

/** `listener/default/web/http`; a supervisor by its name. */
function childName({ child }: Child): string {
  return child.split('/').slice(2).join('/');
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

function gone(child: Child, reason: string): NamedEffect {
  return effect('childGone', { child: child.child, reason });
}

function restartTimer(child: Child, ms: number): NamedEffect {
  return effect('startTimer', { timer: `restart:${child.child}`, ms });
}

function cancelRestart(child: Child): NamedEffect {
  return effect('cancelTimer', { timer: `restart:${child.child}` });
}

function cancelKill(child: Child): NamedEffect {
  return effect('cancelTimer', { timer: `kill:${child.child}` });
}
