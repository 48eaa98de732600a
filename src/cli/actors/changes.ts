import type { ActorReport } from '../../model/actor.ts';

export type ActorChange =
  | { readonly type: 'started'; readonly actor: ActorReport }
  | { readonly type: 'changed'; readonly actor: ActorReport; readonly before: ActorReport }
  | { readonly type: 'ended'; readonly before: ActorReport };

/**
 * What happened between two looks. A new reason alone is none: actors that tell the controller each few seconds that
 * they are well would never be still.
 */
export function actorChanges(
  before: ReadonlyMap<string, ActorReport>,
  now: ReadonlyMap<string, ActorReport>,
): ActorChange[] {
  const changes: ActorChange[] = [];
  for (const [address, actor] of now) {
    const known = before.get(address);
    if (known === undefined) changes.push({ type: 'started', actor });
    else if (
      known.state !== actor.state ||
      known.restarts !== actor.restarts ||
      Math.abs(known.since - actor.since) >= 1
    )
      changes.push({ type: 'changed', actor, before: known });
  }
  for (const [address, known] of before)
    if (!now.has(address)) changes.push({ type: 'ended', before: known });
  return changes;
}

export function byAddress(actors: readonly ActorReport[]): Map<string, ActorReport> {
  return new Map(actors.map((actor) => [actor.address, actor]));
}
