import type { Endpoint } from '../../model/endpoint.ts';
import type { ProxyBackendSpec } from '../crds/proxy-backend.ts';
import { type KeyedResource, keyed } from '../graph/finding.ts';
import type { TypedObject } from '../validate/typed-object.ts';

type Slice = TypedObject<'EndpointSlice'>;

/** Endpoints by slice, then by cluster and port name: a slice that did not change gives the same JS objects. */
const translated = new WeakMap<Slice, Map<string, readonly KeyedResource[]>>();

/** Endpoints that a ProxyBackend lists itself. */
export function listedEndpoints(
  cluster: string,
  endpoints: NonNullable<ProxyBackendSpec['endpoints']>,
): readonly KeyedResource[] {
  return endpoints.map(({ address, port, weight }) =>
    endpoint({ cluster, address, port, weight, ready: true, zone: '', nodeName: '' }),
  );
}

/**
 * Endpoints of all slices of a Service. While an endpoint moves between slices it may be in two of them: it is ready
 * if one says so, and is taken from the first that does.
 */
export function sliceEndpoints(
  cluster: string,
  portName: string,
  slices: readonly Slice[],
): readonly KeyedResource[] {
  if (slices.length === 1) return oneSlice(cluster, portName, slices[0]!);
  const all = new Map<string, KeyedResource>();
  for (const slice of slices) {
    for (const one of oneSlice(cluster, portName, slice)) {
      const known = all.get(one.key);
      if (known === undefined || (isReady(one) && !isReady(known))) all.set(one.key, one);
    }
  }
  return [...all.values()];
}

function oneSlice(cluster: string, portName: string, slice: Slice): readonly KeyedResource[] {
  const known = translated.get(slice) ?? new Map<string, readonly KeyedResource[]>();
  translated.set(slice, known);
  const id = `${cluster} ${portName}`;
  const made = known.get(id) ?? translate(cluster, portName, slice);
  known.set(id, made);
  return made;
}

function translate(cluster: string, portName: string, slice: Slice): readonly KeyedResource[] {
  const all = new Map<string, KeyedResource>();
  for (const { name, port, protocol } of slice.content.ports ?? []) {
    if ((name ?? '') !== portName || port === undefined || (protocol ?? 'TCP') !== 'TCP') continue;
    for (const { addresses, conditions, zone, nodeName } of slice.content.endpoints ?? []) {
      for (const address of addresses) {
        const one = endpoint({
          cluster,
          address,
          port,
          weight: 1,
          // Unknown counts as ready (discovery.k8s.io/v1, EndpointConditions).
          ready: conditions?.ready ?? true,
          zone: zone ?? '',
          nodeName: nodeName ?? '',
        });
        const known = all.get(one.key);
        if (known === undefined || (isReady(one) && !isReady(known))) all.set(one.key, one);
      }
    }
  }
  return [...all.values()];
}

const endpoint = (value: Endpoint): KeyedResource => keyed({ kind: 'endpoint', value });

const isReady = ({ resource }: KeyedResource): boolean =>
  resource.kind === 'endpoint' && resource.value.ready;
