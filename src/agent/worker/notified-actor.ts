import type { DataplaneNotification } from '../../dataplane/control.ts';

/** What concerns an actor; a fault of the data plane's own code concerns none. */
export type ActorNotification = Exclude<DataplaneNotification, { type: 'fault' }>;

/** Kind and name of the actor that a notification is for. */
export function notifiedActor(notification: ActorNotification): readonly [kind: string, name: string] {
  if ('listener' in notification) return ['listener', notification.listener];
  const kind = notification.type.startsWith('limit.') ? 'circuit-breaker' : 'upstream-pool';
  return [kind, notification.cluster];
}
