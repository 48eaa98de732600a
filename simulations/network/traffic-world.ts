import { endpointId } from '../../src/model/endpoint.ts';
import type { Resource } from '../../src/model/resource.ts';
import { dropFreeMemory } from '../../src/os/socket-stream.ts';
import type { SystemNotice } from '../../supervisors/system.ts';
import { SteppingClock } from '../clock.ts';
import { Prng } from '../prng.ts';
import { Recorder } from '../world/recorder.ts';
import { Backend } from './backend.ts';
import { Client, POLITE, type Target } from './client.ts';
import { Edge } from './edge.ts';
import { Ledger } from './ledger.ts';
import { Network } from './network.ts';
import type { SocketHandle } from './socket-handle.ts';
import { drawTopology, hostOf, patience, routes, type Topology } from './topology.ts';

export const EDGE = 'edge-1';

/** Sockets of one kind on one worker, as the network counts them. */
export interface SocketCount {
  /** Descriptors that are open. */
  open: number;
  /** Those whose owner has not been told that they are gone. */
  known: number;
  accepted: number;
}

/** Clients, a node with its workers, backends, and the network between them, on one clock. */
export class TrafficWorld {
  readonly clock = new SteppingClock();
  readonly recorder = new Recorder();
  readonly prng: Prng;
  readonly topology: Topology;
  readonly network: Network;
  readonly ledger: Ledger;
  readonly edge: Edge;
  readonly backends: readonly Backend[];
  readonly clients: readonly Client[];
  readonly polite: Client;
  readonly patienceMs: number;
  readonly notices: SystemNotice[] = [];
  readonly faults: string[] = [];
  /** What clients and backends have found wrong. */
  readonly findings: string[] = [];
  steps = 0;
  #records = 0;
  readonly #upstream = new Map<string, SocketCount>();
  readonly #accepted = new Map<number, SocketCount>();

  constructor(seed: number) {
    dropFreeMemory();
    this.prng = new Prng(String(seed));
    this.topology = drawTopology(this.prng.split('topology'));
    this.patienceMs = patience(this.topology);
    const { clock, recorder, topology, prng } = this;
    const { clusters, endpoints } = topology;
    this.network = new Network({
      clock,
      prng: prng.split('network'),
      style: topology.link,
      windows: topology.windows,
    });
    this.ledger = new Ledger(
      (message) => this.findings.push(message),
      (cluster) => ({
        retry: topology.retries.get(cluster) ?? null,
        mirrors: topology.mirrors.get(cluster) ?? [],
      }),
    );
    const { network, ledger } = this;
    recorder.onRecord(() => {
      this.#records += 1;
    });
    this.edge = new Edge({
      name: EDGE,
      network,
      prng: prng.split('edge'),
      recorder,
      workers: topology.workers,
      timeouts: topology.timeouts,
      drainTimeoutMs: topology.drainTimeoutMs,
      onSocket: (worker, socket, change) => this.#count(worker, socket, change),
      onNotice: (notice) => this.notices.push(notice),
      onFault: (message) => this.faults.push(message),
    });
    this.backends = endpoints.map(
      ({ cluster, address, port }) =>
        new Backend({ network, ledger, prng: prng.split(`backend-${address}`), cluster, address, port }),
    );
    const client = (name: string, manners: Topology['clients'][number]) =>
      new Client({
        network,
        ledger,
        prng: prng.split(name),
        name,
        proxy: EDGE,
        targets: () => this.targets(),
        listening: () => this.edge.listening,
        clusters: clusters.map((each) => each.name),
        mostRequests: topology.http.limits.requestsPerConnection,
        patienceMs: this.patienceMs,
        manners,
        note: (text) => this.note(text),
      });
    this.clients = topology.clients.map((manners, index) => client(`client-${index + 1}`, manners));
    this.polite = client('polite-client', POLITE);
  }

  /** All that the topology has. */
  resources(): Resource[] {
    const { clusters, endpoints, listeners } = this.topology;
    return [
      ...listeners.map((value): Resource => ({ kind: 'listener', value })),
      ...clusters.map((value): Resource => ({ kind: 'cluster', value })),
      ...endpoints.map((value): Resource => ({ kind: 'endpoint', value })),
      ...routes(this.topology),
    ];
  }

  /** The clusters in use, that none of them keeps connections which nobody needs. */
  withoutWarmth(): Resource[] {
    const upserts: Resource[] = [];
    for (const resource of this.edge.resources.values())
      if (resource.kind === 'cluster' && resource.value.warmConnections > 0)
        upserts.push({ kind: 'cluster', value: { ...resource.value, warmConnections: 0 } });
    return upserts;
  }

  /** Ports of the listeners in use. */
  ports(): number[] {
    const ports = new Set<number>();
    for (const resource of this.edge.resources.values())
      if (resource.kind === 'listener') ports.add(resource.value.port);
    return [...ports];
  }

  /** What the listeners in use serve. */
  targets(): Target[] {
    const targets: Target[] = [];
    for (const resource of this.edge.resources.values())
      if (resource.kind === 'listener')
        targets.push({ port: resource.value.port, host: hostOf(resource.value) });
    return targets;
  }

  note(text: string): void {
    this.recorder.note(this.clock.now, text);
  }

  /** Sockets that the worker has to the endpoints of the cluster. */
  upstream(worker: number, cluster: string): SocketCount {
    return count(this.#upstream, `${worker} ${cluster}`);
  }

  /** Sockets that all workers have of clients on that port. */
  accepted(port: number): SocketCount {
    return count(this.#accepted, port);
  }

  /** Lets time pass until `until` (ms), one timer after the other; `look` sees the world after each. */
  async run(until: number, look: () => void): Promise<void> {
    const { clock, edge } = this;
    while (clock.next <= until) {
      const records = this.#records;
      clock.step();
      this.steps += 1;
      // Only actors and changes of the configuration wait for promises; all that follows from it follows now.
      if (edge.changing > 0 || records !== this.#records) await new Promise(setImmediate);
      look();
    }
    clock.skipTo(until);
  }

  #count(worker: number, socket: SocketHandle, change: 'opened' | 'closed' | 'gone'): void {
    let counts: SocketCount;
    if (socket.target === '') counts = this.accepted(socket.acceptedOn);
    else {
      const endpoint = this.topology.endpoints.find((each) => endpointId(each) === socket.target);
      counts = this.upstream(worker, endpoint?.cluster ?? '');
    }
    if (change === 'opened') {
      counts.open += 1;
      counts.known += 1;
      counts.accepted += 1;
    } else if (change === 'closed') counts.open -= 1;
    else counts.known -= 1;
  }
}

function count<Key>(counts: Map<Key, SocketCount>, key: Key): SocketCount {
  let found = counts.get(key);
  if (found === undefined) {
    found = { open: 0, known: 0, accepted: 0 };
    counts.set(key, found);
  }
  return found;
}
