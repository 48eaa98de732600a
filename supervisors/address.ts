import type { ActorAddress } from '../src/model/actor.ts';

/**
 * Addresses are `node/thread/kind/name…`; names may hold slashes. They are ours and the same in every run, where
 * xstate's own ids are counted process-wide.
 */
export function actorAddress(node: string, thread: string, kind: string, name = ''): ActorAddress {
  return name === '' ? `${node}/${thread}/${kind}` : `${node}/${thread}/${kind}/${name}`;
}

/** `dataplane-0` of `edge-1/dataplane-0/listener/default/web/http`. */
export function addressThread(address: ActorAddress): string {
  const start = address.indexOf('/') + 1;
  const end = address.indexOf('/', start);
  return end === -1 ? address.slice(start) : address.slice(start, end);
}

/** `default/web/http` of the same. */
export function addressName(address: ActorAddress): string {
  return address.split('/').slice(3).join('/');
}

/** `listener` of the same. */
export function addressKind(address: ActorAddress): string {
  return address.split('/')[2] ?? '';
}
