import { parentPort, workerData } from 'node:worker_threads';
import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { Event as RolloutEvent } from '../../../actors/rollout.ts';
import { actorAddress, addressKind, addressName } from '../../../supervisors/address.ts';
import { BEHAVIORS } from '../../../supervisors/behaviors.ts';
import type { JournalRecord } from '../../../supervisors/record.ts';
import { recordId } from '../../../supervisors/record.ts';
import { ActorSystem } from '../../../supervisors/system.ts';
import { TREE } from '../../../supervisors/tree.ts';
import { buildOrdered } from '../../dataplane/balance/table-builder.ts';
import type { DataplaneControl, DataplaneNotification, DataplaneOptions } from '../../dataplane/control.ts';
import { ownSchedule } from '../../os/thread-schedule.ts';
import { productionWorld } from '../effects/world.ts';
import type { TableCalls } from '../hash-tables.ts';
import { shownActors } from '../shown-actors.ts';
import { Supervision, supervisorBindings } from '../supervision.ts';
import { openThreadJournal } from '../thread-journal.ts';
import { Activity } from './activity.ts';
import { workerBindings } from './bindings.ts';
import { WorkerConfiguration } from './configuration.ts';
import type {
  ThreadSettings,
  WorkerCalls,
  WorkerMessage,
  WorkerReport,
  WorkerRole,
  WorkerSettings,
} from './contract.ts';
import { threadName } from './contract.ts';
import { Heartbeat } from './heartbeat.ts';
import { notifiedActor } from './notified-actor.ts';
import { releaseHeld } from './release-held.ts';

type CreateDataplane = (options: DataplaneOptions) => DataplaneControl;

const say = (message: WorkerMessage) => parentPort!.postMessage(message);

/**
 * Makes this thread a dataplane worker as soon as the main thread says which one; until then it is a spare, loaded
 * and idle. Runs until the main thread ends it.
 */
export function runDataplaneWorker(create: CreateDataplane): void {
  const born = workerData as ThreadSettings;
  new Heartbeat(born.heartbeat).start();
  parentPort!.once('message', ({ settings }: WorkerRole) => serve(settings, born, create));
  say({ type: 'loaded', schedule: ownSchedule() });
}

/** Runs one dataplane and its actors. */
function serve(settings: WorkerSettings, born: ThreadSettings, create: CreateDataplane): void {
  const { node, worker, drainTimeoutMs } = settings;
  const thread = threadName(worker);
  const activity = new Activity(born.activity);

  const journal = openThreadJournal({
    directory: settings.journalDirectory,
    thread,
    system: () => system,
    onTrouble: (trouble) => say({ type: 'journal', trouble }),
  });
  // Nobody asks a worker to exit: something threw, or somebody called `process.exit`.
  process.on('exit', () => {
    dataplane.abort();
    journal.flush();
  });

  const tables = Comlink.wrap<TableCalls>(nodeEndpoint(born.tables));
  const dataplane = create({
    worker,
    bind: settings.bind,
    reusePort: settings.reusePort,
    counters: settings.counters,
    limits: settings.limits,
    ticketKeys: settings.ticketKeys,
    accessLog: settings.accessLog,
    drainTimeoutMs,
    notify: (notification) => notify(notification),
    register: (registration) => say({ type: 'registered', registration }),
    buildTable: (request, done) =>
      void tables
        .build(request)
        .catch(() => buildOrdered(request))
        .then(done),
  });

  let interrupted = '';
  let cut = 0;
  let drained: (() => void) | null = null;
  const system: ActorSystem = new ActorSystem({
    node,
    thread,
    world: productionWorld,
    behaviors: BEHAVIORS,
    bindings: {
      ...workerBindings(
        dataplane,
        () => configuration,
        (connections) => {
          cut += connections;
        },
      ),
      supervisor: supervisorBindings(() => supervision),
    },
    journal,
    onNotice: (notice) => say({ type: 'notice', notice }),
    onProcess: (record) => {
      if (record !== null) interrupted = activity.enter(eventActivity(record));
      else activity.leave(interrupted);
    },
    forward: (envelope) => {
      // Its root has ended because it was asked to: that is the answer to `drain`.
      if (envelope.event.type === 'child.exited' && drained !== null) drained();
      else say({ type: 'envelope', envelope });
    },
  });
  const supervision: Supervision = new Supervision({
    node,
    thread,
    tree: TREE.dataplane,
    system: () => system,
    world: productionWorld,
    drainTimeoutMs,
    source: {
      children: (kind) => configuration.names(kind),
      input: (kind, name) => configuration.input(kind, name, drainTimeoutMs),
      gone: () => {},
      killed: (kind, name) => {
        cut += releaseHeld(dataplane, kind, name);
      },
      restarted: () => say({ type: 'restarted' }),
      isolated,
    },
  });
  const configuration = new WorkerConfiguration({
    dataplane,
    supervision,
    system,
    bind: settings.bind,
    activity,
  });

  function notify(notification: DataplaneNotification): void {
    if (notification.type === 'fault') {
      const { message, stack, count } = notification;
      say({ type: 'fault', message, stack, count });
      return;
    }
    system.send(supervision.address(...notifiedActor(notification)), notification);
    if ('cluster' in notification) say({ type: 'backend', notification });
  }

  /** The rollout reports it, and tries it again on all workers where that may help. */
  function isolated(kind: string, name: string, reason: string, event: string): void {
    const resource = kind === 'listener' ? 'listener' : 'cluster';
    configuration.answer(name, { code: 'FAILED', message: reason, event });
    system.deliver<RolloutEvent>({
      to: actorAddress(node, 'main', 'rollout'),
      from: supervision.address(kind, name),
      cause: system.cause,
      event: {
        type: 'object.failed',
        failure: {
          key: `${resource}/${name}`,
          reason: kind === 'listener' ? 'ListenerFailed' : 'PoolFailed',
          message: `gave up on ${thread}: ${reason}`,
          event,
        },
      },
    });
  }

  /** What could end or hold it would cut the requests that it drains. @throws once it was asked to drain */
  function mustStay(): void {
    if (drained !== null) throw new Error('the worker is going away');
  }

  const api: WorkerCalls = {
    prepare: (changes, slots, cause) => {
      mustStay();
      return system.caused(cause, () => configuration.prepare(changes, slots));
    },
    commit: (rejected, cause) => {
      mustStay();
      return system.caused(cause, () => configuration.commit(rejected));
    },
    discard: () => configuration.discard(),
    async drain() {
      configuration.discard();
      await new Promise<void>((resolve) => {
        drained = resolve;
        system.send(supervision.address('supervisor', TREE.dataplane.supervisor), { type: 'stop' });
      });
      journal.flush();
      return cut;
    },
    report(detail): WorkerReport {
      const report = dataplane.report(detail);
      return {
        listeners: report.listeners.map((listener) => ({
          ...listener,
          state: system.state(supervision.address('listener', listener.name)) ?? listener.state,
        })),
        clusters: report.clusters.map((cluster) => ({
          ...cluster,
          breaker: system.state(supervision.address('circuit-breaker', cluster.name)) ?? cluster.breaker,
        })),
        endpoints: report.endpoints,
        actors: shownActors([...system.report(), ...supervision.absent()], detail),
      };
    },
  };

  supervision.startTree(
    TREE.dataplane.supervisor,
    actorAddress(node, 'main', 'dataplane-worker', String(worker)),
  );
  Comlink.expose(api, nodeEndpoint(born.calls));
  say({ type: 'ready' });
}

function eventActivity(record: JournalRecord): string {
  const { actor, event } = record;
  return `event ${recordId(record)} ${event.type} of ${addressKind(actor)}/${addressName(actor)}`;
}
