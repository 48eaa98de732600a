import type { Effects, Event } from '../../../actors/config-stream.ts';
import type { Event as RolloutEvent } from '../../../actors/rollout.ts';
import type { Bindings } from '../../../supervisors/effects.ts';
import type { World } from '../../../supervisors/world.ts';
import type { ActorAddress } from '../../model/actor.ts';
import type { NodeReport, ReportDetail } from '../../model/report.ts';
import { type ResourceKind, resourceKey } from '../../model/resource.ts';
import type { SnapshotChanges } from '../../model/snapshot.ts';
import type { ConfigurationStore } from '../configuration-store.ts';
import type { ConfigStreamClient, StreamEvent } from '../stream/client.ts';

/** Changed keys that an event names, for people who read the journal. */
const KEYS_SHOWN = 32;

export interface StreamWorld {
  readonly store: ConfigurationStore;
  readonly client: () => ConfigStreamClient;
  /** Resolves when it is known what the node holds, which the hello says, and when there is somebody to say it to. */
  readonly mayConnect: () => Promise<unknown>;
  readonly hello: {
    readonly node: string;
    readonly agentVersion: string;
    readonly labels: Record<string, string>;
  };
  readonly report: (detail: ReportDetail) => Promise<NodeReport>;
  readonly rolloutAddress: ActorAddress;
  readonly world: World;
}

/** The stream's effects, and its events as the actor gets them: without their content, which waits here by nonce. */
export function configStreamBindings(options: StreamWorld): {
  readonly bindings: Bindings<Effects, Event>;
  readonly toEvent: (event: StreamEvent) => Event;
} {
  const { store, client, world } = options;
  const contents = new Map<number, SnapshotChanges>();
  let attempt = 0;

  const toEvent = (event: StreamEvent): Event => {
    switch (event.type) {
      case 'update': {
        const { nonce, changes, bytes } = event;
        contents.set(nonce, changes);
        return {
          type: 'update.received',
          nonce,
          base: changes.base,
          version: changes.version,
          upserts: changes.upserts.length,
          removals: changes.removals.length,
          keys: shownKeys(changes),
          bytes,
        };
      }
      case 'disconnected':
        contents.clear();
        return { ...event, draw: world.draw() };
      default:
        return event;
    }
  };

  const bindings: Bindings<Effects, Event> = {
    connect: async () => {
      attempt += 1;
      const mine = attempt;
      await options.mayConnect();
      // It may have been closed meanwhile.
      if (mine === attempt) client().connect({ ...options.hello, snapshotVersion: store.wishedVersion });
      return undefined;
    },
    closeStream: () => {
      attempt += 1;
      client().close();
      return undefined;
    },
    abandonConnect: ({ reason }) => {
      attempt += 1;
      client().close();
      return { type: 'disconnected', reason, draw: world.draw() };
    },
    stageUpdate: ({ nonce }) => {
      const changes = contents.get(nonce);
      if (changes === undefined) throw new Error(`the content of update ${nonce} is gone`);
      contents.delete(nonce);
      const staged = store.stage(changes);
      return staged.ok
        ? { type: 'update.staged', nonce, version: changes.version }
        : { type: 'update.refused', nonce, version: changes.version, reason: staged.reason };
    },
    rollOut: ({ nonce, version }, { send }) => {
      send<RolloutEvent>(options.rolloutAddress, { type: 'changes.staged', nonce, version });
      return undefined;
    },
    ack: ({ nonce, version }) => {
      client().ack(nonce, version);
      return undefined;
    },
    nack: ({ nonce, version, failures, refused }) => {
      client().nack(nonce, version, failures, refused);
      return undefined;
    },
    sendReport: async ({ detail }) => {
      client().report(await options.report(detail));
      return undefined;
    },
  };
  return { bindings, toEvent };
}

/** Who can be found in the journal by other events comes last: listeners and clusters have actors, endpoints pools. */
const NAMED_LATE: Partial<Record<ResourceKind, number>> = { endpoint: 2, cluster: 3, listener: 3 };

function shownKeys({ upserts, removals }: SnapshotChanges): readonly string[] {
  const turns: string[][] = [[], removals.slice(0, KEYS_SHOWN), [], []];
  for (const resource of upserts) {
    const keys = turns[NAMED_LATE[resource.kind] ?? 0]!;
    if (keys.length < KEYS_SHOWN) keys.push(resourceKey(resource));
  }
  return turns.flat().slice(0, KEYS_SHOWN);
}
