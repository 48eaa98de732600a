import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Draw } from '../draw.ts';
import { needs } from '../needs.ts';
import type { Standalone } from './harness.ts';
import {
  backend,
  backendManifest,
  curl,
  eventually,
  freePort,
  novactl,
  routeManifest,
  standalone,
} from './harness.ts';
import { attack, damaged, hostileBackend, REQUESTS } from './hostile.ts';

const LONG = 'v'.repeat(4000);
const TIMEOUTS = '      timeouts: { request: 2s, backendRequest: 1s }\n';
const GAUGES = ['open_connections', 'active_connections', 'upstream_pending_requests'];

function manifests(good: number, hostile: number, dead: number): string {
  const route = (name: string, rule: string): string => `---
apiVersion: novaedge.io/v1alpha1
kind: ProxyRoute
metadata: { name: ${name} }
spec:
  rules:
    - ${rule.trim().replaceAll('\n', '\n      ')}
`;
  const headers = `
  - type: AddHeader
    add: { X-Long-A: ${LONG}, X-Long-B: ${LONG}, X-Long-C: ${LONG}, X-Long-D: ${LONG}, X-Long-E: ${LONG} }
  - type: RequestHeaderModifier
    requestHeaderModifier: { set: [{ name: Accept, value: ${LONG} }], remove: [X-Long, User-Agent, X-Forwarded-For] }
  - type: ResponseHeaderModifier
    responseHeaderModifier: { set: [{ name: Server, value: ${LONG} }], add: [{ name: X-B, value: ${LONG} }], remove: [Date] }`;
  return [
    backendManifest('good', good),
    backendManifest('hostile', hostile),
    backendManifest('dead', dead),
    backendManifest('weightless', dead).replace(' }', ', weight: 0 }'),
    routeManifest('all', '/', 'hostile', TIMEOUTS),
    routeManifest('good', '/good', 'good'),
    routeManifest('dead', '/dead', 'dead', TIMEOUTS),
  ]
    .map((text) => `---\n${text}`)
    .concat(
      route(
        're',
        `matches: [{ path: { type: RegularExpression, value: "/re/(a+)+" } }]\nbackendRef: { name: good }`,
      ),
      route(
        'long',
        `matches: [{ path: { value: /long } }]\nbackendRef: { name: hostile }\ntimeouts: { request: 2s }\nfilters:${headers}`,
      ),
      route(
        'redirect',
        `matches: [{ path: { value: /redirect } }]\nfilters:${headers}\n  - type: RequestRedirect\n    requestRedirect: { scheme: https, hostname: ${'h'.repeat(60)}.example, path: { type: ReplacePrefixMatch, replacePrefixMatch: "/${'z'.repeat(1000)}" } }`,
      ),
      route(
        'weightless',
        'matches: [{ path: { value: /weightless } }]\nbackendRefs: [{ name: weightless, weight: 1 }, { name: hostile, weight: 0 }]',
      ),
      route(
        'rewrite',
        `matches: [{ path: { value: /rewrite } }]\nbackendRef: { name: hostile }\ntimeouts: { request: 2s }\nfilters:${headers}\n  - type: URLRewrite\n    urlRewrite: { hostname: ${'h'.repeat(60)}.example, path: { type: ReplacePrefixMatch, replacePrefixMatch: "/${'z'.repeat(1000)}" } }`,
      ),
    )
    .join('');
}

async function calm(system: Standalone, what: string): Promise<void> {
  let left: string[] = [];
  await eventually(`calm after ${what}`, async () => {
    const metrics = await (await fetch(`http://${system.admin}/metrics`)).text();
    left = metrics
      .split('\n')
      .filter((line) => GAUGES.some((gauge) => line.startsWith(gauge)) && !/^#| 0$/.test(line));
    return left.length === 0;
  }).catch((error) => assert.fail(`${error}: ${left.join(', ')}`));
  const { stdout } = await novactl('actors', '--admin', system.admin, '-o', 'json');
  assert.match(stdout, /"restarts": *0/, what);
  assert.doesNotMatch(stdout, /"restarts": *[1-9]/, what);
  assert.doesNotMatch(system.output(), /a fault of NovaEdge|worker.*(exit|left)/i, what);
  assert.equal((await curl(system.url('/good'))).stdout, 'good', what);
}

/** Descriptors open: what leaks shows here first. */
function descriptors(system: Standalone): number {
  return readdirSync(`/proc/${system.process.pid}/fd`).length;
}

function residentMegabytes(system: Standalone): number {
  const status = readFileSync(`/proc/${system.process.pid}/status`, 'utf8');
  return Number(/VmRSS:\s*(\d+) kB/.exec(status)![1]) / 1024;
}

test('hostile clients and backends, and changes while they rage, leave it as it was', {
  ...needs('curl'),
  timeout: 120_000,
}, async (context) => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
  context.diagnostic(`SEED=${seed}`);
  const draw = new Draw(seed);
  const good = await backend(context, 'good');
  const hostile = await hostileBackend(draw);
  context.after(() => hostile.close());
  const system = await standalone(context, {
    'all.yaml': manifests(good.port, hostile.port, await freePort()),
  });
  const code = async (path: string) =>
    (await curl('-o', '/dev/null', '-w', '%{http_code}', system.url(path))).stdout;
  const { stdout } = await novactl('problems', '--admin', system.admin);
  assert.doesNotMatch(stdout, /ProxyRoute/);
  assert.equal(await code('/redirect/x'), '302');
  assert.equal(await code('/re/aaa'), '200');
  assert.equal(await code('/weightless'), '503');
  const rounds = Number(process.env.ROUNDS ?? 6);

  for (const request of REQUESTS.slice(0, 8)) {
    const short = request.slice(0, 150);
    const all = Array.from({ length: short.length }, (_, at) =>
      attack(system.port, short.slice(0, at), draw),
    );
    await Promise.all(all);
  }
  await calm(system, 'heads cut at every byte');
  const linux = process.platform === 'linux';
  const before = linux ? residentMegabytes(system) : 0;
  const open = linux ? descriptors(system) : 0;

  for (let round = 0; round < rounds; round += 1) {
    const wave = Array.from({ length: 300 }, () => {
      const pipelined = Array.from({ length: 1 + draw.below(4) }, () => damaged(draw.of(REQUESTS), draw));
      return attack(system.port, pipelined.join(''), draw);
    });
    if (round % 2 === 1)
      for (let change = 0; change < 6; change += 1) {
        // The cluster's endpoints, the routes and all of them go and come while requests wait and bodies are under way.
        const other = change % 2 === 0 ? good.port : hostile.port;
        system.write('all.yaml', change === 4 ? '' : manifests(good.port, other, hostile.port));
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
    await Promise.all(wave);
    system.write('all.yaml', manifests(good.port, hostile.port, await freePort()));
    await eventually('the routes again', async () => (await curl(system.url('/good'))).stdout === 'good');
    await calm(system, `wave ${round}`);
  }
  if (linux) {
    const pooled = 100;
    assert.ok(
      descriptors(system) < open + pooled,
      `${open} descriptors before, ${descriptors(system)} after`,
    );
    const after = residentMegabytes(system);
    assert.ok(after < before + 150, `${before.toFixed()} MB before, ${after.toFixed()} MB after`);
  }
  assert.equal(await system.stop(), 0);
});
