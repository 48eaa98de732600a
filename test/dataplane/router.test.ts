import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findRoute, PortRouter } from '../../src/dataplane/router/port-router.ts';
import type { RequestView, RouteEntry } from '../../src/dataplane/router/route-entry.ts';
import { queryParameter, routeEntry } from '../../src/dataplane/router/route-entry.ts';
import type { RouteMatch } from '../../src/model/route.ts';

interface Spec {
  readonly listener: string;
  readonly hostnames: readonly string[];
  readonly createdAt: number;
  readonly match: RouteMatch;
}

const LISTENERS: readonly { name: string; hostnames: readonly string[] }[] = [
  { name: 'exact', hostnames: ['a.example'] },
  { name: 'wild', hostnames: ['*.example'] },
  { name: 'any', hostnames: [] },
];

const segment = fc.constantFrom('a', 'b', 'ab', '');
const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
const valueMatch = fc.record({
  type: fc.constantFrom('Exact', 'RegularExpression'),
  name: fc.constantFrom('x', 'y'),
  value: fc.constantFrom('1', '2', '[12]'),
} as const);
const match: fc.Arbitrary<RouteMatch> = fc.record({
  path: fc.oneof(
    fc.record({ type: fc.constant('Exact' as const), value: path }),
    fc.record({
      type: fc.constant('PathPrefix' as const),
      value: path.filter((value) => !value.includes('//')),
    }),
    fc.record({
      type: fc.constant('RegularExpression' as const),
      value: fc.constantFrom('/a.*', '/[ab]/b?', '/'),
    }),
  ),
  method: fc.constantFrom(null, null, 'GET', 'POST'),
  headers: fc.array(valueMatch, { maxLength: 2 }),
  queryParams: fc.array(valueMatch, { maxLength: 1 }),
});
const spec: fc.Arbitrary<Spec> = fc.record({
  listener: fc.constantFrom('exact', 'wild', 'any'),
  hostnames: fc.constantFrom([], ['a.example'], ['*.example'], ['b.a.example'], ['*.a.example', 'a.example']),
  createdAt: fc.nat(3),
  match,
});
const asked = fc.record({
  host: fc.constantFrom('a.example', 'b.a.example', 'c.b.a.example', 'other', 'example'),
  path,
  method: fc.constantFrom('GET', 'POST'),
  x: fc.constantFrom(null, '1', '2', '12'),
  y: fc.constantFrom(null, '1', '2'),
});

/** How specific a hostname is for a host: greater is more, -1 does not take it. */
function specificity(hostname: string, host: string): number {
  if (hostname === '') return 0;
  if (hostname.startsWith('*.'))
    return host.endsWith(hostname.slice(1)) && host.length >= hostname.length ? hostname.length : -1;
  return hostname === host ? 1000 : -1;
}

function best(hostnames: readonly string[], host: string): number {
  return Math.max(
    ...(hostnames.length === 0 ? [''] : hostnames).map((hostname) => specificity(hostname, host)),
  );
}

/** Gateway API in the words of its text: filter everything, sort everything, take the first. */
function reference(
  specs: readonly Spec[],
  request: RequestView,
  host: string,
  target: string,
): number | null {
  const listener = LISTENERS.map((candidate) => ({ candidate, rank: best(candidate.hostnames, host) }))
    .filter(({ rank }) => rank >= 0)
    .sort((a, b) => b.rank - a.rank)[0]!.candidate.name;
  const pathRank = ({ path: wanted }: RouteMatch): number => {
    if (wanted.type === 'Exact') return wanted.value === target ? 1_000_000 : -1;
    if (wanted.type === 'RegularExpression')
      return new RegExp(`^(?:${wanted.value})$`).test(target) ? 100_000 : -1;
    const prefix = wanted.value.replace(/\/$/, '');
    return target === prefix || target.startsWith(`${prefix}/`) ? prefix.length : -1;
  };
  const holds = (test: RouteMatch['headers'][number], value: string | null): boolean =>
    value !== null &&
    (test.type === 'Exact' ? value === test.value : new RegExp(`^(?:${test.value})$`).test(value));
  const fitting = specs
    .map((candidate, index) => ({
      candidate,
      index,
      host: best(candidate.hostnames, host),
      path: pathRank(candidate.match),
    }))
    .filter(
      ({ candidate, host: hostRank, path: rank }) =>
        candidate.listener === listener &&
        hostRank >= 0 &&
        rank >= 0 &&
        (candidate.match.method === null || candidate.match.method === request.method) &&
        candidate.match.headers.every((test) => holds(test, request.header(test.name))) &&
        candidate.match.queryParams.every((test) => holds(test, request.query(test.name))),
    );
  fitting.sort(
    (a, b) =>
      b.host - a.host ||
      b.path - a.path ||
      Number(b.candidate.match.method !== null) - Number(a.candidate.match.method !== null) ||
      b.candidate.match.headers.length - a.candidate.match.headers.length ||
      b.candidate.match.queryParams.length - a.candidate.match.queryParams.length ||
      a.candidate.createdAt - b.candidate.createdAt ||
      a.index - b.index,
  );
  return fitting[0]?.index ?? null;
}

test('the tables choose as the definition does, also after routes have come and gone', () => {
  fc.assert(
    fc.property(
      fc.array(spec, { maxLength: 25 }),
      fc.array(asked, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(24), { maxLength: 12 }),
      (specs, requests, gone) => {
        const router = new PortRouter<string, number>();
        const tables = new Map(
          LISTENERS.map(({ name, hostnames }) => [name, router.addListener(name, hostnames)]),
        );
        const entries = specs.map((one, index) =>
          routeEntry(one.match, index, {
            createdAt: one.createdAt,
            route: String(index).padStart(4, '0'),
            ruleIndex: 0,
            matchIndex: 0,
          }),
        );
        const hang = (index: number, add: boolean): void => {
          const table = tables.get(specs[index]!.listener)!;
          const entry: RouteEntry<number> = entries[index]!;
          if (add) table.add(specs[index]!.hostnames, entry);
          else table.remove(specs[index]!.hostnames, entry);
        };
        const left = new Set(specs.keys());
        const check = (): void => {
          for (const { host, path: target, method, x, y } of requests) {
            const request: RequestView = {
              method,
              header: (name) => (name === 'x' ? x : y),
              query: (name) => (name === 'x' ? y : x),
            };
            const remaining = specs.map((one, index) =>
              left.has(index) ? one : { ...one, listener: 'gone' },
            );
            const chain = router.chain(host);
            const found = chain === null ? null : findRoute(chain, target, request);
            assert.equal(found?.rule ?? null, reference(remaining, request, host, target));
          }
        };
        for (const index of specs.keys()) hang(index, true);
        check();
        for (const index of gone) {
          if (!left.delete(index)) continue;
          hang(index, false);
        }
        check();
      },
    ),
    { numRuns: 1500 },
  );
});

test('query parameters are found as forms write them', () => {
  assert.equal(queryParameter('?a=1&b=2', 'b'), '2');
  assert.equal(queryParameter('?a=1&a=2', 'a'), '1');
  assert.equal(queryParameter('?a', 'a'), '');
  assert.equal(queryParameter('?x%20y=a+b%21', 'x y'), 'a b!');
  assert.equal(queryParameter('?a=%zz', 'a'), '%zz');
  assert.equal(queryParameter('?ba=1', 'a'), null);
  assert.equal(queryParameter('', 'a'), null);
});
