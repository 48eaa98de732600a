import type { ObjectRef } from '../../model/object.ts';
import type { EndpointSliceManifest, SecretManifest, ServiceManifest } from '../crds/core.ts';
import type { Kind } from '../crds/kinds.ts';
import type { ProxyBackendSpec } from '../crds/proxy-backend.ts';
import type { ProxyGatewaySpec } from '../crds/proxy-gateway.ts';
import type { ProxyPolicySpec } from '../crds/proxy-policy.ts';
import type { ProxyRouteSpec } from '../crds/proxy-route.ts';
import type { ProxyVipSpec } from '../crds/proxy-vip.ts';

interface Custom<Spec> {
  readonly spec: Spec;
}

/** What is left of each kind's manifest after checking, with defaults filled in. */
export interface Contents {
  readonly ProxyGateway: Custom<ProxyGatewaySpec>;
  readonly ProxyRoute: Custom<ProxyRouteSpec>;
  readonly ProxyBackend: Custom<ProxyBackendSpec>;
  readonly ProxyPolicy: Custom<ProxyPolicySpec>;
  readonly ProxyVIP: Custom<ProxyVipSpec>;
  readonly Service: ServiceManifest;
  readonly EndpointSlice: EndpointSliceManifest;
  readonly Secret: SecretManifest;
}

/** A checked object. The same JS object as long as its text is the same. */
export interface TypedObject<K extends Kind = Kind> {
  readonly kind: K;
  readonly ref: ObjectRef;
  /** `namespace/name` */
  readonly name: string;
  /** Milliseconds since the epoch, 0 where it is not known. */
  readonly createdAt: number;
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Id of the item it stands in: the path of a file, from which paths in the object lead on. */
  readonly source: string;
  readonly content: Contents[K];
}

export const fullName = (namespace: string, name: string): string => `${namespace}/${name}`;

/** Oldest first, then by name: who wins a conflict. */
export function bySeniority(
  a: { readonly createdAt: number; readonly name: string },
  b: { readonly createdAt: number; readonly name: string },
): number {
  return a.createdAt - b.createdAt || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
