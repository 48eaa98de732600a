import { headerChanges } from './header-changes.ts';
import {
  type CustomKind,
  duration,
  flag,
  headerName,
  integer,
  listOf,
  object,
  objectName,
  oneOf,
  optional,
  type Static,
  text,
} from './schema.ts';

export const POLICY_TYPES = [
  'Headers',
  'RateLimit',
  'JWT',
  'IPAllowList',
  'IPDenyList',
  'CORS',
  'BasicAuth',
] as const;

/** Which field of the spec belongs to which type. */
export const POLICY_FIELDS = {
  Headers: 'headers',
  RateLimit: 'rateLimit',
  JWT: 'jwt',
  IPAllowList: 'ipAllowList',
  IPDenyList: 'ipDenyList',
  CORS: 'cors',
  BasicAuth: 'basicAuth',
} as const satisfies Record<(typeof POLICY_TYPES)[number], string>;

const addresses = (description: string) =>
  object(
    {
      cidrs: listOf(text('`192.0.2.0/24`, `2001:db8::/32` or a single address.'), 'Client addresses.', {
        minItems: 1,
        maxItems: 1000,
      }),
    },
    { description },
  );

export const proxyPolicySpec = object({
  targetRef: object(
    {
      kind: oneOf(['ProxyGateway', 'ProxyRoute'], { description: 'Kind of the target.' }),
      name: objectName('Name of the target, in the namespace of the policy.'),
    },
    { description: 'What the policy holds for.' },
  ),
  type: oneOf(POLICY_TYPES, {
    description: 'What the policy does. `Headers` runs; the others are refused as not supported yet.',
  }),
  headers: optional(
    object(
      {
        requestHeaders: optional(headerChanges('Changes of requests towards the backend.')),
        responseHeaders: optional(headerChanges('Changes of answers to the client.')),
      },
      { description: '`Headers`: headers that are set, added and removed.' },
    ),
  ),
  rateLimit: optional(
    object(
      {
        requestsPerSecond: integer('Tokens added each second.', { minimum: 1 }),
        burst: optional(
          integer('Size of the bucket; as many as a second adds where left out.', { minimum: 1 }),
        ),
        key: oneOf(['SourceIP', 'Header'], {
          description: 'What has a bucket of its own.',
          default: 'SourceIP',
        }),
        headerName: optional(headerName('Header whose value is the key, for `key: Header`.')),
      },
      { description: '`RateLimit`: token bucket.' },
    ),
  ),
  jwt: optional(
    object(
      {
        issuer: text('Required `iss` claim.', { minLength: 1 }),
        audiences: optional(listOf(text('Audience.'), 'Accepted `aud` claims; without it any.')),
        jwksUri: text('Where the key set is fetched.', { pattern: '^https?://' }),
      },
      { description: '`JWT`: a bearer token is required and checked.' },
    ),
  ),
  ipAllowList: optional(addresses('`IPAllowList`: only these clients are served.')),
  ipDenyList: optional(addresses('`IPDenyList`: these clients are not served.')),
  cors: optional(
    object(
      {
        allowOrigins: listOf(text('`https://app.example.com` or `*`.'), 'Origins that may read answers.', {
          minItems: 1,
        }),
        allowMethods: optional(listOf(text('Method.'), 'Methods of actual requests.')),
        allowHeaders: optional(listOf(headerName('Header.'), 'Headers of actual requests.')),
        exposeHeaders: optional(listOf(headerName('Header.'), 'Headers that scripts may read.')),
        allowCredentials: flag('Whether credentials may be sent.', false),
        maxAge: duration('How long a preflight answer may be kept.', { default: '5s' }),
      },
      { description: '`CORS`: cross-origin requests.' },
    ),
  ),
  basicAuth: optional(
    object(
      {
        secretRef: object(
          { name: objectName('Secret with an `htpasswd` file under the key `auth`.') },
          { description: 'Users and their password hashes.' },
        ),
        realm: text('Realm shown to the user.', { default: 'novaedge', minLength: 1, maxLength: 128 }),
      },
      { description: '`BasicAuth`: name and password are required.' },
    ),
  ),
});

export type ProxyPolicySpec = Static<typeof proxyPolicySpec>;

export const proxyPolicy: CustomKind<typeof proxyPolicySpec> = {
  kind: 'ProxyPolicy',
  singular: 'proxypolicy',
  plural: 'proxypolicies',
  shortNames: ['ppol'],
  summary:
    'What holds for a whole gateway or route: headers, and later limits, authentication and address lists.',
  sample: `apiVersion: novaedge.io/v1alpha1
kind: ProxyPolicy
metadata:
  name: security-headers
spec:
  targetRef:
    kind: ProxyGateway
    name: external-gateway
  type: Headers
  headers:
    responseHeaders:
      set:
        - name: X-Content-Type-Options
          value: nosniff
`,
  columns: [
    { name: 'Type', type: 'string', jsonPath: '.spec.type' },
    { name: 'Target', type: 'string', jsonPath: '.spec.targetRef.name' },
  ],
  spec: proxyPolicySpec,
};
