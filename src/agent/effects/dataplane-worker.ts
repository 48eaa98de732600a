import type { Effects, Event } from '../../../actors/dataplane-worker.ts';
import type { Event as RolloutEvent } from '../../../actors/rollout.ts';
import type { Bindings } from '../../../supervisors/effects.ts';
import type { ActorAddress } from '../../model/actor.ts';
import type { WorkerPool } from '../worker-pool.ts';

/** Threads as the dataplane-worker actors ask for them. */
export function dataplaneWorkerBindings({
  pool,
  rollout,
  onDrained,
}: {
  readonly pool: () => WorkerPool;
  readonly rollout: ActorAddress;
  /** With the number of client connections that were cut. */
  readonly onDrained: (cut: number) => void;
}): Bindings<Effects, Event> {
  return {
    startWorker: ({ worker }) => {
      pool().start(worker);
      return undefined;
    },
    drainWorker: async ({ worker }) => {
      const thread = pool().get(worker);
      if (thread === undefined) return { type: 'worker.drained', cut: 0 };
      try {
        const cut = await thread.call((remote) => remote.drain());
        onDrained(cut);
        return { type: 'worker.drained', cut };
      } catch {
        // Its exit is an event of its own.
        return undefined;
      }
    },
    terminateWorker: ({ worker }) => {
      pool().get(worker)?.terminate();
      return undefined;
    },
    joinRollout: ({ worker }, { send }) => {
      send<RolloutEvent>(rollout, { type: 'worker.joined', worker });
      return undefined;
    },
    leaveRollout: ({ worker, message }, { send }) => {
      send<RolloutEvent>(rollout, { type: 'worker.left', worker, message, doing: '' });
      return undefined;
    },
  };
}
