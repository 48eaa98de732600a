import type { ActorKind } from '../actors/catalogue.ts';
import type { Policy, Restart } from './strategy.ts';

export interface ActorNode {
  readonly kind: ActorKind;
  readonly restart: Restart;
  /**
   * How long it may take to stop before it is ended from outside: milliseconds, or so many more than the drain timeout
   * of the agent for those that drain and have that deadline of their own.
   */
  readonly stopMs: number | { readonly afterDrain: number };
  /** One for each of something that comes and goes (worker, listener, cluster); else exactly one. */
  readonly many: boolean;
}

export interface SupervisorNode extends Policy {
  readonly supervisor: string;
  /** In order of start; stopped in reverse. */
  readonly children: readonly (ActorNode | SupervisorNode)[];
}

/** Everything below it lives on one thread. */
export interface ThreadNode extends SupervisorNode {
  /** The actor of the main thread whose thread it is: it is told when this gives up. Null: the main thread itself. */
  readonly owner: ActorKind | null;
}

/** Few children, each of which the others need: when they keep failing, the whole is started anew. */
const TOGETHER = {
  strategy: 'one-for-one',
  intensity: {
    restarts: 10,
    withinMs: 60_000,
    of: 'supervisor',
    exceeded: 'escalate',
    isolatedRetryMs: null,
  },
  backoff: { baseMs: 20, maxMs: 1_000 },
} as const;

/** Many children that need nothing of each other: one that keeps failing is left out, and tried again now and then. */
const EACH_ALONE = {
  strategy: 'one-for-one',
  intensity: { restarts: 5, withinMs: 30_000, of: 'child', exceeded: 'isolate', isolatedRetryMs: 30_000 },
  backoff: { baseMs: 50, maxMs: 5_000 },
} as const;

/** As before, but the retries are somebody else's: the rollout tries a listener again on all workers. */
const EACH_ALONE_ONCE = {
  ...EACH_ALONE,
  intensity: { ...EACH_ALONE.intensity, isolatedRetryMs: null },
} as const;

/**
 * Which actor lives on which thread, and who restarts whom, by the name of the thread. `dataplane` stands for every
 * dataplane-N. A further thread (health, routing) is an entry here, and the actor that owns it a child in `main`: so
 * each thread is a supervised child itself.
 */
export const TREE = {
  main: {
    supervisor: 'agent',
    owner: null,
    ...TOGETHER,
    children: [
      { kind: 'rollout', restart: 'permanent', stopMs: 1_000, many: false },
      {
        supervisor: 'workers',
        ...EACH_ALONE,
        children: [
          // Its thread drains, and is then ended.
          { kind: 'dataplane-worker', restart: 'permanent', stopMs: { afterDrain: 10_000 }, many: true },
        ],
      },
      { kind: 'config-stream', restart: 'permanent', stopMs: 1_000, many: false },
    ],
  },
  dataplane: {
    supervisor: 'dataplane',
    owner: 'dataplane-worker',
    ...TOGETHER,
    children: [
      {
        supervisor: 'pools',
        ...EACH_ALONE,
        children: [
          { kind: 'upstream-pool', restart: 'transient', stopMs: { afterDrain: 1_000 }, many: true },
        ],
      },
      {
        supervisor: 'breakers',
        ...EACH_ALONE,
        children: [{ kind: 'circuit-breaker', restart: 'transient', stopMs: 1_000, many: true }],
      },
      {
        supervisor: 'listeners',
        ...EACH_ALONE_ONCE,
        children: [{ kind: 'listener', restart: 'transient', stopMs: { afterDrain: 1_000 }, many: true }],
      },
    ],
  },
} as const satisfies Readonly<Record<string, ThreadNode>>;

export function isSupervisor(node: ActorNode | SupervisorNode): node is SupervisorNode {
  return 'supervisor' in node;
}

/** Milliseconds. */
export function stopDeadlineMs({ stopMs }: ActorNode, drainTimeoutMs: number): number {
  return typeof stopMs === 'number' ? stopMs : drainTimeoutMs + stopMs.afterDrain;
}

export interface Placement {
  readonly thread: string;
  readonly supervisor: string;
}

/** Where the actors of each kind live. A kind placed twice is an error of whoever wrote the tree. */
export function placements(tree: Readonly<Record<string, ThreadNode>> = TREE): Map<ActorKind, Placement> {
  const found = new Map<ActorKind, Placement>();
  const visit = (thread: string, node: SupervisorNode): void => {
    for (const child of node.children) {
      if (isSupervisor(child)) {
        visit(thread, child);
        continue;
      }
      if (found.has(child.kind)) throw new Error(`${child.kind} is placed twice`);
      found.set(child.kind, { thread, supervisor: node.supervisor });
    }
  };
  for (const [thread, root] of Object.entries(tree)) visit(thread, root);
  return found;
}
