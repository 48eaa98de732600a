import type { Policy, Restart } from './strategy.ts';

export interface ActorNode {
  readonly kind: string;
  readonly restart: Restart;
  /** How long it may take to stop by itself before it is ended; null: as long as it needs. */
  readonly stopMs: number | null;
  /** One for each of something that comes and goes (worker, listener, cluster); else exactly one. */
  readonly many: boolean;
}

export interface SupervisorNode extends Policy {
  readonly supervisor: string;
  /** `dataplane` stands for every dataplane-N. */
  readonly thread: 'main' | 'dataplane';
  /** In order of start; stopped in reverse. */
  readonly children: readonly (ActorNode | SupervisorNode)[];
}

/**
 * Who restarts whom, and on which thread. `threads` hang below the actor that owns the thread: when their root
 * gives up, that actor is told.
 */
export const TREE = {
  main: {
    supervisor: 'agent',
    thread: 'main',
    strategy: 'one-for-one',
    intensity: {
      restarts: 10,
      withinMs: 60_000,
      of: 'supervisor',
      exceeded: 'escalate',
      isolatedRetryMs: null,
    },
    backoff: { baseMs: 20, maxMs: 1_000 },
    children: [
      { kind: 'rollout', restart: 'permanent', stopMs: 1_000, many: false },
      {
        supervisor: 'workers',
        thread: 'main',
        strategy: 'one-for-one',
        intensity: {
          restarts: 5,
          withinMs: 30_000,
          of: 'child',
          exceeded: 'isolate',
          isolatedRetryMs: 30_000,
        },
        backoff: { baseMs: 50, maxMs: 5_000 },
        children: [{ kind: 'dataplane-worker', restart: 'permanent', stopMs: null, many: true }],
      },
      { kind: 'config-stream', restart: 'permanent', stopMs: 1_000, many: false },
    ],
  },
  dataplane: {
    supervisor: 'dataplane',
    thread: 'dataplane',
    strategy: 'one-for-one',
    intensity: {
      restarts: 10,
      withinMs: 60_000,
      of: 'supervisor',
      exceeded: 'escalate',
      isolatedRetryMs: null,
    },
    backoff: { baseMs: 20, maxMs: 1_000 },
    children: [
      {
        supervisor: 'pools',
        thread: 'dataplane',
        strategy: 'one-for-one',
        intensity: {
          restarts: 5,
          withinMs: 30_000,
          of: 'child',
          exceeded: 'isolate',
          isolatedRetryMs: 30_000,
        },
        backoff: { baseMs: 50, maxMs: 5_000 },
        children: [{ kind: 'upstream-pool', restart: 'transient', stopMs: null, many: true }],
      },
      {
        supervisor: 'breakers',
        thread: 'dataplane',
        strategy: 'one-for-one',
        intensity: {
          restarts: 5,
          withinMs: 30_000,
          of: 'child',
          exceeded: 'isolate',
          isolatedRetryMs: 30_000,
        },
        backoff: { baseMs: 50, maxMs: 5_000 },
        children: [{ kind: 'circuit-breaker', restart: 'transient', stopMs: 1_000, many: true }],
      },
      {
        supervisor: 'listeners',
        thread: 'dataplane',
        strategy: 'one-for-one',
        // An isolated listener is reported to the rollout, which tries it again on all workers.
        intensity: { restarts: 5, withinMs: 30_000, of: 'child', exceeded: 'isolate', isolatedRetryMs: null },
        backoff: { baseMs: 50, maxMs: 5_000 },
        children: [{ kind: 'listener', restart: 'transient', stopMs: null, many: true }],
      },
    ],
  },
} as const satisfies Record<'main' | 'dataplane', SupervisorNode>;

export function isSupervisor(node: ActorNode | SupervisorNode): node is SupervisorNode {
  return 'supervisor' in node;
}
