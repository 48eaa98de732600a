import { backendRef, backendRefFields } from './backend-ref.ts';
import { routeFilter } from './route-filter.ts';
import {
  type CustomKind,
  duration,
  flag,
  grpcStatus,
  headerName,
  hostname,
  integer,
  label,
  listOf,
  object,
  objectName,
  oneOf,
  optional,
  type Static,
  text,
  weight,
} from './schema.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const;
const VALUE_MATCHES = ['Exact', 'RegularExpression'] as const;

const path = object(
  {
    type: oneOf(['Exact', 'PathPrefix', 'RegularExpression'], {
      description:
        '`PathPrefix` matches whole segments: `/v1` takes `/v1` and `/v1/x`, never `/v10`. `RegularExpression` (RE2) must match the whole path.',
      default: 'PathPrefix',
    }),
    value: text('Path or expression; starts with `/`.', { maxLength: 1024, default: '/' }),
  },
  { description: 'Path of the request; without it every path.' },
);

const grpcName = (description: string) => text(description, { minLength: 1, maxLength: 1024 });

const valueMatch = {
  type: oneOf(VALUE_MATCHES, { description: 'How `value` is compared.', default: 'Exact' }),
};
const value = () =>
  text('Value or expression (RE2, must match the whole value).', { minLength: 1, maxLength: 4096 });

const grpc = object(
  {
    type: oneOf(VALUE_MATCHES, {
      description: 'How both are compared; an expression (RE2) must match the whole name.',
      default: 'Exact',
    }),
    service: optional(grpcName('Full name of the service: `shop.v1.Orders`; without it every service.')),
    method: optional(grpcName('Name of the method: `Get`; without it every method.')),
  },
  { description: 'Service and method of a gRPC request. Instead of `path`; at least one of the two.' },
);

const match = object({
  path: optional(path),
  grpc: optional(grpc),
  method: optional(oneOf(METHODS, { description: 'Method of the request; without it every method.' })),
  headers: optional(
    listOf(
      object({ ...valueMatch, name: headerName('Header name, in any case.'), value: value() }),
      'Headers that must all match.',
      { maxItems: 16 },
    ),
  ),
  queryParams: optional(
    listOf(
      object({
        ...valueMatch,
        name: text('Parameter name.', { minLength: 1, maxLength: 256 }),
        value: value(),
      }),
      'Query parameters that must all match.',
      { maxItems: 16 },
    ),
  ),
});

const rule = object({
  name: optional(label('Name of the rule, unique within the route.')),
  matches: optional(
    listOf(match, 'A request is taken if one of these matches; without it every request.', { maxItems: 64 }),
  ),
  backendRef: optional(backendRef('Where requests go. Either this or `backendRefs`.')),
  backendRefs: optional(
    listOf(
      object({ ...backendRefFields, weight: weight('Share of the requests among all weights of the rule.') }),
      'Where requests go, split by weight.',
      { minItems: 1, maxItems: 16 },
    ),
  ),
  filters: optional(listOf(routeFilter, 'What is changed on the way, in this order.', { maxItems: 16 })),
  timeouts: optional(
    object(
      {
        request: optional(duration('Whole request until the last byte of the answer; `0s` is off.')),
        backendRequest: optional(
          duration(
            "From the request's last byte to the first byte of the backend's answer, for each attempt; `0s` is off.",
          ),
        ),
      },
      { description: 'How long a request may take.' },
    ),
  ),
  retry: optional(
    object(
      {
        attempts: integer('Times a request is sent again, after the first.', {
          minimum: 1,
          maximum: 10,
          default: 2,
        }),
        conditions: listOf(
          oneOf(['Reset', 'Timeout', 'Status', 'GRPCStatus'], {
            description:
              'The connection broke before an answer; `timeouts.backendRequest` passed; one of `codes` came; a gRPC answer without messages came with one of `grpcCodes`.',
          }),
          'When it is.',
          { minItems: 1, maxItems: 4, uniqueItems: true, default: ['Reset', 'Timeout', 'Status'] },
        ),
        // No default: an API server would fill it in, and it could not be told from what the user has said.
        codes: optional(
          listOf(
            integer('Status code.', { minimum: 400, maximum: 599 }),
            '`Status`: answers that are asked for again; 502, 503 and 504 where it is left out.',
            { maxItems: 32, uniqueItems: true },
          ),
        ),
        grpcCodes: optional(
          listOf(
            grpcStatus('`UNAVAILABLE` or 14.'),
            '`GRPCStatus`: values of `grpc-status` that are asked for again.',
            { maxItems: 16 },
          ),
        ),
        methods: oneOf(['Idempotent', 'All'], {
          description:
            '`Idempotent`: GET, HEAD, OPTIONS, TRACE, PUT and DELETE (RFC 9110). `All`: also those that may do harm twice.',
          default: 'Idempotent',
        }),
        backoff: duration('Before the first retry; twice as long before each further one, with jitter.', {
          default: '25ms',
        }),
        maxBackoff: duration('The longest time before a retry.', { default: '250ms' }),
      },
      {
        description:
          'When a request is sent again. A request that no backend can have seen is sent again without it.',
      },
    ),
  ),
  grpcWeb: flag('Whether gRPC-Web of browsers is turned into gRPC for the backend, and back.', false),
  limits: optional(
    object(
      {
        bodyBytes: optional(
          integer(
            'Body of a request; beyond it 413. Takes the place of the limit of the listener; 0 is off.',
            {
              minimum: 0,
              maximum: Number.MAX_SAFE_INTEGER,
            },
          ),
        ),
      },
      { description: 'Sizes beyond which a request is refused.' },
    ),
  ),
});

const parentRef = object({
  name: objectName('Name of the ProxyGateway.'),
  namespace: optional(label('Namespace of the gateway; only the namespace of the route is permitted.')),
  sectionName: optional(label('Name of one listener; without it all listeners of the gateway.')),
});

export const proxyRouteSpec = object({
  parentRefs: optional(
    listOf(
      parentRef,
      'Gateways the route attaches to; without it every listener of its namespace whose host names it has in common.',
      { minItems: 1, maxItems: 32 },
    ),
  ),
  hostnames: optional(
    listOf(
      hostname('`app.example.com` or `*.example.com`.'),
      'Hosts the route takes; without it every host of the listener.',
      { maxItems: 64, uniqueItems: true },
    ),
  ),
  rules: listOf(rule, 'What happens to which requests.', { minItems: 1, maxItems: 64 }),
});

export type ProxyRouteSpec = Static<typeof proxyRouteSpec>;
export type RouteRuleSpec = ProxyRouteSpec['rules'][number];
export type RouteMatchSpec = NonNullable<RouteRuleSpec['matches']>[number];

export const proxyRoute: CustomKind<typeof proxyRouteSpec> = {
  kind: 'ProxyRoute',
  singular: 'proxyroute',
  plural: 'proxyroutes',
  shortNames: ['prt'],
  summary:
    'Which requests go to which backends, and what is changed on the way. Much as Gateway API HTTPRoute.',
  sample: `apiVersion: novaedge.io/v1alpha1
kind: ProxyRoute
metadata:
  name: example-route
spec:
  hostnames:
    - api.example.com
  rules:
    - matches:
        - path:
            type: PathPrefix
            value: /v1
      backendRef:
        name: api-backend
      filters:
        - type: AddHeader
          add:
            X-Version: "v1"
      timeouts:
        request: 30s
`,
  columns: [{ name: 'Hostnames', type: 'string', jsonPath: '.spec.hostnames' }],
  spec: proxyRouteSpec,
};
