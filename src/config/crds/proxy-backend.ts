import { CLUSTER_DEFAULTS, CLUSTER_PROTOCOLS, LB_POLICIES } from '../../model/cluster.ts';
import {
  type CustomKind,
  duration,
  HEADER_NAME,
  headerName,
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
import { backendTls } from './tls.ts';

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
    description:
      'How an endpoint is chosen: in turn by weight, at random by weight, the one with the fewest requests, the better of two drawn ones by requests (P2C) or by latency and requests (EWMA), or always the same one for the same `hash` (RingHash, Maglev).',
    default: 'RoundRobin',
  }),
  hash: optional(
    object(
      {
        type: oneOf(['SourceIP', 'Path', 'Header', 'Cookie'], {
          description: 'What of a request is hashed; the field of that name says how.',
          default: 'SourceIP',
        }),
        header: optional(headerName('`Header`: name of the header; a request without it goes anywhere.')),
        cookie: optional(
          object(
            {
              name: text('Name of the cookie.', {
                minLength: 1,
                maxLength: 128,
                pattern: HEADER_NAME,
                [MEANS]: 'a cookie name (letters, digits and "-")',
              }),
              path: text('Path of a cookie that is set by NovaEdge.', {
                default: '/',
                maxLength: 256,
                pattern: '^/[\\x21-\\x3a\\x3c-\\x7e]*$',
                [MEANS]: 'a path that starts with "/" and has no ";"',
              }),
              ttl: duration('How long clients keep it; `0s`: until their session ends.', { default: '0s' }),
            },
            { description: '`Cookie`: set by NovaEdge where a request has none.' },
          ),
        ),
      },
      {
        description:
          'For RingHash and Maglev: which requests go to the same endpoint. Without it the client address decides.',
      },
    ),
  ),
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
  pool: object(
    {
      warmConnections: integer('Connections that each worker keeps open to each endpoint, used or not.', {
        minimum: 0,
        maximum: 1024,
        default: CLUSTER_DEFAULTS.warmConnections,
      }),
      maxIdleConnections: integer('Unused connections that each worker keeps to each endpoint.', {
        minimum: 0,
        maximum: 65_535,
        default: CLUSTER_DEFAULTS.maxIdleConnections,
      }),
      maxRequestsPerConnection: integer('Requests after which a connection is closed; 0 is off.', {
        minimum: 0,
        maximum: 2_147_483_647,
        default: CLUSTER_DEFAULTS.maxRequestsPerConnection,
      }),
      pendingTimeout: duration('How long a request waits for a connection; then 503.', { default: '5s' }),
    },
    { description: 'Connections that are kept to endpoints.', default: {} },
  ),
  retryBudget: object(
    {
      percent: integer('Retries among the requests of the last interval.', {
        minimum: 0,
        maximum: 100,
        default: CLUSTER_DEFAULTS.retryBudget.percent,
      }),
      interval: duration('How far back requests are counted.', { default: '10s' }),
      minPerSecond: integer('Retries that are always allowed.', {
        minimum: 0,
        maximum: 1_000_000,
        default: CLUSTER_DEFAULTS.retryBudget.minPerSecond,
      }),
    },
    {
      description:
        'Bounds retries, so that they cannot bury a backend that fails; each worker counts its own.',
      default: {},
    },
  ),
  protocol: optional(
    oneOf(CLUSTER_PROTOCOLS, {
      description:
        '`HTTP1`: HTTP/1.1. `HTTP2`: HTTP/2, in clear text with prior knowledge (h2c); for gRPC. `Auto`: what the backend takes by ALPN over TLS, HTTP/1.1 in clear text. Without it the `appProtocol` of the Service port decides (`kubernetes.io/h2c` and `grpc`: HTTP2; `https`: Auto over TLS), else `Auto`.',
    }),
  ),
  tls: optional(backendTls),
  maxConcurrentStreams: integer('Requests under way on one HTTP/2 connection; the backend may want fewer.', {
    minimum: 1,
    maximum: 65_535,
    default: CLUSTER_DEFAULTS.maxConcurrentStreams,
  }),
  proxyProtocol: optional(
    oneOf(['V1', 'V2'], {
      description:
        'Connections begin with a PROXY protocol header that names the client; without it they do not. Such connections are not shared by clients.',
    }),
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
