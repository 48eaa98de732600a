import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CLUSTER_DEFAULTS } from '../../../src/model/cluster.ts';
import { endpointId } from '../../../src/model/endpoint.ts';
import type { Resource } from '../../../src/model/resource.ts';
import { resourceKey } from '../../../src/model/resource.ts';
import { decodeResource, encodeResource, ResourceError } from '../../../src/wire/snapshot/resource.ts';
import { schema } from '../../../src/wire/snapshot/schema.ts';
import { endpoint, resource } from './resources.ts';

const TYPES = {
  gateway: 'Gateway',
  listener: 'Listener',
  route: 'Route',
  cluster: 'Cluster',
  endpoint: 'Endpoint',
  policy: 'Policy',
  vip: 'VipAssignment',
  certificate: 'Certificate',
} as const;

function clusterOf(value: Resource): string {
  return value.kind === 'endpoint' ? value.value.cluster : '';
}

test('a resource comes back from its bytes, and a copy of it has the same bytes', () => {
  fc.assert(
    fc.property(resource, (value) => {
      const bytes = encodeResource(value);
      assert.deepEqual(decodeResource(value.kind, bytes, clusterOf(value)), value);
      assert.deepEqual(encodeResource(structuredClone(value)), bytes);
    }),
    { numRuns: 1000 },
  );
});

test('bytes are what protobufjs makes of the decoded message: canonical proto3', () => {
  fc.assert(
    fc.property(resource, (value) => {
      const type = schema.lookupType(`novaedge.v1.${TYPES[value.kind]}`);
      const bytes = encodeResource(value);
      const plain = type.toObject(type.decode(bytes), { defaults: false, arrays: false });
      assert.deepEqual(Buffer.from(type.encode(plain).finish()), Buffer.from(bytes));
    }),
  );
});

test('bytes cut anywhere never give a resource', () => {
  fc.assert(
    fc.property(resource, (value) => {
      const bytes = encodeResource(value);
      for (let length = 0; length < bytes.length; length += 1) {
        try {
          const decoded = decodeResource(value.kind, bytes.subarray(0, length), clusterOf(value));
          // A cut at a field's boundary is a message of its own; it must then say what it is, whole.
          assert.deepEqual(Buffer.from(encodeResource(decoded)), Buffer.from(bytes.subarray(0, length)));
        } catch (error) {
          assert.ok(error instanceof ResourceError, String(error));
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('the endpoint key is made of cluster, address and port', () => {
  fc.assert(
    fc.property(endpoint, (value) => {
      if (value.kind !== 'endpoint') return;
      assert.equal(resourceKey(value), `endpoint/${value.value.cluster}/${endpointId(value.value)}`);
    }),
  );
});

const LISTENER = { name: 'shop/external/http', gateway: 'shop/external', port: 80, protocol: 'HTTP' };
const ROUTE = {
  name: 'shop/api',
  rules: [{ matches: [{ path: { type: 'Exact', value: '/' } }] }],
};

const REFUSED: readonly {
  readonly what: string;
  readonly kind: Resource['kind'];
  readonly type: string;
  readonly message: Record<string, unknown>;
  readonly error: RegExp;
}[] = [
  {
    what: 'a port out of range',
    kind: 'listener',
    type: 'Listener',
    message: { ...LISTENER, port: 70_000 },
    error: /^listener\/shop\/external\/http: port: 70000 is not a whole number from 1 to 65535$/,
  },
  {
    what: 'no port',
    kind: 'listener',
    type: 'Listener',
    message: { ...LISTENER, port: 0 },
    error: /listener\/shop\/external\/http: port: 0/,
  },
  {
    what: 'an unknown protocol',
    kind: 'listener',
    type: 'Listener',
    message: { ...LISTENER, protocol: 'GOPHER' },
    error: /listener\/shop\/external\/http: protocol: "GOPHER" is none of HTTP/,
  },
  {
    what: 'a resource without a name',
    kind: 'gateway',
    type: 'Gateway',
    message: { vip: 'default/x' },
    error: /gateway\/\?: name: is empty/,
  },
  {
    what: 'a match without a path',
    kind: 'route',
    type: 'Route',
    message: { ...ROUTE, rules: [...ROUTE.rules, { matches: [{ method: 'GET' }] }] },
    error: /route\/shop\/api: rules\[1\]\.matches\[0\]\.path: is missing/,
  },
  {
    what: 'a rule without matches',
    kind: 'route',
    type: 'Route',
    message: { ...ROUTE, rules: [{}] },
    error: /route\/shop\/api: rules\[0\]\.matches: is empty/,
  },
  {
    what: 'an unknown path match',
    kind: 'route',
    type: 'Route',
    message: { ...ROUTE, rules: [{ matches: [{ path: { type: 'Fuzzy', value: '/' } }] }] },
    error: /path\.type: "Fuzzy" is none of Exact, PathPrefix, RegularExpression/,
  },
  {
    what: 'an empty filter',
    kind: 'route',
    type: 'Route',
    message: { ...ROUTE, rules: [{ ...ROUTE.rules[0], filters: [{}] }] },
    error: /rules\[0\]\.filters\[0\]\.filter: is of a type/,
  },
  {
    what: 'a status code that is no redirect',
    kind: 'policy',
    type: 'Policy',
    message: {
      name: 'shop/p',
      targetKind: 'route',
      targetName: 'shop/api',
      filters: [{ redirect: { statusCode: 200 } }],
    },
    error: /policy\/shop\/p: filters\[0\]\.redirect\.statusCode: 200 is none of/,
  },
  {
    what: 'a weight out of range',
    kind: 'endpoint',
    type: 'Endpoint',
    message: { address: 'fd00::1', port: 1, weight: 1_000_001 },
    error: /endpoint\/shop\/api\/\[fd00::1\]:1: weight: 1000001/,
  },
  {
    what: 'an unknown VIP mode',
    kind: 'vip',
    type: 'VipAssignment',
    message: { name: 'shop/v', address: '192.0.2.1/32', mode: 'SMOKE' },
    error: /vip\/shop\/v: mode: "SMOKE"/,
  },
];

for (const { what, kind, type, message, error } of REFUSED) {
  test(`refuses ${what} and names object and field`, () => {
    const bytes = schema.lookupType(`novaedge.v1.${type}`).encode(message).finish();
    assert.throws(() => decodeResource(kind, bytes, 'shop/api'), { name: 'ResourceError', message: error });
  });
}

test('refuses a field that it does not know rather than drop it', () => {
  const known: Resource = {
    kind: 'gateway',
    value: { name: 'shop/external', ingressClassName: '', vip: '' },
  };
  const unknownField = Buffer.concat([encodeResource(known), Buffer.from([0x7a, 1, 0x21])]);
  assert.throws(() => decodeResource('gateway', unknownField, ''), {
    message: 'gateway/shop/external: holds a field that this version does not know',
  });
});

test('refuses to encode what the other side would refuse', () => {
  const gateway = { name: 'shop/external', ingressClassName: '\ud800', vip: '' };
  assert.throws(() => encodeResource({ kind: 'gateway', value: gateway }), {
    message: 'gateway/shop/external: ingressClassName: is not well-formed Unicode',
  });
  const cluster = {
    name: 'shop/api',
    ...CLUSTER_DEFAULTS,
    connectTimeoutMs: 2 ** 32,
    idleTimeoutMs: 0,
    maxConnections: 0,
    maxPendingRequests: 0,
  };
  assert.throws(
    () => encodeResource({ kind: 'cluster', value: cluster }),
    /cluster\/shop\/api: connectTimeoutMs/,
  );
});
