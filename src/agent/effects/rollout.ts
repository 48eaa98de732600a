import type { Event as StreamEvent } from '../../../actors/config-stream.ts';
import type { Event as WorkerEvent } from '../../../actors/dataplane-worker.ts';
import type { Effects, Event } from '../../../actors/rollout.ts';
import type { Bindings, EffectScope } from '../../../supervisors/effects.ts';
import type { ActorAddress } from '../../model/actor.ts';
import { type ResourceSet, resourceKey } from '../../model/resource.ts';
import type { ObjectFailure, SnapshotChanges } from '../../model/snapshot.ts';
import type { ConfigurationStore } from '../configuration-store.ts';
import type { LimitSlots } from '../limit-slots.ts';
import type { LimitSlotList } from '../worker/contract.ts';
import type { WorkerPool } from '../worker-pool.ts';
import type { WorkerThread } from '../worker-thread.ts';

export interface RolloutWorld {
  readonly store: ConfigurationStore;
  readonly limits: LimitSlots;
  readonly pool: () => WorkerPool;
  readonly workerAddress: (worker: number) => ActorAddress;
  readonly streamAddress: ActorAddress;
  /** Called after each round with what came of it. */
  readonly onSettled: (standing: readonly ObjectFailure[]) => void;
  /** Called between rounds with every failure that stands, when there are more. */
  readonly onFailed: (standing: readonly ObjectFailure[]) => void;
  readonly onTaken: () => void;
  /** Failures of listeners in the changes whose ports other programs have. */
  readonly foreignPorts: (
    changes: SnapshotChanges,
    serving: ResourceSet,
  ) => Promise<readonly ObjectFailure[]>;
}

/** The content behind the rollout's versions, and the calls into the workers. */
export function rolloutBindings(world: RolloutWorld): Bindings<Effects, Event> {
  const { store, limits, pool } = world;

  /** A worker that throws at a commit is in no known state: a new one takes its place, if none has yet. */
  const broken = (scope: EffectScope, worker: number, thread: WorkerThread | undefined, message: string) => {
    if (thread === undefined || pool().get(worker) !== thread) return;
    const { doing } = thread;
    scope.send<WorkerEvent>(world.workerAddress(worker), { type: 'worker.unfit', message, doing });
  };

  /** Where a failure does not say itself which event it comes from, it is the one whose step asked. */
  const dated = (failures: readonly ObjectFailure[], { cause }: EffectScope) =>
    failures.map((failure) => (failure.event === undefined ? { ...failure, event: cause } : failure));

  const slotsFor = (changes: SnapshotChanges): { slots: LimitSlotList; failures: ObjectFailure[] } => {
    const slots: (readonly [string, number])[] = [];
    const failures: ObjectFailure[] = [];
    for (const resource of changes.upserts) {
      if (resource.kind !== 'cluster') continue;
      const slot = limits.slot(resource.value.name);
      if (slot !== undefined) slots.push([resource.value.name, slot]);
      else
        failures.push({
          key: `cluster/${resource.value.name}`,
          reason: 'TooManyClusters',
          message: 'no slot is left in the limits that the workers share',
        });
    }
    return { slots, failures };
  };

  const without = (changes: SnapshotChanges, failures: readonly ObjectFailure[]): SnapshotChanges => {
    if (failures.length === 0) return changes;
    const out = new Set(failures.map((failure) => failure.key));
    return { ...changes, upserts: changes.upserts.filter((resource) => !out.has(resourceKey(resource))) };
  };

  /** Without the clusters that got no slot. */
  const content = (all: SnapshotChanges) => {
    const { slots, failures } = slotsFor(all);
    return { changes: without(all, failures), slots, failures };
  };

  const roundContent = async () => {
    const { leftOut } = store;
    const all = content(store.difference());
    const taken = await world.foreignPorts(all.changes, store.serving);
    return {
      changes: without(all.changes, taken),
      slots: all.slots,
      failures: [...leftOut, ...all.failures, ...taken],
    };
  };
  /** The same for all of a round: the worker that goes ahead has ports that the next look would take for foreign. */
  let round: { readonly rollout: number; readonly content: ReturnType<typeof roundContent> } | null = null;

  return {
    takeChanges: () => {
      round = null;
      store.take();
      world.onTaken();
      return undefined;
    },
    returnChanges: () => {
      store.giveBack();
      return undefined;
    },
    prepareWorkers: async ({ rollout, workers }, scope) => {
      if (round?.rollout !== rollout) round = { rollout, content: roundContent() };
      const { changes, slots, failures } = await round.content;
      for (const worker of workers) {
        const answer = (found: readonly ObjectFailure[]) =>
          scope.reply<Event>({
            type: 'worker.prepared',
            worker,
            rollout,
            failures: dated([...failures, ...found], scope),
          });
        const thread = pool().get(worker);
        thread
          ?.call((remote) => remote.prepare(changes, slots, scope.cause))
          .then(answer, (error: Error) => {
            if (pool().get(worker) !== thread) return;
            // What it choked on is not known: nothing of this round goes into use anywhere.
            answer(everything(changes, error.message));
          });
      }
    },
    commitWorkers: ({ rollout, workers, rejected }, scope) => {
      for (const worker of workers) {
        const thread = pool().get(worker);
        thread
          ?.call((remote) => remote.commit(rejected, scope.cause))
          .then(
            () => scope.reply<Event>({ type: 'worker.committed', worker, rollout }),
            (error: Error) => broken(scope, worker, thread, `commit failed: ${error.message}`),
          );
      }
      return undefined;
    },
    fitWorkers: ({ load, workers }, scope) => {
      const { changes, slots, failures } = content(store.whole());
      for (const worker of workers) {
        const thread = pool().get(worker);
        void thread
          ?.call((remote) => remote.prepare(changes, slots, scope.cause))
          .then(
            (found) => {
              // What another worker has given up need not be here either.
              const all = [...failures, ...found].filter(({ key }) => !store.isPartial(key));
              scope.reply<Event>({ type: 'worker.fitted', worker, load, failures: dated(all, scope) });
            },
            (error: Error) =>
              broken(scope, worker, thread, `cannot take the configuration: ${error.message}`),
          );
      }
      return undefined;
    },
    loadWorkers: ({ load, workers, rejected }, scope) => {
      for (const worker of workers) {
        const thread = pool().get(worker);
        void thread
          ?.call((remote) => remote.commit(rejected, scope.cause))
          .then(
            () => scope.reply<Event>({ type: 'worker.loaded', worker, load }),
            (error: Error) =>
              broken(scope, worker, thread, `cannot take the configuration: ${error.message}`),
          );
      }
      return undefined;
    },
    refuseWorkers: ({ workers }, scope) => {
      for (const { worker, failures } of workers) {
        const [first] = failures;
        const more = failures.length > 1 ? `, and ${failures.length - 1} more` : '';
        scope.send<WorkerEvent>(world.workerAddress(worker), {
          type: 'worker.unfit',
          message: `cannot take what other workers serve: ${first?.key}: ${first?.message}${more}`,
          doing: '',
        });
      }
      return undefined;
    },
    putAside: ({ failure: { key, ...failure } }, { cause }) => {
      store.putAside(key === '' ? null : key, { ...failure, event: cause });
      world.onFailed(store.failures);
      return undefined;
    },
    loseObjects: ({ failures }, scope) => {
      store.lose(dated(failures, scope));
      world.onFailed(store.failures);
      return undefined;
    },
    settle: ({ rollout, failures }) => {
      const removed = store.difference().removals;
      const more = store.holdsBack;
      const standing = store.settle(failures);
      const refused = new Set(failures.map((failure) => failure.key));
      for (const key of removed)
        if (key.startsWith('cluster/') && !refused.has(key)) limits.release(key.slice('cluster/'.length));
      world.onSettled(standing);
      return { type: 'rollout.settled', rollout, standing, more };
    },
    noteFailures: ({ failures }) => {
      store.note(failures);
      world.onFailed(store.failures);
      return undefined;
    },
    stageRetries: () => {
      store.stageRetries();
      return undefined;
    },
    reportHung: ({ workers, call }, scope) => {
      for (const worker of workers)
        scope.send<WorkerEvent>(world.workerAddress(worker), { type: 'worker.hung', call });
      return undefined;
    },
    tellStream: ({ nonce, version, failures }, { send }) => {
      // The machine knows no ids of events; the store does.
      const told = failures.map((failure) => store.failure(failure.key) ?? failure);
      send<StreamEvent>(world.streamAddress, { type: 'rollout.finished', nonce, version, failures: told });
      return undefined;
    },
  };
}

function everything(changes: SnapshotChanges, message: string): ObjectFailure[] {
  const keys = [...changes.upserts.map((resource) => resourceKey(resource)), ...changes.removals];
  return keys.map((key) => ({ key, reason: 'PrepareFailed', message }));
}
