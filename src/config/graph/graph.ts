import type { Kind } from '../crds/kinds.ts';
import { lastCall } from '../memo.ts';
import type { FileContent } from '../source/file-contents.ts';
import { CertificateGrapher, type TlsMaterial } from './certificates.ts';
import { ClusterGrapher } from './clusters.ts';
import { type Finding, type ObjectSet, PLAIN } from './finding.ts';
import { graphGateways } from './gateways.ts';
import { PolicyGrapher } from './policies.ts';
import { wantedServicePorts } from './references.ts';
import { RouteGrapher } from './routes.ts';
import { groupSlices, type SliceGroups, servicesWithSlices } from './services.ts';
import { type TlsReferences, tlsReferences } from './tls-references.ts';
import { VipGrapher } from './vips.ts';

/** The finding for each object, by kind and then by `namespace/name`. */
export type Graph = Readonly<Record<Kind, ReadonlyMap<string, Finding>>>;

/** For kinds that are only read by others: every object is plain. */
const NOTHING: ReadonlyMap<string, Finding> = new Map();

export const findingOf = (graph: Graph, kind: Kind, name: string): Finding => graph[kind].get(name) ?? PLAIN;

/**
 * Resolves references, decides conflicts and attaches routes to listeners:
 *
 *     ProxyVIP ─────┐
 *     certificates ─┼▶ gateways ─▶ open listeners ─┐
 *     ProxyGateway ─┘                              ▼
 *     ProxyRoute ──────┬────────────────────────▶ routes ◀──┐
 *                      └▶ wanted ports of Services ─┐       │
 *     ProxyBackend ─────────────────────────────────┼▶ clusters
 *     EndpointSlice ─▶ slices by Service ───────────┘
 *
 * Secrets and files become certificates and bundles of authorities first, which gateways and backends name.
 *
 * A step whose inputs did not change is not done again.
 */
export class Grapher {
  readonly #gateways = lastCall(graphGateways);
  readonly #references = lastCall(tlsReferences);
  readonly #certificates = new CertificateGrapher();
  readonly #wanted = lastCall(wantedServicePorts);
  readonly #clusters: ClusterGrapher['graph'];
  readonly #routes: RouteGrapher['graph'];
  readonly #policies: PolicyGrapher['graph'];
  readonly #vips: VipGrapher['graph'];
  readonly #slices: (slices: ObjectSet['EndpointSlice']) => SliceGroups;
  #material: TlsMaterial | null = null;
  #groups: SliceGroups = new Map();
  #withSlices: ReadonlySet<string> = new Set();

  constructor() {
    const clusters = new ClusterGrapher();
    const routes = new RouteGrapher();
    const policies = new PolicyGrapher();
    const vips = new VipGrapher();
    this.#clusters = lastCall((...inputs: Parameters<ClusterGrapher['graph']>) => clusters.graph(...inputs));
    this.#routes = lastCall((...inputs: Parameters<RouteGrapher['graph']>) => routes.graph(...inputs));
    this.#policies = lastCall((...inputs: Parameters<PolicyGrapher['graph']>) => policies.graph(...inputs));
    this.#vips = lastCall((...inputs: Parameters<VipGrapher['graph']>) => vips.graph(...inputs));
    this.#slices = lastCall((slices: ObjectSet['EndpointSlice']) => groupSlices(slices, this.#groups));
  }

  /** Certificates as they were read last. */
  get material(): TlsMaterial | null {
    return this.#material;
  }

  /** Certificates, authorities and files that objects name. */
  references(objects: ObjectSet): TlsReferences {
    return this.#references(objects.ProxyGateway, objects.ProxyBackend);
  }

  /** @param now ms since the epoch: certificates come and go with the time. */
  graph(objects: ObjectSet, files: ReadonlyMap<string, FileContent>, now: number): Graph {
    const { certificates, authorities, secrets, changesAt } = this.#certificates.graph(
      this.references(objects),
      objects.Secret,
      files,
      now,
    );
    this.#material = { certificates, authorities, secrets, changesAt };
    this.#groups = this.#slices(objects.EndpointSlice);
    this.#withSlices = servicesWithSlices(this.#groups, this.#withSlices);
    const gateways = this.#gateways(objects.ProxyGateway, objects.ProxyVIP, certificates, authorities);
    const routes = this.#routes(
      objects.ProxyRoute,
      gateways.listeners,
      objects.ProxyBackend,
      objects.Service,
      this.#withSlices,
    );
    const clusters = this.#clusters(
      objects.ProxyBackend,
      objects.Service,
      this.#groups,
      this.#wanted(objects.ProxyRoute),
      certificates,
      authorities,
    );
    const policies = this.#policies(objects.ProxyPolicy, objects.ProxyGateway, objects.ProxyRoute);
    const vips = this.#vips(objects.ProxyVIP);
    return {
      ProxyGateway: gateways.findings,
      ProxyRoute: routes,
      ProxyBackend: clusters.backends,
      ProxyPolicy: policies,
      ProxyVIP: vips,
      Service: clusters.services,
      EndpointSlice: NOTHING,
      Secret: secrets,
    };
  }
}
