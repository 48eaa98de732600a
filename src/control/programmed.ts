import type { ObjectView } from '../model/configuration.ts';
import type { Condition } from '../model/object.ts';
import { keyKind, type ResourceKey } from '../model/resource.ts';
import type { ObjectFailure } from '../model/snapshot.ts';

/** Reason of a VIP that nobody announces. */
export const NOT_ANNOUNCED = 'NotAnnounced';

/** What the Programmed condition is made of, of one connected node. */
export interface ProgrammedNode {
  readonly name: string;
  readonly changedAt: number;
  /** Nothing is on its way and nothing failed. */
  readonly settled: boolean;
  /** Why it refused the last update whole, or empty. */
  readonly refusal: string;
  sees(key: ResourceKey): boolean;
  failure(key: ResourceKey): ObjectFailure | undefined;
  awaits(key: ResourceKey): boolean;
}

export interface ProgrammedFacts {
  readonly nodes: readonly ProgrammedNode[];
  /** Resources that cannot be sent to any node. */
  readonly unsendable: ReadonlyMap<ResourceKey, string>;
  /** Milliseconds since the epoch of the newest build, or of the last connection that ended. */
  readonly changedAt: number;
}

const NAMED_NODES = 3;

/**
 * Programmed of one object: is what it asks for in use on the connected nodes that it is for?
 *
 *     a node refused it           False, reason of the node
 *     in use on a node at least   True
 *     no node has answered yet    as before; Unknown where there is no before
 *
 * While a change is on its way the condition stays, with its observedGeneration; so a busy backend doesn't flicker.
 * @returns undefined for objects that ask for nothing on nodes (a Service, a Secret).
 */
export function programmed(
  view: ObjectView,
  before: Condition | undefined,
  facts: ProgrammedFacts,
): Condition | undefined {
  const accepted = view.conditions.find(({ type }) => type === 'Accepted');
  const refused = accepted?.status === 'False';
  // Of a refused object the last good version is in use, which is not this generation.
  const observedGeneration =
    (refused ? before : accepted)?.observedGeneration ?? accepted?.observedGeneration ?? 0;
  const settle = (
    status: Condition['status'],
    reason: string,
    message: string,
    changedAt: number,
  ): Condition => ({
    type: 'Programmed',
    status,
    reason,
    message,
    observedGeneration,
    lastTransitionTime:
      before?.status === status ? before.lastTransitionTime : new Date(changedAt).toISOString(),
  });

  if (view.resources.length === 0) {
    if (!refused) return undefined;
    return settle('False', 'NotAccepted', 'the object was not accepted', facts.changedAt);
  }
  for (const key of view.resources) {
    const why = facts.unsendable.get(key);
    if (why !== undefined) return settle('False', 'NotSendable', why, facts.changedAt);
  }

  if (view.resources.every((key) => keyKind(key) === 'vip')) {
    return settle('False', NOT_ANNOUNCED, 'announcing addresses is not supported yet', facts.changedAt);
  }

  const nodes = facts.nodes.filter((node) => view.resources.some((key) => node.sees(key)));
  if (nodes.length === 0) {
    const message =
      facts.nodes.length === 0
        ? 'no node is connected'
        : 'none of the connected nodes is chosen by its labels';
    return settle('Unknown', 'Pending', message, facts.changedAt);
  }
  const changedAt = Math.max(...nodes.map((node) => node.changedAt));
  const failures: { node: string; failure: ObjectFailure }[] = [];
  const waiting: ProgrammedNode[] = [];
  for (const node of nodes) {
    if (node.settled) continue;
    const failure = firstFailure(view.resources, node);
    if (failure !== undefined) failures.push({ node: node.name, failure });
    else if (view.resources.some((key) => node.sees(key) && node.awaits(key))) waiting.push(node);
  }
  if (failures.length > 0) {
    const texts = failures.map(({ node, failure }) => `${node}: ${failureText(failure)}`);
    return settle('False', failures[0]!.failure.reason, listed(texts, '; '), changedAt);
  }
  const inUse = nodes.length - waiting.length;
  const names = waiting.map(({ name, refusal }) => (refusal === '' ? name : `${name} (refused: ${refusal})`));
  if (inUse > 0) {
    const rest = waiting.length === 0 ? '' : `, waiting for ${listed(names, ', ')}`;
    return settle('True', 'Programmed', `on ${inUse} of ${nodes.length} nodes${rest}`, changedAt);
  }
  if (before !== undefined && before.status !== 'Unknown') return before;
  return settle('Unknown', 'Pending', `waiting for ${listed(names, ', ')}`, changedAt);
}

function failureText({ message, event }: ObjectFailure): string {
  return event === undefined ? message : `${message} (event ${event})`;
}

function firstFailure(keys: readonly ResourceKey[], node: ProgrammedNode): ObjectFailure | undefined {
  for (const key of keys) {
    const failure = node.failure(key);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function listed(texts: readonly string[], separator: string): string {
  const more = texts.length - NAMED_NODES;
  const named = texts.slice(0, NAMED_NODES).join(separator);
  return more > 0 ? `${named}${separator}and ${more} more` : named;
}
