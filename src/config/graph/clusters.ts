import { CLUSTER_DEFAULTS } from '../../model/cluster.ts';
import { KeyedMemo } from '../memo.ts';
import { clusterSettings } from '../snapshot/cluster-settings.ts';
import { listedEndpoints, sliceEndpoints } from '../snapshot/endpoints.ts';
import type { Issue } from '../validate/issue.ts';
import { fullName, type TypedObject } from '../validate/typed-object.ts';
import {
  ACCEPTED,
  type Finding,
  type KeyedResource,
  keyed,
  type ObjectSet,
  PLAIN,
  resolution,
  unresolved,
} from './finding.ts';
import { findServicePort, type SliceGroups } from './services.ts';

export interface ClusterGraph {
  readonly backends: ReadonlyMap<string, Finding>;
  readonly services: ReadonlyMap<string, Finding>;
}

export const serviceCluster = (service: string, port: number): string => `${service}:${port}`;

type Slices = readonly TypedObject<'EndpointSlice'>[] | undefined;

/** Gives every ProxyBackend, and every port of a Service that a route names, its cluster and endpoints. */
export class ClusterGrapher {
  readonly #backends = new KeyedMemo<
    readonly [TypedObject<'ProxyBackend'>, TypedObject<'Service'> | undefined, Slices],
    Finding
  >();
  readonly #services = new KeyedMemo<readonly [TypedObject<'Service'>, Slices, string], Finding>();

  /** `wanted`: ports of Services that routes name, as `namespace/name` to sorted port numbers. */
  graph(
    backends: ObjectSet['ProxyBackend'],
    services: ObjectSet['Service'],
    slices: SliceGroups,
    wanted: ReadonlyMap<string, readonly number[]>,
  ): ClusterGraph {
    const backendFindings = new Map<string, Finding>();
    for (const backend of backends.values()) {
      const { serviceRef } = backend.content.spec;
      const service = serviceRef === undefined ? undefined : fullName(backend.ref.namespace, serviceRef.name);
      const inputs = [
        backend,
        service === undefined ? undefined : services.get(service),
        service === undefined ? undefined : slices.get(service),
      ] as const;
      backendFindings.set(backend.name, this.#backends.get(backend.name, inputs, graphBackend));
    }
    this.#backends.endRound();

    const serviceFindings = new Map<string, Finding>();
    for (const [name, service] of services) {
      const ports = wanted.get(name);
      if (ports === undefined) serviceFindings.set(name, PLAIN);
      else
        serviceFindings.set(
          name,
          this.#services.get(name, [service, slices.get(name), ports.join()], graphService),
        );
    }
    this.#services.endRound();
    return { backends: backendFindings, services: serviceFindings };
  }
}

function graphBackend(
  backend: TypedObject<'ProxyBackend'>,
  service: TypedObject<'Service'> | undefined,
  slices: Slices,
): Finding {
  const { spec } = backend.content;
  const issues: Issue[] = [];
  const cluster = keyed({
    kind: 'cluster',
    value: {
      name: backend.name,
      ...clusterSettings(spec),
    },
  });
  let endpoints: readonly KeyedResource[] = [];
  if (spec.endpoints !== undefined) endpoints = listedEndpoints(backend.name, spec.endpoints);
  else if (spec.serviceRef !== undefined) {
    const { name, port } = spec.serviceRef;
    const full = fullName(backend.ref.namespace, name);
    if (service === undefined) {
      issues.push(
        unresolved(['spec', 'serviceRef', 'name'], 'ServiceNotFound', `there is no Service ${full}`, name),
      );
    } else {
      const found = findServicePort(service, port);
      if (found === null) {
        issues.push(
          unresolved(
            ['spec', 'serviceRef', 'port'],
            'ServicePortNotFound',
            `Service ${full} has no TCP port ${port}`,
            port,
          ),
        );
      } else if (slices === undefined) {
        issues.push(
          unresolved(
            ['spec', 'serviceRef', 'name'],
            'EndpointSlicesNotFound',
            `Service ${full} has no EndpointSlice`,
            name,
          ),
        );
      } else endpoints = sliceEndpoints(backend.name, found.name, slices);
    }
  }
  return { accepted: ACCEPTED, resolvedRefs: resolution(issues), issues, resources: [cluster, ...endpoints] };
}

function graphService(service: TypedObject<'Service'>, slices: Slices, ports: string): Finding {
  const resources: KeyedResource[] = [];
  for (const port of ports.split(',').map(Number)) {
    const found = findServicePort(service, port);
    if (found === null) continue;
    const name = serviceCluster(service.name, port);
    resources.push(keyed({ kind: 'cluster', value: { name, ...CLUSTER_DEFAULTS } }));
    for (const endpoint of sliceEndpoints(name, found.name, slices ?? [])) resources.push(endpoint);
  }
  return { ...PLAIN, resources };
}
