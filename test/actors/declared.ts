import type { ActorKind, MACHINES } from '../../actors/catalogue.ts';
import type * as circuitBreaker from '../../actors/circuit-breaker.ts';
import type * as configStream from '../../actors/config-stream.ts';
import type * as dataplaneWorker from '../../actors/dataplane-worker.ts';
import type * as listener from '../../actors/listener.ts';
import type * as rollout from '../../actors/rollout.ts';
import type * as upstreamPool from '../../actors/upstream-pool.ts';

interface Declared<Event extends { readonly type: string }, State extends string, Effects> {
  readonly events: Readonly<Record<Event['type'], 1>>;
  readonly states: Readonly<Record<State, 1>>;
  readonly effects: Readonly<Record<keyof Effects, 1>>;
}

const TIMERS = { startTimer: 1, cancelTimer: 1 } as const;

const circuitBreakerDeclared: Declared<circuitBreaker.Event, circuitBreaker.State, circuitBreaker.Effects> = {
  events: { 'limit.reached': 1, 'limit.cleared': 1, stop: 1 },
  states: { closed: 1, open: 1, stopped: 1 },
  effects: {},
};
const configStreamDeclared: Declared<configStream.Event, configStream.State, configStream.Effects> = {
  events: {
    connected: 1,
    disconnected: 1,
    'update.received': 1,
    'update.staged': 1,
    'update.refused': 1,
    'rollout.finished': 1,
    'report.requested': 1,
    stop: 1,
    'timer.fired': 1,
  },
  states: { connecting: 1, streaming: 1, waiting: 1, stopped: 1 },
  effects: {
    ...TIMERS,
    connect: 1,
    closeStream: 1,
    abandonConnect: 1,
    stageUpdate: 1,
    rollOut: 1,
    ack: 1,
    nack: 1,
    sendReport: 1,
  },
};
const dataplaneWorkerDeclared: Declared<
  dataplaneWorker.Event,
  dataplaneWorker.State,
  dataplaneWorker.Effects
> = {
  events: {
    'worker.ready': 1,
    'worker.exited': 1,
    'worker.hung': 1,
    'worker.unfit': 1,
    'worker.drained': 1,
    'child.exited': 1,
    stop: 1,
    'timer.fired': 1,
  },
  states: { starting: 1, ready: 1, draining: 1, terminating: 1, killing: 1, stopped: 1, lost: 1 },
  effects: {
    ...TIMERS,
    startWorker: 1,
    drainWorker: 1,
    terminateWorker: 1,
    joinRollout: 1,
    leaveRollout: 1,
  },
};
const listenerDeclared: Declared<listener.Event, listener.State, listener.Effects> = {
  events: {
    'listener.bound': 1,
    'listener.refused': 1,
    prepare: 1,
    commit: 1,
    discard: 1,
    changed: 1,
    stop: 1,
    'listener.drained': 1,
    'listener.failed': 1,
    'listener.closed': 1,
    'timer.fired': 1,
  },
  states: {
    binding: 1,
    abandoning: 1,
    bound: 1,
    listening: 1,
    rebinding: 1,
    rebound: 1,
    draining: 1,
    closing: 1,
    closed: 1,
    refused: 1,
    failed: 1,
  },
  effects: {
    ...TIMERS,
    bindListener: 1,
    activateListener: 1,
    drainListener: 1,
    closeListener: 1,
    answerPreparation: 1,
  },
};
const rolloutDeclared: Declared<rollout.Event, rollout.State, rollout.Effects> = {
  events: {
    'worker.joined': 1,
    'worker.left': 1,
    'worker.loaded': 1,
    'changes.staged': 1,
    'worker.prepared': 1,
    'worker.committed': 1,
    'worker.fitted': 1,
    'rollout.settled': 1,
    'object.failed': 1,
    stop: 1,
    'timer.fired': 1,
  },
  states: { idle: 1, loading: 1, admitting: 1, preparing: 1, committing: 1, settling: 1, stopped: 1 },
  effects: {
    ...TIMERS,
    takeChanges: 1,
    returnChanges: 1,
    prepareWorkers: 1,
    commitWorkers: 1,
    loadWorkers: 1,
    settle: 1,
    noteFailures: 1,
    stageRetries: 1,
    reportHung: 1,
    fitWorkers: 1,
    loseObjects: 1,
    putAside: 1,
    refuseWorkers: 1,
    tellStream: 1,
  },
};
const upstreamPoolDeclared: Declared<upstreamPool.Event, upstreamPool.State, upstreamPool.Effects> = {
  events: {
    changed: 1,
    reopen: 1,
    'endpoint.failing': 1,
    'endpoint.recovered': 1,
    'endpoint.removed': 1,
    stop: 1,
    'pool.drained': 1,
    'pool.closed': 1,
    'timer.fired': 1,
  },
  states: { open: 1, draining: 1, closing: 1, closed: 1 },
  effects: { ...TIMERS, openPool: 1, drainPool: 1, closePool: 1, ejectEndpoint: 1, restoreEndpoint: 1 },
};

/**
 * What each machine's types declare, as values: the compiler holds every name here to the types, so that a test can
 * hold the machine to them.
 */
export const DECLARED: Readonly<
  Record<ActorKind, Declared<{ readonly type: string }, string, Record<string, unknown>>>
> = {
  'circuit-breaker': circuitBreakerDeclared,
  'config-stream': configStreamDeclared,
  'dataplane-worker': dataplaneWorkerDeclared,
  listener: listenerDeclared,
  rollout: rolloutDeclared,
  'upstream-pool': upstreamPoolDeclared,
} satisfies Record<keyof typeof MACHINES, unknown>;
