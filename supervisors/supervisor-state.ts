import type { ActorAddress } from '../src/model/actor.ts';
import { PersistentMap } from './persistent-map.ts';
import type { Policy, Restart } from './strategy.ts';

/** How one child is treated; the start itself is the effect `startChild`. */
export interface ChildOptions {
  readonly child: ActorAddress;
  readonly restart: Restart;
  /** How long it may take to stop before it is ended from outside; null, for supervisors: until its children have. */
  readonly stopMs: number | null;
}

export interface SupervisorInput {
  readonly policy: Policy;
  /** True where children come and go: they are then stopped all at once. */
  readonly many: boolean;
  /** Started with it, in this order. */
  readonly children: readonly ChildOptions[];
}

/**
 *     running ──asked──> stopping ──ended──> (gone, or waiting if its group is to be restarted)
 *        └──a sibling after it is to stop first──> condemned ──asked──> stopping
 *     running ──failed──> waiting ──back-off over──> running        waiting, isolated: no actor lives
 *        └──too often──> isolated ──retry──> running
 */
export type ChildStatus = 'running' | 'condemned' | 'stopping' | 'waiting' | 'isolated';

export interface Failure {
  readonly reason: string;
  /** For people, where there is more to say than the reason. */
  readonly message?: string;
  /** Monotonic milliseconds. */
  readonly at: number;
}

export interface Child extends ChildOptions {
  readonly status: ChildStatus;
  readonly restarts: number;
  /** Its place in the order of start. */
  readonly place: number;
  /** How it failed last, and when; null: it never did. */
  readonly last: Failure | null;
}

/** What a supervisor knows. Each change gives a new state and costs the same however many children there are. */
export interface State {
  readonly input: SupervisorInput;
  readonly phase: 'running' | 'stopping' | 'escalating' | 'ended';
  readonly children: PersistentMap<ActorAddress, Child>;
  /** Of the next child. */
  readonly place: number;
  /** How many of the children have been asked to stop and live yet. */
  readonly stopping: number;
  /** Of how many no actor lives: they wait for a restart, or are left out. */
  readonly absent: number;
  /** When failures that still count were, by whose budget they are. */
  readonly failures: PersistentMap<string, readonly number[]>;
  /** The back-off of a group is over, but some of it are still being stopped. */
  readonly due: boolean;
  /** Whom to stop one after the other, in order of start, and how many of them had their turn, from the end. */
  readonly toStop: readonly ActorAddress[];
  readonly stopped: number;
  /** Whose failure was one too many, and why it failed; not set while it has not given up. */
  readonly failure?: string;
}

/** What can be shown of it: JSON. */
export interface Described {
  readonly phase: State['phase'];
  readonly absent: number;
  /** In order of start. */
  readonly children: readonly Child[];
  readonly failures: readonly (readonly [string, readonly number[]])[];
}

export function initialState(input: SupervisorInput): State {
  const state: State = {
    input,
    phase: 'running',
    children: PersistentMap.of(),
    place: 0,
    stopping: 0,
    absent: 0,
    failures: PersistentMap.of(),
    due: false,
    toStop: [],
    stopped: 0,
  };
  return input.children.reduce((before, child) => withChild(before, child, 0), state);
}

export function inOrder(state: State): Child[] {
  return state.children.values().sort((a, b) => a.place - b.place);
}

/** Lists are made when they are read: there may be very many children, and nobody asking for them. */
export function described(state: State): Described {
  return {
    phase: state.phase,
    absent: state.absent,
    get children() {
      return inOrder(state);
    },
    get failures() {
      return state.failures.entries();
    },
  };
}

/** A running child more, the last in order of start. */
export function withChild(state: State, options: ChildOptions, restarts: number): State {
  const child: Child = { ...options, status: 'running', restarts, place: state.place, last: null };
  return { ...state, place: state.place + 1, children: state.children.with(child.child, child) };
}

export function changed(state: State, child: Child, change: Partial<Child>): State {
  const next: Child = { ...child, ...change };
  return {
    ...state,
    stopping: state.stopping + stoppingOf(next) - stoppingOf(child),
    absent: state.absent + absentOf(next) - absentOf(child),
    children: state.children.with(child.child, next),
  };
}

/** Without the child; its failures still count should it come back. */
export function forgotten(state: State, id: ActorAddress): State {
  const child = state.children.get(id);
  if (child === undefined) return state;
  return {
    ...state,
    stopping: state.stopping - stoppingOf(child),
    absent: state.absent - absentOf(child),
    children: state.children.without(id),
  };
}

/** Without the child and without its failures: it ended as it should. */
export function left(state: State, { child }: Child): State {
  return { ...forgotten(state, child), failures: state.failures.without(child) };
}

/** Those of which an actor lives. */
export function lives({ status }: Child): boolean {
  return status === 'running' || status === 'condemned' || status === 'stopping';
}

/** Under which name failures of the child count. */
export function budget(policy: Policy, child: ActorAddress): string {
  return policy.intensity.of === 'supervisor' ? '' : child;
}

function absentOf(child: Child): number {
  return lives(child) ? 0 : 1;
}

function stoppingOf(child: Child): number {
  return child.status === 'stopping' ? 1 : 0;
}

/** All that its future depends on, as JSON; `restored` undoes it. */
export function saved(state: State): unknown {
  const failures = [...state.failures.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...state, children: inOrder(state), failures };
}

export function restored(memory: unknown): State {
  const { children, failures, ...rest } = memory as Omit<State, 'children' | 'failures'> & {
    readonly children: readonly Child[];
    readonly failures: readonly (readonly [string, readonly number[]])[];
  };
  return {
    ...rest,
    children: PersistentMap.of(children.map((child) => [child.child, child] as const)),
    failures: PersistentMap.of(failures),
  };
}
