import type { TSchema } from 'typebox';
import { endpointSlice, secret, service } from './core.ts';
import { customObject } from './metadata.ts';
import { proxyBackend } from './proxy-backend.ts';
import { proxyGateway } from './proxy-gateway.ts';
import { proxyPolicy } from './proxy-policy.ts';
import { proxyRoute } from './proxy-route.ts';
import { proxyVip } from './proxy-vip.ts';
import { API_VERSION, type CustomKind } from './schema.ts';

export const CUSTOM_KINDS: readonly CustomKind[] = [
  proxyGateway,
  proxyRoute,
  proxyBackend,
  proxyPolicy,
  proxyVip,
];

export const KINDS = [
  'ProxyGateway',
  'ProxyRoute',
  'ProxyBackend',
  'ProxyPolicy',
  'ProxyVIP',
  'Service',
  'EndpointSlice',
  'Secret',
] as const;
export type Kind = (typeof KINDS)[number];

export interface KindDefinition {
  readonly apiVersion: string;
  readonly schema: TSchema;
  /** Our own kinds have defaults and refuse unknown fields. */
  readonly custom: boolean;
}

const custom = (kind: CustomKind): KindDefinition => ({
  apiVersion: API_VERSION,
  schema: customObject(kind.kind, kind.spec),
  custom: true,
});

export const KIND_DEFINITIONS: Readonly<Record<Kind, KindDefinition>> = {
  ProxyGateway: custom(proxyGateway),
  ProxyRoute: custom(proxyRoute),
  ProxyBackend: custom(proxyBackend),
  ProxyPolicy: custom(proxyPolicy),
  ProxyVIP: custom(proxyVip),
  Service: { apiVersion: 'v1', schema: service, custom: false },
  EndpointSlice: { apiVersion: 'discovery.k8s.io/v1', schema: endpointSlice, custom: false },
  Secret: { apiVersion: 'v1', schema: secret, custom: false },
};

export function isKind(kind: string): kind is Kind {
  return (KINDS as readonly string[]).includes(kind);
}
