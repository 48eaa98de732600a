import { type Endpoint, endpointId } from '../model/endpoint.ts';
import type { EndpointReport } from '../model/report.ts';

/** `degraded`: works in part; `unknown`: nobody has reported. */
export type Health = 'good' | 'degraded' | 'bad' | 'unknown';

export interface EndpointHealth {
  readonly endpoint: string;
  readonly health: Health;
  /** Why it is not good, and where. */
  readonly note: string;
}

interface NodeEndpoints {
  readonly node: string;
  readonly endpoints: readonly EndpointReport[];
}

/** What all nodes together say of each endpoint, by cluster; endpoints that no node has reported are `unknown`. */
export function endpointHealth(
  configured: readonly Endpoint[],
  nodes: readonly NodeEndpoints[],
): ReadonlyMap<string, readonly EndpointHealth[]> {
  const seen = new Map<string, Map<string, { node: string; report: EndpointReport }[]>>();
  for (const { node, endpoints } of nodes) {
    for (const report of endpoints)
      entry(entry(seen, report.cluster, newMap), report.endpoint, newList).push({ node, report });
  }
  for (const endpoint of configured) {
    entry(entry(seen, endpoint.cluster, newMap), endpointId(endpoint), newList);
  }
  const unready = new Set(
    configured.filter(({ ready }) => !ready).map((endpoint) => `${endpoint.cluster} ${endpointId(endpoint)}`),
  );
  return new Map(
    [...seen].map(([cluster, endpoints]) => [
      cluster,
      [...endpoints].map(([endpoint, reports]) =>
        verdict(endpoint, reports, unready.has(`${cluster} ${endpoint}`)),
      ),
    ]),
  );
}

const newMap = () => new Map<string, { node: string; report: EndpointReport }[]>();
const newList = (): { node: string; report: EndpointReport }[] => [];

function entry<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = create();
    map.set(key, value);
  }
  return value;
}

function verdict(
  endpoint: string,
  reports: readonly { node: string; report: EndpointReport }[],
  unready: boolean,
): EndpointHealth {
  if (unready || reports.some(({ report }) => report.health === 'unready')) {
    return { endpoint, health: 'bad', note: 'not ready' };
  }
  const failing = reports.filter(({ report }) => report.health === 'failing');
  if (failing.length > 0) {
    const reason = failing[0]!.report.reason;
    const where = reports.length === 1 ? '' : ` on ${failing.map(({ node }) => node).join(', ')}`;
    return {
      endpoint,
      health: failing.length === reports.length ? 'bad' : 'degraded',
      note: `failing${where}${reason === '' ? '' : `: ${reason}`}`,
    };
  }
  return reports.length === 0
    ? { endpoint, health: 'unknown', note: 'no node has reported' }
    : { endpoint, health: 'good', note: '' };
}

/** Of a group: good when all are, bad when none is, unknown while none is known to be good and one may be. */
export function groupHealth(members: readonly Health[]): Health {
  if (members.length > 0 && members.every((health) => health === 'good')) return 'good';
  if (members.some((health) => health === 'good' || health === 'degraded')) return 'degraded';
  return members.includes('unknown') ? 'unknown' : 'bad';
}

/** `2/3 healthy`, `0/3 healthy, 2 unknown`, `no endpoints`. */
export function healthSummary(members: readonly Health[]): string {
  if (members.length === 0) return 'no endpoints';
  const of = (wanted: Health): number => members.filter((health) => health === wanted).length;
  const unknown = of('unknown');
  return `${of('good')}/${members.length} healthy${unknown === 0 ? '' : `, ${unknown} unknown`}`;
}
