import type { ActorKind } from '../../actors/catalogue.ts';
import { CLUSTER_DEFAULTS } from '../../src/model/cluster.ts';
import { LISTENER_DEFAULTS } from '../../src/model/gateway.ts';
import type { ActorEvent, NamedEffect } from '../../supervisors/behavior.ts';

export type WorldEvent = ActorEvent & { readonly [field: string]: unknown };

/**
 * What the world around one actor may say to it, and what it owes: the promises of bindings, data plane, threads and
 * configuration as far as they concern this machine. Timers are the walk's own.
 */
export interface ActorWorld {
  readonly input: unknown;
  /** The machine has named this effect. */
  carryOut(effect: NamedEffect): void;
  /** It has said this. */
  said(event: WorldEvent): void;
  /** What may come next, by the state that others see the actor in. Events with an answer at once come alone. */
  possible(state: string): readonly WorldEvent[];
  /** What will come in the end, even if nothing else happens; at least one of them while anything is outstanding. */
  owed(state: string): readonly WorldEvent[];
}

const CLUSTER = {
  name: 'c',
  ...CLUSTER_DEFAULTS,
  connectTimeoutMs: 1,
  idleTimeoutMs: 1,
  maxConnections: 1,
  maxPendingRequests: 1,
};
const LISTENER = { name: 'a', gateway: 'g', port: 80, protocol: 'HTTP', ...LISTENER_DEFAULTS, hostnames: [] };
const FAILURE = { key: 'listener/a', reason: 'AddressInUse', message: 'in use' };
const STOP: WorldEvent = { type: 'stop' };

/** The data plane counts; the supervisor may stop it at any time. */
function circuitBreaker(): ActorWorld {
  const limits = ['maxConnections', 'maxPendingRequests'];
  const events: WorldEvent[] = [
    ...limits.flatMap((limit) => [
      { type: 'limit.reached', limit },
      { type: 'limit.cleared', limit },
    ]),
    STOP,
  ];
  return {
    input: { cluster: 'c' },
    carryOut: () => {},
    said: () => {},
    possible: () => events,
    owed: () => [],
  };
}

/** A pool drains once each time it is asked to, perhaps after it was wished again; it closes at once. */
function upstreamPool(): ActorWorld {
  const changed: WorldEvent = { type: 'changed', cluster: CLUSTER };
  const reopen: WorldEvent = { type: 'reopen', cluster: CLUSTER, limitSlot: 1 };
  const endpoints = ['e', 'f'].flatMap((endpoint): WorldEvent[] => [
    { type: 'endpoint.failing', endpoint, reason: 'refused', failures: 5 },
    { type: 'endpoint.recovered', endpoint },
  ]);
  const drained: WorldEvent = { type: 'pool.drained' };
  let drains = 0;
  let closing = false;
  return {
    input: { cluster: CLUSTER, limitSlot: 0, drainTimeoutMs: 100 },
    carryOut({ type }) {
      if (type === 'drainPool') drains += 1;
      if (type === 'closePool') closing = true;
    },
    said({ type }) {
      if (type === 'pool.drained') drains -= 1;
    },
    possible(state) {
      const told = drains > 0 ? [...endpoints, drained] : endpoints;
      // What was in the inbox already comes before the answer, nothing new does.
      if (closing) return [...told, STOP, { type: 'pool.closed', cut: 2 }];
      const removed = ['e', 'f'].map((endpoint): WorldEvent => ({ type: 'endpoint.removed', endpoint }));
      const wished = state === 'open' ? [changed, ...removed, reopen] : [reopen];
      return [...told, ...wished, STOP];
    },
    owed: () => (closing ? [{ type: 'pool.closed', cut: 0 }] : []),
  };
}

/** Each bind is answered once, however late; a socket may fail while it is bound; it closes at once. */
function listener(committed: boolean): ActorWorld {
  const bound: WorldEvent = { type: 'listener.bound' };
  const refused: WorldEvent = { type: 'listener.refused', code: 'EADDRINUSE', message: 'in use' };
  const failed: WorldEvent = { type: 'listener.failed', code: 'EIO', message: 'socket failed' };
  const moved: WorldEvent = { type: 'prepare', listener: { ...LISTENER, port: 81 } };
  const changed: WorldEvent = { type: 'changed', listener: LISTENER };
  const commit: WorldEvent = { type: 'commit' };
  const discard: WorldEvent = { type: 'discard' };
  const closed: WorldEvent = { type: 'listener.closed', cut: 1 };
  let binds = 0;
  let drains = false;
  let closing = false;
  return {
    input: { listener: LISTENER, drainTimeoutMs: 100, committed },
    carryOut({ type }) {
      if (type === 'bindListener') binds += 1;
      if (type === 'drainListener') drains = true;
      if (type === 'activateListener') drains = false;
      if (type === 'closeListener') closing = true;
    },
    said({ type }) {
      if (type === 'listener.bound' || type === 'listener.refused') binds -= 1;
      if (type === 'listener.drained') drains = false;
      // A socket that is bound anew takes the place of the one that drains.
      if (type === 'listener.bound') drains = false;
    },
    possible(state) {
      const answers = binds > 0 ? [bound, refused] : [];
      const drained: WorldEvent[] = drains ? [{ type: 'listener.drained' }] : [];
      if (closing) return [closed, STOP, ...drained, ...answers, failed];
      switch (state) {
        case 'binding':
          // A commit here: it failed between preparation and commit, and was started again.
          return [...answers, ...drained, discard, commit, changed, STOP];
        case 'bound':
          return [commit, discard, failed, STOP, ...drained];
        case 'listening':
          return [commit, moved, changed, failed, STOP, ...answers];
        case 'rebinding':
          return [...answers, discard, failed, STOP];
        case 'rebound':
          return [commit, discard, failed, STOP];
        case 'draining':
          return [...drained, ...answers, moved, discard, failed, STOP];
        default:
          return [...answers, ...drained, discard, STOP];
      }
    },
    owed: () => (closing ? [closed] : binds > 0 ? [bound, refused] : []),
  };
}

/** A thread comes up once or not, may end or hang at any time, and ends when it is terminated. */
function dataplaneWorker(): ActorWorld {
  const exited: WorldEvent = { type: 'worker.exited', code: 1, message: 'boom', doing: '' };
  let ready = false;
  let draining = false;
  return {
    input: { worker: 0, startTimeoutMs: 100, drainTimeoutMs: 100 },
    carryOut({ type }) {
      if (type === 'joinRollout') ready = true;
      if (type === 'drainWorker') draining = true;
    },
    said({ type }) {
      if (type === 'worker.drained') draining = false;
    },
    possible(state) {
      const events: WorldEvent[] = [
        exited,
        STOP,
        { type: 'worker.hung', call: 'heartbeat', silentMs: 500, doing: '' },
        { type: 'child.exited', reason: 'gave_up' },
        { type: 'worker.unfit', message: 'it cannot bind listener/a' },
      ];
      if (!ready && !['ready', 'draining'].includes(state)) events.push({ type: 'worker.ready' });
      if (draining) events.push({ type: 'worker.drained', cut: 3 });
      return events;
    },
    owed: (state) => (['terminating', 'killing'].includes(state) ? [exited] : []),
  };
}

/** A connection ends once and says nothing after that; an update is staged at once, a rollout ends whenever it does. */
function configStream(): ActorWorld {
  const disconnected: WorldEvent = { type: 'disconnected', reason: 'reset', draw: 0.5 };
  const rolling = new Set([0]);
  let connection: 'none' | 'connecting' | 'connected' = 'none';
  let nonce = 0;
  let staging = 0;
  let abandoned = false;
  return {
    input: { connectTimeoutMs: 100, reportIntervalMs: 100 },
    carryOut({ type, params }) {
      if (type === 'connect') connection = 'connecting';
      if (type === 'closeStream' || type === 'abandonConnect') connection = 'none';
      if (type === 'abandonConnect') abandoned = true;
      if (type === 'stageUpdate') staging = Number(params.nonce);
      if (type === 'rollOut') rolling.add(Number(params.nonce));
    },
    said({ type }) {
      if (type === 'connected') connection = 'connected';
      if (type === 'disconnected') connection = 'none';
      if (type === 'disconnected') abandoned = false;
      if (type === 'update.staged' || type === 'update.refused') staging = 0;
    },
    possible() {
      const finished = [...rolling].flatMap((done): WorldEvent[] => [
        { type: 'rollout.finished', nonce: done, version: 'v', failures: [] },
        { type: 'rollout.finished', nonce: done, version: 'v', failures: [FAILURE] },
      ]);
      const events: WorldEvent[] = [...finished, STOP];
      // Answers at once, but what the inbox holds already comes first.
      if (staging > 0)
        events.push(
          { type: 'update.staged', nonce: staging, version: 'v' },
          { type: 'update.refused', nonce: staging, version: 'v', reason: 'torn' },
        );
      if (abandoned || connection !== 'none') events.push(disconnected);
      if (connection === 'connecting') events.push({ type: 'connected' });
      if (connection !== 'connected' || staging > 0) return events;
      nonce += 1;
      const update = { nonce, base: '', version: 'v', upserts: 1, removals: 0, keys: [], bytes: 9 };
      return [...events, { type: 'report.requested' }, { type: 'update.received', ...update }];
    },
    owed: () => [],
  };
}

/** Machines whose world is told here; each function gives a fresh world. */
export const WORLDS: Readonly<Partial<Record<ActorKind, readonly (() => ActorWorld)[]>>> = {
  'circuit-breaker': [circuitBreaker],
  'config-stream': [configStream],
  'dataplane-worker': [dataplaneWorker],
  listener: [() => listener(false), () => listener(true)],
  'upstream-pool': [upstreamPool],
};
