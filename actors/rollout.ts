import { assign, setup } from 'xstate';
import type { ObjectFailure, SnapshotVersion } from '../src/model/snapshot.ts';
import type { Tag, TimerEffects, TimerFired } from './vocabulary.ts';
import { backoffMs, named, reasons } from './vocabulary.ts';

/**
 * Brings one configuration to all dataplane workers in two phases, so that an object's version serves on every
 * worker or on none. What any worker cannot prepare is left out everywhere; the rest is committed.
 *
 *     idle ──changes──> preparing ──all answered──> committing ──all answered──> settling ──> idle
 *       └──worker joined──> loading (the configuration in use, to the new worker alone) ──> idle
 *
 * Changes that arrive meanwhile are merged into the next round. The content of changes stays outside: the machine
 * knows counts, versions and failures.
 */
export type State = 'idle' | 'loading' | 'preparing' | 'committing' | 'settling' | 'stopped';

export type Event =
  | { readonly type: 'worker.joined'; readonly worker: number }
  /** `doing`: what its thread was at when it ended or hung; empty is nothing in particular. */
  | {
      readonly type: 'worker.left';
      readonly worker: number;
      readonly message: string;
      readonly doing: string;
    }
  /** What is in use elsewhere is in use on it too, except for the failures. */
  | { readonly type: 'worker.loaded'; readonly worker: number; readonly failures: readonly ObjectFailure[] }
  | { readonly type: 'changes.staged'; readonly nonce: number; readonly version: SnapshotVersion }
  | {
      readonly type: 'worker.prepared';
      readonly worker: number;
      readonly rollout: number;
      readonly failures: readonly ObjectFailure[];
    }
  | { readonly type: 'worker.committed'; readonly worker: number; readonly rollout: number }
  /** `standing`: every object whose wished version is not in use, also from earlier rollouts. */
  | {
      readonly type: 'rollout.settled';
      readonly rollout: number;
      readonly standing: readonly ObjectFailure[];
    }
  /** An object in use stopped working on one worker. */
  | { readonly type: 'object.failed'; readonly failure: ObjectFailure }
  | { readonly type: 'stop' }
  | TimerFired<Timer>;

export type Timer = 'answer' | 'retry' | 'gather';

export const REASONS = [
  'worker_joined',
  'worker_left',
  'worker_unknown',
  'worker_loaded',
  'changes_staged',
  'changes_merged',
  'worker_prepared',
  'worker_cannot_prepare_all',
  'worker_committed',
  'answer_timeout',
  'settled',
  'settled_with_failures',
  'object_failed',
  'retry_due',
  'retry_joins_next',
  'gathered_long_enough',
  'stale_answer',
  'late_timer',
  'stopped',
] as const;
export type Reason = (typeof REASONS)[number];

/** Failures that may pass without a change of the configuration; they are tried again. */
export const TRANSIENT_FAILURES: ReadonlySet<string> = new Set([
  'AddressInUse',
  'AddressNotAvailable',
  'TooManyOpenFiles',
  'ListenerBusy',
  'ListenerFailed',
]);

export interface Input {
  /** Workers that take configuration already; they are loaded anew. */
  readonly workers: readonly number[];
  /** Workers that are being started: the first round waits for them a little, to reach all at the same time. */
  readonly expected: readonly number[];
  /** Changes staged before it started. */
  readonly pending: boolean;
  readonly nonce: number;
  readonly version: SnapshotVersion;
  readonly answerTimeoutMs: number;
}

export interface Context {
  readonly answerTimeoutMs: number;
  readonly workers: readonly number[];
  readonly joining: readonly number[];
  readonly expected: readonly number[];
  /** Those whose answer is outstanding. */
  readonly waiting: readonly number[];
  readonly pending: boolean;
  /** Of the last staged update; 0: not from the controller. */
  readonly nonce: number;
  readonly version: SnapshotVersion;
  /** Number of this round, from 1. */
  readonly rollout: number;
  readonly failures: readonly ObjectFailure[];
  readonly standing: readonly ObjectFailure[];
  /** What the current round carries. */
  readonly carried: { readonly nonce: number; readonly version: SnapshotVersion };
  readonly retries: number;
  readonly retryArmed: boolean;
}

export interface Effects extends TimerEffects<Timer> {
  /** Takes all staged changes as the content of this round. */
  takeChanges: { readonly rollout: number };
  /** Puts them back: no worker was left to prepare them. */
  returnChanges: { readonly rollout: number };
  prepareWorkers: { readonly rollout: number; readonly workers: readonly number[] };
  commitWorkers: {
    readonly rollout: number;
    readonly workers: readonly number[];
    readonly rejected: readonly string[];
  };
  loadWorkers: { readonly workers: readonly number[] };
  /** Notes what is in use now; answers `rollout.settled`. */
  settle: { readonly rollout: number; readonly failures: readonly ObjectFailure[] };
  noteFailures: { readonly failures: readonly ObjectFailure[] };
  /** Stages the objects of transient failures again. */
  stageRetries: Record<never, never>;
  reportHung: { readonly workers: readonly number[]; readonly call: string };
  tellStream: {
    readonly nonce: number;
    readonly version: SnapshotVersion;
    readonly failures: readonly ObjectFailure[];
  };
}

/** How long the first round waits for workers that are being started. */
const GATHER_MS = 1_000;
/** Short at its longest: a port that an agent before us gives up must not stay unserved. */
const RETRY = { baseMs: 250, maxMs: 1_000 };

const because = reasons<Reason>();
const drop = (list: readonly number[], worker: number) => list.filter((one) => one !== worker);
const merge = (into: readonly ObjectFailure[], more: readonly ObjectFailure[]) => {
  if (more.length === 0) return into;
  const byKey = new Map(into.map((failure) => [failure.key, failure]));
  for (const failure of more) if (!byKey.has(failure.key)) byKey.set(failure.key, failure);
  return [...byKey.values()];
};
const transient = (context: Context) =>
  context.standing.some((failure) => TRANSIENT_FAILURES.has(failure.reason));

type From<T extends Event['type']> = Extract<Event, { type: T }>;
const answerTimer = [
  {
    type: 'startTimer' as const,
    params: ({ context }: { context: Context }) => ({
      timer: 'answer' as const,
      ms: context.answerTimeoutMs,
    }),
  },
];
const tellStream = {
  type: 'tellStream' as const,
  params: ({ context }: { context: Context }) => ({
    ...context.carried,
    failures: context.standing,
  }),
};
const hung = (call: string) => ({
  type: 'reportHung' as const,
  params: ({ context }: { context: Context }) => ({ workers: context.waiting, call }),
});
const giveUpWaiting = assign<Context, From<'timer.fired'>, undefined, Event, never>({
  workers: ({ context }) => context.workers.filter((worker) => !context.waiting.includes(worker)),
  joining: ({ context }) => context.joining.filter((worker) => !context.waiting.includes(worker)),
  waiting: [],
});

const retryJoins = assign<Context, From<'timer.fired'>, undefined, Event, never>({
  retryArmed: false,
  pending: true,
});
const gathered = assign<Context, From<'timer.fired'>, undefined, Event, never>({ expected: [] });
const stageRetries = { type: 'stageRetries' as const, params: {} };

/** The timers while workers are asked: a retry joins the next round, late gathering is over, a silent worker is left. */
const timersWhile = (call: string) => [
  {
    guard: 'answerTimer' as const,
    actions: [hung(call), giveUpWaiting, because('answer_timeout')],
  },
  { guard: 'retryTimer' as const, actions: [retryJoins, stageRetries, because('retry_joins_next')] },
  { actions: [gathered, because('gathered_long_enough')] },
];

export const machine = setup({
  types: {} as { context: Context; events: Event; input: Input; tags: Tag },
  actions: named<Effects, Reason>(),
  guards: {
    stale: ({ context, event }) => 'rollout' in event && event.rollout !== context.rollout,
    unasked: ({ context, event }) => 'worker' in event && !context.waiting.includes(event.worker),
    unknown: ({ context, event }) =>
      'worker' in event && !context.workers.includes(event.worker) && !context.joining.includes(event.worker),
    allAnswered: ({ context }) => context.waiting.length === 0,
    nobody: ({ context }) => context.waiting.length === 0 && context.workers.length === 0,
    answerTimer: ({ event }) => event.type === 'timer.fired' && event.timer === 'answer',
    gatherTimer: ({ event }) => event.type === 'timer.fired' && event.timer === 'gather',
    retryTimer: ({ event }) => event.type === 'timer.fired' && event.timer === 'retry',
  },
}).createMachine({
  id: 'rollout',
  context: ({ input }) => ({
    answerTimeoutMs: input.answerTimeoutMs,
    workers: [],
    joining: input.workers,
    expected: input.expected,
    waiting: [],
    pending: input.pending,
    nonce: input.nonce,
    version: input.version,
    rollout: 0,
    failures: [],
    standing: [],
    carried: { nonce: input.nonce, version: input.version },
    retries: 0,
    retryArmed: false,
  }),
  initial: 'idle',
  entry: { type: 'startTimer', params: { timer: 'gather', ms: GATHER_MS } },
  on: {
    'worker.joined': {
      actions: [
        // Joined again: a new thread under the old number, which knows nothing.
        assign(({ context, event }) => ({
          workers: drop(context.workers, event.worker),
          waiting: drop(context.waiting, event.worker),
          joining: [...drop(context.joining, event.worker), event.worker],
          expected: drop(context.expected, event.worker),
        })),
        because('worker_joined'),
      ],
    },
    'worker.left': [
      { guard: 'unknown', actions: because('worker_unknown') },
      {
        actions: [
          assign(({ context, event }) => ({
            workers: drop(context.workers, event.worker),
            joining: drop(context.joining, event.worker),
            expected: drop(context.expected, event.worker),
            waiting: drop(context.waiting, event.worker),
          })),
          because('worker_left'),
        ],
      },
    ],
    'changes.staged': {
      actions: [
        assign({
          pending: true,
          nonce: ({ event }) => event.nonce,
          version: ({ event }) => event.version,
        }),
        because('changes_merged'),
      ],
    },
    'worker.loaded': { actions: because('stale_answer') },
    'worker.prepared': { actions: because('stale_answer') },
    'worker.committed': { actions: because('stale_answer') },
    'object.failed': {
      actions: [
        assign({
          standing: ({ context, event }) => merge([event.failure], context.standing),
        }),
        { type: 'noteFailures', params: ({ event }) => ({ failures: [event.failure] }) },
        because('object_failed'),
      ],
    },
    'timer.fired': [
      {
        guard: 'retryTimer',
        actions: [
          assign({ retryArmed: false, pending: true }),
          { type: 'stageRetries', params: {} },
          because('retry_joins_next'),
        ],
      },
      { guard: 'gatherTimer', actions: [assign({ expected: [] }), because('gathered_long_enough')] },
      { actions: because('late_timer') },
    ],
    stop: { target: '.stopped', actions: because('stopped') },
  },
  states: {
    idle: {
      always: [
        { guard: ({ context }) => context.joining.length > 0, target: 'loading' },
        {
          guard: ({ context }) =>
            context.pending && context.workers.length > 0 && context.expected.length === 0,
          target: 'preparing',
        },
        {
          guard: ({ context }) => transient(context) && !context.retryArmed,
          actions: [
            {
              type: 'startTimer',
              params: ({ context }) => ({ timer: 'retry', ms: backoffMs(RETRY, context.retries, 0) }),
            },
            assign({ retryArmed: true, retries: ({ context }) => context.retries + 1 }),
          ],
        },
        {
          guard: ({ context }) => !transient(context) && context.retries > 0,
          actions: [
            { type: 'cancelTimer', params: { timer: 'retry' } },
            assign({ retryArmed: false, retries: 0 }),
          ],
        },
      ],
      on: {
        'changes.staged': {
          actions: [
            assign({
              pending: true,
              nonce: ({ event }) => event.nonce,
              version: ({ event }) => event.version,
            }),
            because('changes_staged'),
          ],
        },
        'object.failed': {
          actions: [
            assign({
              standing: ({ context, event }) => merge([event.failure], context.standing),
            }),
            { type: 'noteFailures', params: ({ event }) => ({ failures: [event.failure] }) },
            tellStream,
            because('object_failed'),
          ],
        },
        'timer.fired': [
          {
            guard: 'retryTimer',
            actions: [
              assign({ retryArmed: false, pending: true }),
              { type: 'stageRetries', params: {} },
              because('retry_due'),
            ],
          },
          { guard: 'gatherTimer', actions: [assign({ expected: [] }), because('gathered_long_enough')] },
          { actions: because('late_timer') },
        ],
      },
    },
    loading: {
      entry: [
        assign({ waiting: ({ context }) => context.joining, failures: [] }),
        ...answerTimer,
        { type: 'loadWorkers', params: ({ context }) => ({ workers: context.joining }) },
      ],
      exit: { type: 'cancelTimer', params: { timer: 'answer' } },
      always: [
        {
          guard: ({ context }) => context.waiting.length === 0 && context.failures.length > 0,
          target: 'idle',
          actions: [
            { type: 'noteFailures', params: ({ context }) => ({ failures: context.failures }) },
            assign({ standing: ({ context }) => merge(context.failures, context.standing) }),
            tellStream,
          ],
        },
        { guard: 'allAnswered', target: 'idle' },
      ],
      on: {
        'worker.loaded': [
          { guard: 'unasked', actions: because('stale_answer') },
          {
            actions: [
              assign(({ context, event }) => ({
                waiting: drop(context.waiting, event.worker),
                joining: drop(context.joining, event.worker),
                workers: [...drop(context.workers, event.worker), event.worker],
                failures: merge(context.failures, event.failures),
              })),
              because('worker_loaded'),
            ],
          },
        ],
        'timer.fired': timersWhile('load'),
      },
    },
    preparing: {
      entry: [
        assign(({ context }) => ({
          rollout: context.rollout + 1,
          waiting: context.workers,
          failures: [],
          pending: false,
          carried: { nonce: context.nonce, version: context.version },
        })),
        { type: 'takeChanges', params: ({ context }) => ({ rollout: context.rollout }) },
        ...answerTimer,
        {
          type: 'prepareWorkers',
          params: ({ context }) => ({ rollout: context.rollout, workers: context.workers }),
        },
      ],
      exit: { type: 'cancelTimer', params: { timer: 'answer' } },
      always: [
        {
          guard: 'nobody',
          target: 'idle',
          actions: [
            { type: 'returnChanges', params: ({ context }) => ({ rollout: context.rollout }) },
            assign({ pending: true }),
          ],
        },
        { guard: 'allAnswered', target: 'committing' },
      ],
      on: {
        'worker.prepared': [
          { guard: 'stale', actions: because('stale_answer') },
          { guard: 'unasked', actions: because('stale_answer') },
          {
            guard: ({ event }) => event.failures.length > 0,
            actions: [
              assign(({ context, event }) => ({
                waiting: drop(context.waiting, event.worker),
                failures: merge(context.failures, event.failures),
              })),
              because('worker_cannot_prepare_all'),
            ],
          },
          {
            actions: [
              assign({ waiting: ({ context, event }) => drop(context.waiting, event.worker) }),
              because('worker_prepared'),
            ],
          },
        ],
        'timer.fired': timersWhile('prepare'),
      },
    },
    committing: {
      entry: [
        assign({ waiting: ({ context }) => context.workers }),
        ...answerTimer,
        {
          type: 'commitWorkers',
          params: ({ context }) => ({
            rollout: context.rollout,
            workers: context.workers,
            rejected: context.failures.map((failure) => failure.key),
          }),
        },
      ],
      exit: { type: 'cancelTimer', params: { timer: 'answer' } },
      always: { guard: 'allAnswered', target: 'settling' },
      on: {
        'worker.committed': [
          { guard: 'stale', actions: because('stale_answer') },
          { guard: 'unasked', actions: because('stale_answer') },
          {
            actions: [
              assign({ waiting: ({ context, event }) => drop(context.waiting, event.worker) }),
              because('worker_committed'),
            ],
          },
        ],
        'timer.fired': timersWhile('commit'),
      },
    },
    settling: {
      entry: {
        type: 'settle',
        params: ({ context }) => ({ rollout: context.rollout, failures: context.failures }),
      },
      on: {
        'rollout.settled': [
          { guard: 'stale', actions: because('stale_answer') },
          {
            guard: ({ event }) => event.standing.length > 0,
            target: 'idle',
            actions: [
              assign({ standing: ({ event }) => event.standing }),
              tellStream,
              because('settled_with_failures'),
            ],
          },
          {
            target: 'idle',
            actions: [assign({ standing: [] }), tellStream, because('settled')],
          },
        ],
      },
    },
    stopped: { type: 'final' },
  },
});
