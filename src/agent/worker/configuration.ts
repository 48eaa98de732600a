import type { ActorSystem } from '../../../supervisors/system.ts';
import type { DataplaneControl, Preparation } from '../../dataplane/control.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { Listener } from '../../model/gateway.ts';
import type { ResourceKey } from '../../model/resource.ts';
import type { ObjectFailure, SnapshotChanges } from '../../model/snapshot.ts';
import type { Supervision } from '../supervision.ts';
import type { Activity } from './activity.ts';
import { bindFailure } from './bind-failure.ts';
import type { LimitSlotList } from './contract.ts';

/** How a listener that was started for a preparation came out; `code` empty: it is bound. */
interface BindAnswer {
  readonly code: string;
  readonly message: string;
  readonly event: string;
}

interface Open {
  readonly preparation: Preparation;
  readonly binding: readonly Listener[];
  /** Those of them that got an actor of their own for this preparation. */
  readonly started: Set<string>;
  /** Endpoints whose resource goes. */
  readonly endpointsRemoved: readonly { readonly cluster: string; readonly endpoint: string }[];
}

/**
 * Turns the two phases of a change into the lives of listener and pool actors: what is new is started, what goes
 * is asked to stop, what stays is left alone. All of a commit happens in one turn of the event loop.
 */
export class WorkerConfiguration {
  readonly listeners = new Map<string, Listener>();
  readonly clusters = new Map<string, Cluster>();
  readonly #committed = new Set<string>();
  readonly #slots = new Map<string, number>();
  readonly #answers = new Map<string, (answer: BindAnswer) => void>();
  readonly #dataplane: DataplaneControl;
  readonly #supervision: Supervision;
  readonly #system: ActorSystem;
  readonly #bind: string | undefined;
  readonly #activity: Activity;
  #open: Open | null = null;

  constructor(options: {
    readonly dataplane: DataplaneControl;
    readonly supervision: Supervision;
    readonly system: ActorSystem;
    readonly bind: string | undefined;
    /** Where the change and each of its objects are noted, in the words that `culprit` in actors/rollout-memory reads. */
    readonly activity: Activity;
  }) {
    this.#dataplane = options.dataplane;
    this.#supervision = options.supervision;
    this.#system = options.system;
    this.#bind = options.bind;
    this.#activity = options.activity;
  }

  async prepare(changes: SnapshotChanges, slots: LimitSlotList): Promise<readonly ObjectFailure[]> {
    if (this.#open !== null) this.discard();
    for (const [cluster, slot] of slots) this.#slots.set(cluster, slot);
    const preparation = this.#prepareDataplane(changes);
    const refused = new Set(preparation.failures.map((failure) => failure.key));
    const binding = this.#toBind(preparation, changes).filter(
      (listener) => !refused.has(`listener/${listener.name}`),
    );
    const open = {
      preparation,
      binding,
      started: new Set<string>(),
      endpointsRemoved: removedEndpoints(changes),
    };
    this.#open = open;
    const outcomes = await Promise.all(binding.map((listener) => this.#start(listener, open.started)));
    return [...preparation.failures, ...outcomes.filter((failure) => failure !== null)];
  }

  /** What it chokes on changes nothing: then an empty change is open, so that the commit still finds one. */
  #prepareDataplane(changes: SnapshotChanges): Preparation {
    const before = this.#activity.enter('prepare');
    try {
      return this.#dataplane.prepare(changes, (key) => this.#at('prepare', key));
    } catch (error) {
      this.#dataplane.discard();
      const preparation = this.#dataplane.prepare({ ...changes, upserts: [], removals: [] });
      this.#open = { preparation, binding: [], started: new Set(), endpointsRemoved: [] };
      throw error;
    } finally {
      this.#activity.leave(before);
    }
  }

  /** After a throw the activity stays what it was: the thread is to be replaced. */
  commit(rejected: readonly ResourceKey[]): void {
    // Before the activity says what it is at: no object of the change is to blame.
    for (const { name } of this.#open?.binding ?? [])
      if (!rejected.includes(`listener/${name}`)) this.#checkMove(name);
    const before = this.#activity.enter('commit');
    this.#commit(rejected);
    this.#activity.leave(before);
  }

  #at(phase: 'prepare' | 'commit', key: ResourceKey | null): void {
    this.#activity.enter(key === null ? phase : `${phase} ${key}`);
  }

  #commit(rejected: readonly ResourceKey[]): void {
    const open = this.#open;
    if (open === null) throw new Error('nothing is prepared');
    this.#open = null;
    const out = new Set(rejected);
    const accepted = <T extends { readonly name: string }>(kind: string, values: readonly T[]): T[] =>
      values.filter((value) => !out.has(`${kind}/${value.name}`));
    const { clusters, listeners } = open.preparation;

    for (const { name } of open.binding) if (out.has(`listener/${name}`)) this.#abandon(name, open);
    const added = accepted('cluster', clusters.added);
    for (const cluster of added) this.clusters.set(cluster.name, cluster);
    this.#openPools(added);

    this.#dataplane.commit(rejected, (key) => this.#at('commit', key));

    for (const cluster of accepted('cluster', clusters.changed)) {
      this.clusters.set(cluster.name, cluster);
      this.#tell('upstream-pool', cluster.name, { type: 'changed', cluster });
    }
    const bound = accepted('listener', open.binding);
    for (const listener of bound) {
      this.listeners.set(listener.name, listener);
      this.#committed.add(listener.name);
      this.#tell('listener', listener.name, { type: 'commit' });
    }
    for (const listener of accepted('listener', listeners.changed)) {
      if (bound.includes(listener)) continue;
      this.listeners.set(listener.name, listener);
      this.#tell('listener', listener.name, { type: 'changed', listener });
    }
    for (const name of listeners.removed)
      if (!out.has(`listener/${name}`)) this.#forgetListener(name, 'stop');
    for (const { cluster, endpoint } of open.endpointsRemoved)
      if (this.clusters.has(cluster) && !out.has(`endpoint/${cluster}/${endpoint}`))
        this.#tell('upstream-pool', cluster, { type: 'endpoint.removed', endpoint });
    for (const name of clusters.removed) {
      if (out.has(`cluster/${name}`)) continue;
      this.clusters.delete(name);
      this.#tell('upstream-pool', name, { type: 'stop' });
      this.#tell('circuit-breaker', name, { type: 'stop' });
    }
  }

  discard(): void {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    for (const { name } of open.binding) this.#abandon(name, open);
    this.#dataplane.discard();
  }

  /** What an actor needs at its start, also at a restart; undefined: it is no longer wished. */
  input(kind: string, name: string, drainTimeoutMs: number): unknown {
    const listener = this.listeners.get(name);
    const cluster = this.clusters.get(name);
    if (kind === 'listener' && listener !== undefined)
      return { listener, drainTimeoutMs, committed: this.#committed.has(name) };
    if (kind === 'upstream-pool' && cluster !== undefined)
      return { cluster, limitSlot: this.#slot(name), drainTimeoutMs };
    if (kind === 'circuit-breaker' && cluster !== undefined) return { cluster: name };
    return undefined;
  }

  /** Children that a supervisor has when it starts anew. */
  names(kind: string): readonly string[] {
    return kind === 'listener' ? [...this.listeners.keys()] : [...this.clusters.keys()];
  }

  /** A listener that was started for the preparation has been bound, or not. */
  answer(name: string, answer: BindAnswer): void {
    this.#answers.get(name)?.(answer);
    this.#answers.delete(name);
  }

  isCommitted(listener: string): boolean {
    return this.#committed.has(listener);
  }

  #openPools(clusters: readonly Cluster[]): void {
    if (clusters.length === 0) return;
    // A pool can meet its limits as soon as it is open, and then its breaker must be there to hear of it.
    this.#supervision.startChildren(
      'circuit-breaker',
      clusters.map((cluster) => cluster.name),
    );
    const fresh: string[] = [];
    for (const cluster of clusters) {
      const event = { type: 'reopen', cluster, limitSlot: this.#slot(cluster.name) };
      if (this.#system.has(this.#supervision.address('upstream-pool', cluster.name)))
        this.#tell('upstream-pool', cluster.name, event);
      else fresh.push(cluster.name);
    }
    this.#supervision.startChildren('upstream-pool', fresh);
  }

  /** New ones, those that move to another port, and those in use whose actor has been given up. */
  #toBind(preparation: Preparation, changes: SnapshotChanges): Listener[] {
    const wanted = new Map(preparation.listeners.added.map((listener) => [listener.name, listener]));
    for (const listener of preparation.listeners.changed)
      if (this.listeners.get(listener.name)?.port !== listener.port) wanted.set(listener.name, listener);
    for (const resource of changes.upserts) {
      if (resource.kind !== 'listener') continue;
      if (!this.#system.has(this.#supervision.address('listener', resource.value.name)))
        wanted.set(resource.value.name, resource.value);
    }
    return [...wanted.values()];
  }

  async #start(listener: Listener, started: Set<string>): Promise<ObjectFailure | null> {
    const { name } = listener;
    const state = this.#state(name);
    if (state !== undefined && state !== 'draining' && state !== 'listening')
      return bindFailure(listener, this.#bind, 'BUSY', '');
    const answered = new Promise<BindAnswer>((resolve) => {
      this.#answers.set(name, resolve);
    });
    if (state === 'draining' || state === 'listening') {
      if (state === 'draining') {
        this.#committed.delete(name);
        started.add(name);
      }
      this.#tell('listener', name, { type: 'prepare', listener });
    } else {
      this.#committed.delete(name);
      started.add(name);
      this.listeners.set(name, listener);
      this.#supervision.startChildren('listener', [name]);
    }
    const { code, message, event } = await answered;
    return code === '' ? null : bindFailure(listener, this.#bind, code, message, event);
  }

  /**
   * An actor whose socket failed while it was to move began anew where it was, and knows of no move. Rare enough
   * to let this worker be replaced, which a commit that throws leads to.
   */
  #checkMove(name: string): void {
    const state = this.#state(name);
    if (this.#committed.has(name) && (state === 'binding' || state === 'listening'))
      throw new Error(`listener ${name} failed while it was to move`);
  }

  /** A listener that serves as it was before goes on doing so. */
  #abandon(name: string, open: Open): void {
    if (open.started.has(name)) this.#forgetListener(name, 'discard');
    else if (['rebinding', 'rebound'].includes(this.#state(name) ?? ''))
      this.#tell('listener', name, { type: 'discard' });
  }

  #state(listener: string): string | undefined {
    return this.#system.state(this.#supervision.address('listener', listener));
  }

  #forgetListener(name: string, how: 'discard' | 'stop'): void {
    this.#tell('listener', name, { type: how });
    this.#committed.delete(name);
    this.listeners.delete(name);
    this.answer(name, { code: 'DISCARDED', message: 'the preparation was dropped', event: '' });
  }

  #slot(cluster: string): number {
    const slot = this.#slots.get(cluster);
    if (slot === undefined) throw new Error(`cluster ${cluster} has no slot in the shared limits`);
    return slot;
  }

  #tell(
    kind: string,
    name: string,
    event: { readonly type: string; readonly [field: string]: unknown },
  ): void {
    const address = this.#supervision.address(kind, name);
    if (this.#system.has(address)) this.#system.send(address, event);
  }
}

function removedEndpoints(changes: SnapshotChanges): Open['endpointsRemoved'] {
  const removed: { cluster: string; endpoint: string }[] = [];
  for (const key of changes.removals) {
    if (!key.startsWith('endpoint/')) continue;
    const slash = key.lastIndexOf('/');
    removed.push({ cluster: key.slice('endpoint/'.length, slash), endpoint: key.slice(slash + 1) });
  }
  return removed;
}
