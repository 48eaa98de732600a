import type { MessagePort } from 'node:worker_threads';
import { parentPort, workerData } from 'node:worker_threads';
import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { Event as RolloutEvent } from '../../../actors/rollout.ts';
import { actorAddress } from '../../../supervisors/address.ts';
import { BEHAVIORS } from '../../../supervisors/behaviors.ts';
import { Journal } from '../../../supervisors/journal.ts';
import { ActorSystem } from '../../../supervisors/system.ts';
import { TREE } from '../../../supervisors/tree.ts';
import type { DataplaneControl, DataplaneNotification, DataplaneOptions } from '../../dataplane/control.ts';
import { checksum, openJournalFile } from '../../os/journal-file.ts';
import { productionWorld } from '../effects/world.ts';
import { JOURNAL_FILE_BYTES, JOURNAL_TOTAL_BYTES } from '../journal-size.ts';
import { shownActors } from '../shown-actors.ts';
import { Supervision, supervisorBindings } from '../supervision.ts';
import { Activity } from './activity.ts';
import { workerBindings } from './bindings.ts';
import { WorkerConfiguration } from './configuration.ts';
import type { WorkerCalls, WorkerMessage, WorkerReport, WorkerSettings } from './contract.ts';
import { threadName } from './contract.ts';
import { notifiedActor } from './notified-actor.ts';
import { releaseHeld } from './release-held.ts';

/** Runs one dataplane and its actors on this worker thread, until the main thread ends it. */
export function runDataplaneWorker(create: (options: DataplaneOptions) => DataplaneControl): void {
  const { settings, calls } = workerData as { settings: WorkerSettings; calls: MessagePort };
  const { node, worker, drainTimeoutMs } = settings;
  const thread = threadName(worker);
  const say = (message: WorkerMessage) => parentPort!.postMessage(message);

  const journalFile = openJournalFile({
    directory: settings.journalDirectory,
    thread,
    fileBytes: JOURNAL_FILE_BYTES,
    totalBytes: JOURNAL_TOTAL_BYTES,
  });
  const journal = new Journal({ writer: journalFile, checksum, after: productionWorld.after });
  process.on('exit', () => journal.flush());

  const dataplane = create({
    worker,
    bind: settings.bind,
    reusePort: settings.reusePort,
    counters: settings.counters,
    limits: settings.limits,
    accessLog: settings.accessLog,
    drainTimeoutMs,
    notify: (notification) => notify(notification),
    register: (registration) => say({ type: 'registered', registration }),
  });

  let cut = 0;
  let drained: (() => void) | null = null;
  const system = new ActorSystem({
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
    activity: new Activity(Activity.memory()),
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
      cause: '',
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

  const api: WorkerCalls = {
    prepare: (changes, slots) => configuration.prepare(changes, slots),
    commit: (rejected) => configuration.commit(rejected),
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
  Comlink.expose(api, nodeEndpoint(calls));
  say({ type: 'ready' });
}
