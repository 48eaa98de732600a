import type { Cluster } from '../../model/cluster.ts';
import { CLUSTER_DEFAULTS } from '../../model/cluster.ts';
import { CLUSTER_TLS_DEFAULTS } from '../../model/tls.ts';
import { KeyedMemo } from '../memo.ts';
import { clusterSettings } from '../snapshot/cluster-settings.ts';
import { listedEndpoints, sliceEndpoints } from '../snapshot/endpoints.ts';
import { clusterTls } from '../snapshot/tls-settings.ts';
import type { Issue } from '../validate/issue.ts';
import { fullName, type TypedObject } from '../validate/typed-object.ts';
import type { AuthoritiesState, CertificateState, TlsMaterial } from './certificates.ts';
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
import { authoritiesIssues, certificateIssues, certificateKeys } from './listener-certificates.ts';
import { findServicePort, type ServicePort, type SliceGroups } from './services.ts';
import { backendAuthorities, backendCertificate } from './tls-references.ts';

export interface ClusterGraph {
  readonly backends: ReadonlyMap<string, Finding>;
  readonly services: ReadonlyMap<string, Finding>;
}

export const serviceCluster = (service: string, port: number): string => `${service}:${port}`;

type Slices = readonly TypedObject<'EndpointSlice'>[] | undefined;

/** Gives every ProxyBackend, and every port of a Service that a route names, its cluster and endpoints. */
export class ClusterGrapher {
  readonly #backends = new KeyedMemo<
    readonly [
      TypedObject<'ProxyBackend'>,
      TypedObject<'Service'> | undefined,
      Slices,
      CertificateState | undefined,
      AuthoritiesState | undefined,
    ],
    Finding
  >();
  readonly #services = new KeyedMemo<readonly [TypedObject<'Service'>, Slices, string], Finding>();

  /** `wanted`: ports of Services that routes name, as `namespace/name` to sorted port numbers. */
  graph(
    backends: ObjectSet['ProxyBackend'],
    services: ObjectSet['Service'],
    slices: SliceGroups,
    wanted: ReadonlyMap<string, readonly number[]>,
    certificates: TlsMaterial['certificates'],
    authorities: TlsMaterial['authorities'],
  ): ClusterGraph {
    const backendFindings = new Map<string, Finding>();
    for (const backend of backends.values()) {
      const { serviceRef } = backend.content.spec;
      const service = serviceRef === undefined ? undefined : fullName(backend.ref.namespace, serviceRef.name);
      const certificate = backendCertificate(backend);
      const ca = backendAuthorities(backend);
      const inputs = [
        backend,
        service === undefined ? undefined : services.get(service),
        service === undefined ? undefined : slices.get(service),
        certificate === null ? undefined : certificates.get(certificate.name),
        ca === null ? undefined : authorities.get(ca.origin.id),
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
  certificate: CertificateState | undefined,
  trusted: AuthoritiesState | undefined,
): Finding {
  const { spec } = backend.content;
  const issues: Issue[] = [];
  const shown = backendCertificate(backend);
  const states = {
    certificates: new Map(shown === null || certificate === undefined ? [] : [[shown.name, certificate]]),
    authorities: new Map(),
  };
  if (shown !== null) issues.push(...certificateIssues([shown], states));
  const ca = backendAuthorities(backend);
  if (ca !== null) issues.push(...authoritiesIssues(ca, trusted));
  const found =
    spec.serviceRef === undefined || service === undefined
      ? null
      : findServicePort(service, spec.serviceRef.port);
  const spoken = appProtocol(found);
  const value: Cluster = {
    name: backend.name,
    ...clusterSettings(spec),
    protocol: spec.protocol ?? spoken.protocol,
    tls: spec.tls === undefined ? spoken.tls : clusterTls(spec.tls, shown?.name ?? '', trusted?.pem ?? ''),
    maxConcurrentStreams: spec.maxConcurrentStreams,
  };
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
  // Without the authorities it would trust those of the system, which the user has not said.
  const isTrusted = ca === null || trusted?.pem != null;
  return {
    accepted: ACCEPTED,
    resolvedRefs: resolution(issues),
    issues,
    resources: isTrusted ? [keyed({ kind: 'cluster', value }), ...endpoints] : [],
    uses: shown === null ? [] : certificateKeys([shown], states),
  };
}

type Spoken = Pick<Cluster, 'protocol' | 'tls'>;

/** What the port of a Service says of itself (KEP-3726 and the names registered with IANA). */
function appProtocol(port: ServicePort | null): Spoken {
  const { protocol, tls } = CLUSTER_DEFAULTS;
  switch (port?.appProtocol.toLowerCase()) {
    case 'kubernetes.io/h2c':
    case 'grpc':
      return { protocol: 'HTTP2', tls };
    case 'https':
    case 'kubernetes.io/wss':
      return { protocol, tls: CLUSTER_TLS_DEFAULTS };
    default:
      return { protocol, tls };
  }
}

function graphService(service: TypedObject<'Service'>, slices: Slices, ports: string): Finding {
  const resources: KeyedResource[] = [];
  for (const port of ports.split(',').map(Number)) {
    const found = findServicePort(service, port);
    if (found === null) continue;
    const name = serviceCluster(service.name, port);
    resources.push(keyed({ kind: 'cluster', value: { name, ...CLUSTER_DEFAULTS, ...appProtocol(found) } }));
    for (const endpoint of sliceEndpoints(name, found.name, slices ?? [])) resources.push(endpoint);
  }
  return { ...PLAIN, resources };
}
