import type { Certificate } from './certificate.ts';
import type { Cluster } from './cluster.ts';
import type { Endpoint } from './endpoint.ts';
import { endpointId } from './endpoint.ts';
import type { Gateway, Listener } from './gateway.ts';
import type { Policy } from './policy.ts';
import type { Route } from './route.ts';
import type { VipAssignment } from './vip.ts';

/**
 * A resource is the unit of the snapshot protocol: what is hashed, sent, prepared, refused and rolled out alone.
 * An endpoint is a resource of its own, so a changed endpoint travels as a changed endpoint.
 */
export type Resource =
  | { readonly kind: 'gateway'; readonly value: Gateway }
  | { readonly kind: 'listener'; readonly value: Listener }
  | { readonly kind: 'route'; readonly value: Route }
  | { readonly kind: 'cluster'; readonly value: Cluster }
  | { readonly kind: 'endpoint'; readonly value: Endpoint }
  | { readonly kind: 'policy'; readonly value: Policy }
  | { readonly kind: 'vip'; readonly value: VipAssignment }
  /** Carries a private key: whatever shows resources shows of this one nothing but its name. */
  | { readonly kind: 'certificate'; readonly value: Certificate };

export type ResourceKind = Resource['kind'];

/** `kind/name`, for example `route/default/api` or `endpoint/default/api/10.0.0.1:8080`. */
export type ResourceKey = string;

export function resourceKey(resource: Resource): ResourceKey {
  return resource.kind === 'endpoint'
    ? `endpoint/${resource.value.cluster}/${endpointId(resource.value)}`
    : `${resource.kind}/${resource.value.name}`;
}

export function keyKind(key: ResourceKey): ResourceKind {
  return key.slice(0, key.indexOf('/')) as ResourceKind;
}

/** The key without its kind: `default/api`. */
export function keyName(key: ResourceKey): string {
  return key.slice(key.indexOf('/') + 1);
}

export type ResourceSet = ReadonlyMap<ResourceKey, Resource>;
