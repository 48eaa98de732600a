import { LimitSlots } from '../../src/agent/limit-slots.ts';
import type { Timeouts } from '../../src/dataplane/timeouts.ts';
import type { Resource, ResourceKey } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import type { ObjectFailure, SnapshotChanges } from '../../src/model/snapshot.ts';
import type { SystemNotice } from '../../supervisors/system.ts';
import type { Prng } from '../prng.ts';
import type { Recorder } from '../world/recorder.ts';
import type { Network } from './network.ts';
import { noShortage } from './shortage.ts';
import type { SocketWatch } from './thread-system.ts';
import { TrafficWorker } from './traffic-worker.ts';

export interface Change {
  readonly upserts: readonly Resource[];
  readonly removals: readonly ResourceKey[];
}

export interface EdgeOptions {
  readonly name: string;
  readonly network: Network;
  readonly prng: Prng;
  readonly recorder: Recorder;
  readonly workers: number;
  readonly timeouts: Partial<Timeouts>;
  readonly drainTimeoutMs: number;
  readonly onSocket: (worker: number, ...socket: Parameters<SocketWatch>) => void;
  readonly onNotice: (notice: SystemNotice) => void;
  readonly onFault: (message: string) => void;
}

/**
 * A node that carries traffic: its workers, the limits they share, and changes of the configuration, prepared on all
 * of them and then committed on all, one change after another.
 */
export class Edge {
  readonly limits: LimitSlots;
  readonly workers: TrafficWorker[] = [];
  /** In use. */
  readonly resources = new Map<ResourceKey, Resource>();
  /** What the process lacks. A worker is not replaced without descriptors, which the scenario `rollout` tries. */
  readonly shortage = noShortage();
  /** Changes that are not committed yet. */
  changing = 0;
  readonly #options: EdgeOptions;
  readonly #slots = new Map<string, number>();
  #last: Promise<void> = Promise.resolve();
  #version = 0;
  #lives = 0;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.limits = new LimitSlots(options.workers);
    for (let worker = 0; worker < options.workers; worker += 1) this.workers.push(this.#start(worker));
  }

  /** The cluster's slot in the shared limits; it keeps it while it drains. */
  slot(cluster: string): number | undefined {
    return this.#slots.get(cluster);
  }

  /** Prepares and commits what `draw` says once the changes before are in use. What is refused stays as it was. */
  change(draw: () => Change): void {
    this.changing += 1;
    this.#last = this.#last
      .then(() => this.#change(draw()))
      .finally(() => {
        this.changing -= 1;
      });
  }

  /** The worker's thread dies and another takes its place, with the configuration in use. */
  restart(worker: number): void {
    this.changing += 1;
    this.#last = this.#last
      .then(async () => {
        if (this.shortage.descriptors) return;
        this.workers[worker]!.thread.end();
        this.limits.takeBack(worker);
        const next = this.#start(worker);
        this.workers[worker] = next;
        const upserts = [...this.resources.values()];
        await next.configuration.prepare({ base: '', version: this.#nextVersion(), upserts, removals: [] }, [
          ...this.#slots,
        ]);
        next.configuration.commit([]);
      })
      .finally(() => {
        this.changing -= 1;
      });
  }

  /** Another value after each change; null: one is under way. */
  get listening(): string | null {
    return this.changing > 0 ? null : String(this.#version);
  }

  stop(): void {
    for (const worker of this.workers) worker.stop();
  }

  #start(worker: number): TrafficWorker {
    const { name, network, prng, recorder, timeouts, drainTimeoutMs, onSocket, onNotice, onFault } =
      this.#options;
    this.#lives += 1;
    return new TrafficWorker({
      node: name,
      worker,
      network,
      prng: prng.split(`worker-${worker}.${this.#lives}`),
      recorder,
      limits: this.limits.memory,
      timeouts,
      drainTimeoutMs,
      shortage: this.shortage,
      onSocket: (socket, change) => onSocket(worker, socket, change),
      onNotice,
      onFault,
    });
  }

  #nextVersion(): string {
    this.#version += 1;
    return String(this.#version);
  }

  async #change({ upserts, removals }: Change): Promise<void> {
    if (upserts.length + removals.length === 0) return;
    const changes: SnapshotChanges = {
      base: String(this.#version),
      version: this.#nextVersion(),
      upserts,
      removals: removals.filter((key) => this.resources.has(key)),
    };
    for (const resource of upserts)
      if (resource.kind === 'cluster')
        this.#slots.set(resource.value.name, this.limits.slot(resource.value.name)!);
    const answers = await Promise.all(
      this.workers.map(({ configuration }) => configuration.prepare(changes, [...this.#slots])),
    );
    const failures: readonly ObjectFailure[] = answers.flat();
    const rejected = [...new Set(failures.map(({ key }) => key))];
    for (const { configuration } of this.workers) configuration.commit(rejected);
    for (const resource of upserts) {
      const key = resourceKey(resource);
      if (!rejected.includes(key)) this.resources.set(key, resource);
    }
    for (const key of removals) {
      if (rejected.includes(key)) continue;
      this.resources.delete(key);
      if (key.startsWith('cluster/')) this.limits.release(key.slice('cluster/'.length));
    }
    if (rejected.length > 0)
      this.#options.recorder.note(
        this.#options.network.clock.now,
        `refused: ${failures.map(({ key, reason }) => `${key} ${reason}`).join(', ')}`,
      );
  }
}
