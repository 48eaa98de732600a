import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { Pipeline } from '../../src/config/pipeline.ts';
import { controllerAdmin, serveFixture } from './fixture.ts';
import { novactl } from './run.ts';

/** What the configuration pipeline really makes of a user's file, and not what a fixture thinks it would. */
const MANIFESTS = `apiVersion: novaedge.io/v1alpha1
kind: ProxyGateway
metadata: { name: gw }
spec:
  listeners:
    - { name: http, port: 8080, protocol: HTTP, hostnames: ["*.example.com"] }
    - { name: tls, port: 8443, protocol: TLS }
---
apiVersion: novaedge.io/v1alpha1
kind: ProxyRoute
metadata: { name: api }
spec:
  hostnames: [a.example.com]
  rules:
    - matches: [{ path: { type: PathPrefix, value: /v1 } }]
      backendRef: { name: own }
    - backendRef: { name: nowhere }
    - matches: [{ path: { type: PathPrefix, value: /web } }]
      backendRef: { kind: Service, name: web, port: 80 }
---
apiVersion: novaedge.io/v1alpha1
kind: ProxyRoute
metadata: { name: lost, namespace: shop }
spec:
  hostnames: [a.example.org]
  rules: [{ backendRef: { name: own } }]
---
apiVersion: novaedge.io/v1alpha1
kind: ProxyBackend
metadata: { name: own }
spec:
  endpoints: [{ address: 10.0.0.1, port: 80 }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-1, labels: { kubernetes.io/service-name: web } }
addressType: IPv4
ports: [{ name: http, port: 8080 }]
endpoints: [{ addresses: [10.1.0.1], conditions: { ready: true } }]
`;

suite('novactl over what the configuration pipeline builds', () => {
  let admin = '';
  let close = async (): Promise<void> => {};
  before(async () => {
    const pipeline = new Pipeline({ now: () => 0 });
    const build = pipeline.apply({
      upserts: [{ type: 'text', id: 'all.yaml', text: MANIFESTS }],
      removals: [],
    });
    const server = await serveFixture({
      controller: controllerAdmin({
        objects: () => build.objects,
        problems: () => build.problems,
        resources: () => build.resources,
        nodes: () => [],
      }),
    });
    admin = server.address;
    close = server.close;
  });
  after(() => close());

  test('a listener that is refused is the reason shown of its gateway', async () => {
    const { stdout } = await novactl(['gateways'], { admin });
    assert.match(stdout, /^gw +\S+ +- +http:8080\/HTTP,tls:8443\/TLS .* NotSupported: .*TLS/m);
  });

  test('defaults that the user left out are shown', async () => {
    assert.match((await novactl(['backends'], { admin })).stdout, /^own +1 endpoint +RoundRobin +\?\/1 /m);
  });

  test('problems carry the line of the file', async () => {
    const { stdout } = await novactl(['problems'], { admin });
    assert.match(stdout, /^error {2}all\.yaml:7 {2}ProxyGateway default\/gw$/m);
    assert.match(stdout, /spec\.rules\[1\]\.backendRef\.name = "nowhere"/);
  });

  test('topology draws what serves and what does not', async () => {
    const { stdout, stderr } = await novactl(['topology', 'graph'], { admin });
    assert.equal(stderr, '');
    for (const line of [
      /^◐ gateway default\/gw/m,
      /○ listener http {2}:8080 HTTP \*\.example\.com/,
      /✗ listener tls {2}:8443 TLS {2}does not serve/,
      /\/v1 → ○ backend default\/own /,
      /\/ → ✗ backend default\/nowhere {2}missing: answered with 500/,
      /\/web → ○ backend default\/web:80 /,
      /^Routes that no listener serves\n└─ ✗ route shop\/lost\n {6}NoMatchingListener: /m,
    ]) {
      assert.match(stdout, line);
    }
  });
});
