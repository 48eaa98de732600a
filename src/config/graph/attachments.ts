import type { RouteAttachment } from '../../model/route.ts';
import { intersectHostnames } from '../hostname.ts';
import type { Issue } from '../validate/issue.ts';
import { fullName, type TypedObject } from '../validate/typed-object.ts';
import { ACCEPTED, unresolved, type Verdict } from './finding.ts';
import type { GatewayGraph, OpenListener } from './gateways.ts';

export interface Attachment {
  readonly attachments: readonly RouteAttachment[];
  readonly issues: readonly Issue[];
  readonly accepted: Verdict;
}

/**
 * Which listeners a route attaches to: those its parentRefs name, or without any all of its namespace; and of these
 * only the ones it has a host in common with.
 */
export function attachRoute(
  route: TypedObject<'ProxyRoute'>,
  gateways: GatewayGraph['listeners'],
  namespaces: NamespaceListeners,
): Attachment {
  const { parentRefs, hostnames } = route.content.spec;
  const { namespace } = route.ref;
  const issues: Issue[] = [];
  const candidates = new Map<string, OpenListener>();

  if (parentRefs === undefined) {
    for (const listener of namespaces.get(namespace) ?? []) candidates.set(listener.name, listener);
  }
  for (const [index, parent] of (parentRefs ?? []).entries()) {
    const path = ['spec', 'parentRefs', index];
    const name = fullName(namespace, parent.name);
    const listeners = gateways.get(name);
    if (listeners === undefined) {
      issues.push(
        unresolved([...path, 'name'], 'GatewayNotFound', `there is no ProxyGateway ${name}`, parent.name),
      );
      continue;
    }
    const named = listeners.filter(
      (listener) => parent.sectionName === undefined || parent.sectionName === listener.section,
    );
    if (named.length === 0) {
      const message =
        parent.sectionName === undefined
          ? `ProxyGateway ${name} has no listener that serves`
          : `ProxyGateway ${name} has no listener "${parent.sectionName}" that serves`;
      issues.push(
        unresolved(
          [...path, parent.sectionName === undefined ? 'name' : 'sectionName'],
          'ListenerNotFound',
          message,
          parent.sectionName ?? parent.name,
        ),
      );
    }
    for (const listener of named) candidates.set(listener.name, listener);
  }

  const attachments: RouteAttachment[] = [];
  for (const listener of candidates.values()) {
    const common = intersectHostnames(listener.hostnames, hostnames ?? []);
    if (common !== null) attachments.push({ listener: listener.name, hostnames: common });
  }
  attachments.sort((a, b) => (a.listener < b.listener ? -1 : 1));
  if (attachments.length > 0) return { attachments, issues, accepted: ACCEPTED };

  if (candidates.size > 0 || parentRefs === undefined) {
    const hosts = (hostnames ?? []).join(', ');
    const message =
      candidates.size === 0
        ? `there is no listener in namespace ${namespace} to attach to`
        : `none of the listeners ${[...candidates.keys()].sort().join(', ')} takes a host of ${hosts}`;
    issues.push(
      unresolved(
        candidates.size === 0 ? ['spec'] : ['spec', 'hostnames'],
        'NoMatchingListener',
        message,
        hostnames,
      ),
    );
  }
  const first = issues[0]!;
  return { attachments, issues, accepted: { status: 'False', reason: first.reason, message: first.message } };
}

export type NamespaceListeners = ReadonlyMap<string, readonly OpenListener[]>;

export function listenersByNamespace(gateways: GatewayGraph['listeners']): NamespaceListeners {
  const all = new Map<string, OpenListener[]>();
  for (const [gateway, listeners] of gateways) {
    const namespace = gateway.slice(0, gateway.indexOf('/'));
    const known = all.get(namespace);
    if (known === undefined) all.set(namespace, [...listeners]);
    else known.push(...listeners);
  }
  return all;
}
