import type { SupervisorNode } from '../../supervisors/tree.ts';
import { isSupervisor, TREE } from '../../supervisors/tree.ts';

/** How many failures of one dataplane worker are forgiven, and within which time. */
export interface RestartLimit {
  readonly restarts: number;
  readonly withinMs: number;
}

/** The main thread's tree, with another limit for its workers where one is given. */
export function mainTree(limit: RestartLimit | undefined): SupervisorNode {
  if (limit === undefined) return TREE.main;
  return {
    ...TREE.main,
    children: TREE.main.children.map((child) =>
      isSupervisor(child) ? { ...child, intensity: { ...child.intensity, ...limit } } : child,
    ),
  };
}
