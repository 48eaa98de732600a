import {
  type CustomKind,
  duration,
  integer,
  label,
  listOf,
  MEANS,
  object,
  objectName,
  oneOf,
  optional,
  port,
  portNumberOrName,
  type Static,
  text,
  weight,
} from './schema.ts';

export const LB_POLICIES = ['RoundRobin', 'P2C', 'EWMA', 'RingHash', 'Maglev'] as const;

const limit = (description: string) =>
  integer(description, { minimum: 1, maximum: 2_147_483_647, default: 1024 });

export const proxyBackendSpec = object({
  serviceRef: optional(
    object(
      {
        name: objectName('Name of the Service.'),
        namespace: optional(
          label('Namespace of the Service; only the namespace of the backend is permitted.'),
        ),
        port: portNumberOrName('Port of the Service, by number or name.'),
      },
      { description: 'Service whose EndpointSlices are the endpoints. Either this or `endpoints`.' },
    ),
  ),
  endpoints: optional(
    listOf(
      object({
        address: text('IPv4 or IPv6 address, or a DNS name.', {
          minLength: 1,
          maxLength: 253,
          [MEANS]: 'an IP address or a DNS name',
        }),
        port: port('Port of the endpoint.'),
        weight: weight('Share of the requests among all weights; 0 gets no new ones.'),
      }),
      'Endpoints listed by hand. Either this or `serviceRef`.',
      { minItems: 1, maxItems: 1000 },
    ),
  ),
  lbPolicy: oneOf(LB_POLICIES, {
    description: 'How an endpoint is chosen. `RoundRobin` runs; the others are refused as not supported yet.',
    default: 'RoundRobin',
  }),
  connectTimeout: duration('How long connecting to an endpoint may take.', { default: '2s' }),
  idleTimeout: duration('After this time an unused connection to an endpoint is closed.', { default: '60s' }),
  circuitBreaker: object(
    {
      maxConnections: limit('Connections to all endpoints, over all workers of a node.'),
      maxPendingRequests: limit('Requests that wait for a connection, over all workers of a node.'),
    },
    {
      description: 'Limits beyond which requests are answered with 503 at once.',
      default: { maxConnections: 1024, maxPendingRequests: 1024 },
    },
  ),
});

export type ProxyBackendSpec = Static<typeof proxyBackendSpec>;

export const proxyBackend: CustomKind<typeof proxyBackendSpec> = {
  kind: 'ProxyBackend',
  singular: 'proxybackend',
  plural: 'proxybackends',
  shortNames: ['pbe'],
  summary:
    'A group of endpoints that serve the same thing, from a Service or listed by hand, and how they are spoken to.',
  sample: `apiVersion: novaedge.io/v1alpha1
kind: ProxyBackend
metadata:
  name: api-backend
spec:
  serviceRef:
    name: api-svc
    port: 8080
  lbPolicy: RoundRobin
  connectTimeout: 2s
  idleTimeout: 60s
  circuitBreaker:
    maxConnections: 1000
    maxPendingRequests: 200
`,
  columns: [
    { name: 'Service', type: 'string', jsonPath: '.spec.serviceRef.name' },
    { name: 'Policy', type: 'string', jsonPath: '.spec.lbPolicy' },
  ],
  spec: proxyBackendSpec,
};
