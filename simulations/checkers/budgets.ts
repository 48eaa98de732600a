import { addressKind, addressName } from '../../supervisors/address.ts';
import { type JournalRecord, recordId } from '../../supervisors/record.ts';
import type { Intensity, Restart } from '../../supervisors/strategy.ts';
import type { SupervisorEvent } from '../../supervisors/supervisor.ts';
import { isSupervisor, type SupervisorNode, TREE } from '../../supervisors/tree.ts';
import type { Universe } from '../world/universe.ts';
import type { Checker } from './checker.ts';

interface Failure {
  readonly child: string;
  readonly at: number;
  /** The supervisor started the child again by itself, other than by the slow attempts at an isolated one. */
  restarted: boolean;
}

/**
 * No supervisor starts a child again more often than its intensity allows within its window. Read from the journal
 * alone: a failure counts when a start of the same child follows it that a timer of the supervisor led to.
 */
export function budgets(universe: Universe): Checker {
  const nodes = supervisorNodes([TREE.main, TREE.dataplane]);
  /** By supervisor, in its present life. */
  const failures = new Map<string, Failure[]>();
  const restartTimers = new Set<string>();
  let wrong: string | null = null;

  const exited = (node: SupervisorNode, record: JournalRecord) => {
    const { child, outcome } = record.event as Extract<SupervisorEvent, { type: 'child.exited' }>;
    const restart = restartOf(node, child);
    if (restart === 'temporary' || (restart === 'transient' && outcome === 'normal')) return;
    failures.get(record.actor)?.push({ child, at: record.mono, restarted: false });
  };
  const restarted = (supervisor: string, node: SupervisorNode, child: string, at: number) => {
    const { intensity } = node;
    const own = failures.get(supervisor) ?? [];
    const failure = own.findLast((one) => one.child === child);
    if (failure === undefined) return;
    // Sums of fractions of milliseconds are not exact.
    if (intensity.isolatedRetryMs !== null && at - failure.at > intensity.isolatedRetryMs - 1) return;
    failure.restarted = true;
    const counted = own.filter(
      (one) =>
        one.restarted &&
        failure.at - one.at < intensity.withinMs &&
        (intensity.of === 'supervisor' || one.child === child),
    );
    if (counted.length > intensity.restarts) wrong ??= message(supervisor, child, counted.length, intensity);
  };

  universe.recorder.onRecord((record) => {
    const { actor, event } = record;
    if (event.type === 'actor.start') {
      failures.delete(actor);
      const parent = String((event as unknown as { readonly parent: string | null }).parent);
      const node = nodes.get(addressName(parent));
      if (addressKind(actor) === 'supervisor') failures.set(actor, []);
      if (node !== undefined && addressKind(parent) === 'supervisor' && restartTimers.has(record.cause))
        restarted(parent, node, actor, record.mono);
    }
    if (addressKind(actor) !== 'supervisor') return;
    const node = nodes.get(addressName(actor));
    if (node === undefined) return;
    if (event.type === 'child.exited') exited(node, record);
    if (event.type === 'timer.fired') restartTimers.add(recordId(record));
  });
  return { name: 'restart budgets are kept', always: () => wrong };
}

function supervisorNodes(roots: readonly SupervisorNode[]): ReadonlyMap<string, SupervisorNode> {
  const nodes = new Map<string, SupervisorNode>();
  const visit = (node: SupervisorNode) => {
    nodes.set(node.supervisor, node);
    for (const child of node.children) if (isSupervisor(child)) visit(child);
  };
  roots.forEach(visit);
  return nodes;
}

/** A supervisor below another one is permanent. */
function restartOf(node: SupervisorNode, child: string): Restart {
  for (const one of node.children)
    if (!isSupervisor(one) && one.kind === addressKind(child)) return one.restart;
  return 'permanent';
}

function message(supervisor: string, child: string, restarts: number, intensity: Intensity): string {
  const whose = intensity.of === 'child' ? 'a child' : 'all its children together';
  return `${supervisor} started ${child} again: ${restarts} restarts within ${intensity.withinMs / 1_000} s, and allowed are ${intensity.restarts} for ${whose}`;
}
