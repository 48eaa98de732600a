import { and, assign, setup } from 'xstate';
import type { ObjectFailure, SnapshotVersion } from '../src/model/snapshot.ts';
import type { Effects, Timer } from './rollout-effects.ts';
import type { Context, Fitted } from './rollout-memory.ts';
import { ahead, crashed, culprit, drop, merge, untakable, without } from './rollout-memory.ts';
import type { Tag, TimerFired } from './vocabulary.ts';
import { backoffMs, named, reasons } from './vocabulary.ts';

/**
 * Brings one configuration to all dataplane workers in two phases, so that an object's version serves on every
 * worker or on none. What any worker cannot prepare is left out everywhere; the rest is committed.
 *
 *     idle ──changes──> preparing ──all answered──> committing ──all answered──> settling ──> idle
 *       └──worker joined──> loading ──all answered──> admitting ──all answered──> idle
 *
 * In each phase one worker goes ahead, and the others follow when it has come through: an object that ends a worker
 * ends that one alone. It is then put aside until it changes, and the round begins again without it.
 *
 * A worker that joins is given what is in use. Where others serve, one that cannot take all of it is replaced, not
 * let in with a part; where nobody does, what one of the joining workers cannot take is in use nowhere.
 *
 * Changes that arrive meanwhile are merged into the next round. The content of changes stays outside: the machine
 * knows counts, versions and failures.
 */
export type State = 'idle' | 'loading' | 'admitting' | 'preparing' | 'committing' | 'settling' | 'stopped';

export type Event =
  | { readonly type: 'worker.joined'; readonly worker: number }
  /** `doing`: what it was at when it ended, see `culprit`; empty is nothing in particular. */
  | {
      readonly type: 'worker.left';
      readonly worker: number;
      readonly message: string;
      readonly doing: string;
    }
  /** It has prepared what is in use elsewhere, except for the failures. */
  | {
      readonly type: 'worker.fitted';
      readonly worker: number;
      readonly load: number;
      readonly failures: readonly ObjectFailure[];
    }
  /** What is in use elsewhere is in use on it too. */
  | { readonly type: 'worker.loaded'; readonly worker: number; readonly load: number }
  | { readonly type: 'changes.staged'; readonly nonce: number; readonly version: SnapshotVersion }
  | {
      readonly type: 'worker.prepared';
      readonly worker: number;
      readonly rollout: number;
      readonly failures: readonly ObjectFailure[];
    }
  | { readonly type: 'worker.committed'; readonly worker: number; readonly rollout: number }
  /**
   * `standing`: every object whose wished version is not in use, also from earlier rollouts. `more`: the round was of
   * last good, and what is wished is the next one's.
   */
  | {
      readonly type: 'rollout.settled';
      readonly rollout: number;
      readonly standing: readonly ObjectFailure[];
      readonly more: boolean;
    }
  /** An object in use stopped working on one worker. */
  | { readonly type: 'object.failed'; readonly failure: ObjectFailure }
  | { readonly type: 'stop' }
  | TimerFired<Timer>;

export type { Effects, Timer } from './rollout-effects.ts';

export const REASONS = [
  'worker_joined',
  'worker_left',
  'worker_unknown',
  'worker_ended_by_object',
  'worker_fitted',
  'worker_cannot_take_all',
  'worker_loaded',
  'changes_staged',
  'changes_merged',
  'worker_prepared',
  'worker_cannot_prepare_all',
  'worker_committed',
  'answer_timeout',
  'settled',
  'settled_with_failures',
  'last_good_settled',
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

export type { Context } from './rollout-memory.ts';

/** How long the first round waits for workers that are being started. */
const GATHER_MS = 1_000;
/** Short at its longest: a port that an agent before us gives up must not stay unserved. */
const RETRY = { baseMs: 250, maxMs: 1_000 };

const because = reasons<Reason>();
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
    ...context.finished,
    failures: context.standing,
  }),
};
const hung = (call: string) => ({
  type: 'reportHung' as const,
  params: ({ context }: { context: Context }) => ({ workers: context.waiting, call }),
});
const giveUpWaiting = assign<Context, From<'timer.fired'>, undefined, Event, never>(({ context }) =>
  without(context, context.waiting),
);

type Left = { readonly context: Context; readonly event: From<'worker.left'> };
const leave = assign<Context, From<'worker.left'>, undefined, Event, never>(({ context, event }) =>
  without(context, [event.worker]),
);
const putAside = {
  type: 'putAside' as const,
  params: ({ event }: Left) => ({ failure: crashed(event) }),
};
const returnChanges = {
  type: 'returnChanges' as const,
  params: ({ context }: { context: Context }) => ({ rollout: context.rollout }),
};
/** The round begins again without what a worker ended over. */
const beginAgain = {
  target: 'idle' as const,
  actions: [
    leave,
    putAside,
    returnChanges,
    assign<Context, From<'worker.left'>, undefined, Event, never>(({ context }) => ({
      pending: true,
      overdue: [
        ...context.overdue.filter(({ worker }) => !context.waiting.includes(worker)),
        ...context.waiting.map((worker) => ({ worker, rollout: context.rollout })),
      ],
    })),
    because('worker_ended_by_object'),
  ],
};

/** What nobody serves is loaded again without the object that a worker ended over. */
const loadWithout = {
  target: 'idle' as const,
  actions: [
    leave,
    putAside,
    { type: 'loseObjects' as const, params: ({ event }: Left) => ({ failures: [crashed(event)] }) },
    assign<Context, From<'worker.left'>, undefined, Event, never>({
      standing: ({ context, event }) => merge([crashed(event)], context.standing),
    }),
    because('worker_ended_by_object'),
  ],
};

type Answer = From<'worker.prepared' | 'worker.committed'>;
/** An answer that nobody waits for; its worker may be through with a round that was broken off. */
const tooLate = [
  assign<Context, Answer, undefined, Event, never>({
    overdue: ({ context, event }) =>
      context.overdue.filter(({ worker, rollout }) => worker !== event.worker || rollout > event.rollout),
  }),
  because('stale_answer'),
];

const stage = assign<Context, From<'changes.staged'>, undefined, Event, never>({
  pending: true,
  nonce: ({ event }) => event.nonce,
  version: ({ event }) => event.version,
});
const noteFailure = [
  assign<Context, From<'object.failed'>, undefined, Event, never>({
    standing: ({ context, event }) => merge([event.failure], context.standing),
  }),
  {
    type: 'noteFailures' as const,
    params: ({ event }: { event: From<'object.failed'> }) => ({ failures: [event.failure] }),
  },
];
const prepareWaiting = [
  ...answerTimer,
  {
    type: 'prepareWorkers' as const,
    params: ({ context }: { context: Context }) => ({ rollout: context.rollout, workers: context.waiting }),
  },
];
const commitWaiting = [
  ...answerTimer,
  {
    type: 'commitWorkers' as const,
    params: ({ context }: { context: Context }) => ({
      rollout: context.rollout,
      workers: context.waiting,
      rejected: context.failures.map((failure) => failure.key),
    }),
  },
];
const cannotTakeAll = ({ failures }: Fitted) => failures.length > 0;
const fitted = assign<Context, From<'worker.fitted'>, undefined, Event, never>(({ context, event }) => ({
  waiting: drop(context.waiting, event.worker),
  fitted: [...context.fitted, { worker: event.worker, failures: event.failures }],
}));
const follow = assign<Context, Event, undefined, Event, never>({
  waiting: ({ context: { queued, proven } }) => (proven ? queued : queued.slice(0, 1)),
  queued: ({ context: { queued, proven } }) => (proven ? [] : queued.slice(1)),
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
    stale: ({ context, event }) =>
      ('rollout' in event && event.rollout !== context.rollout) ||
      ('load' in event && event.load !== context.load),
    unasked: ({ context, event }) => 'worker' in event && !context.waiting.includes(event.worker),
    unknown: ({ context, event }) =>
      'worker' in event && !context.workers.includes(event.worker) && !context.joining.includes(event.worker),
    allAnswered: ({ context }) => context.waiting.length === 0,
    nobody: ({ context }) => context.waiting.length === 0 && context.workers.length === 0,
    cameThrough: ({ context }) => context.waiting.length === 0 && context.queued.length > 0,
    endedByChange: ({ context, event }) =>
      event.type === 'worker.left' &&
      context.workers.includes(event.worker) &&
      culprit(event.doing) !== null &&
      !context.overdue.some(({ worker }) => worker === event.worker),
    // Where others serve it, it is not the object alone.
    endedByLoad: ({ context, event }) =>
      event.type === 'worker.left' && context.workers.length === 0 && Boolean(culprit(event.doing)),
    nobodyCommitted: ({ context }) =>
      context.workers.every((worker) => context.waiting.includes(worker) || context.queued.includes(worker)),
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
    queued: [],
    proven: true,
    overdue: [],
    fitted: [],
    pending: input.pending,
    nonce: input.nonce,
    version: input.version,
    rollout: 0,
    load: 0,
    failures: [],
    standing: [],
    carried: { nonce: input.nonce, version: input.version },
    finished: { nonce: input.nonce, version: input.version },
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
          ...without(context, [event.worker]),
          joining: [...drop(context.joining, event.worker), event.worker],
        })),
        because('worker_joined'),
      ],
    },
    'worker.left': [
      { guard: 'unknown', actions: because('worker_unknown') },
      { actions: [leave, because('worker_left')] },
    ],
    'changes.staged': { actions: [stage, because('changes_merged')] },
    'worker.fitted': { actions: because('stale_answer') },
    'worker.loaded': { actions: because('stale_answer') },
    'worker.prepared': { actions: tooLate },
    'worker.committed': { actions: tooLate },
    'object.failed': { actions: [...noteFailure, because('object_failed')] },
    'timer.fired': [
      { guard: 'retryTimer', actions: [retryJoins, stageRetries, because('retry_joins_next')] },
      { guard: 'gatherTimer', actions: [gathered, because('gathered_long_enough')] },
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
        'changes.staged': { actions: [stage, because('changes_staged')] },
        'object.failed': { actions: [...noteFailure, tellStream, because('object_failed')] },
        'timer.fired': [
          { guard: 'retryTimer', actions: [retryJoins, stageRetries, because('retry_due')] },
          { guard: 'gatherTimer', actions: [gathered, because('gathered_long_enough')] },
          { actions: because('late_timer') },
        ],
      },
    },
    loading: {
      entry: [
        assign({
          load: ({ context }) => context.load + 1,
          waiting: ({ context }) => context.joining,
          fitted: [],
        }),
        ...answerTimer,
        { type: 'fitWorkers', params: ({ context }) => ({ load: context.load, workers: context.joining }) },
      ],
      exit: { type: 'cancelTimer', params: { timer: 'answer' } },
      always: [
        {
          guard: ({ context }) => context.waiting.length === 0 && context.fitted.length === 0,
          target: 'idle',
        },
        {
          guard: ({ context }) => context.waiting.length === 0 && context.workers.length > 0,
          target: 'admitting',
          actions: [
            {
              type: 'refuseWorkers',
              params: ({ context }) => ({ workers: context.fitted.filter(cannotTakeAll) }),
            },
            assign(({ context }) =>
              without(
                context,
                context.fitted.filter(cannotTakeAll).map(({ worker }) => worker),
              ),
            ),
          ],
        },
        {
          guard: ({ context }) => context.waiting.length === 0 && untakable(context).length > 0,
          target: 'admitting',
          actions: [
            { type: 'loseObjects', params: ({ context }) => ({ failures: untakable(context) }) },
            assign({ standing: ({ context }) => merge(untakable(context), context.standing) }),
            tellStream,
          ],
        },
        { guard: 'allAnswered', target: 'admitting' },
      ],
      on: {
        'worker.fitted': [
          { guard: 'stale', actions: because('stale_answer') },
          { guard: 'unasked', actions: because('stale_answer') },
          {
            guard: ({ event }) => event.failures.length > 0,
            actions: [fitted, because('worker_cannot_take_all')],
          },
          { actions: [fitted, because('worker_fitted')] },
        ],
        'worker.left': [
          { guard: 'unknown', actions: because('worker_unknown') },
          { ...loadWithout, guard: 'endedByLoad' },
          { actions: [leave, because('worker_left')] },
        ],
        'timer.fired': timersWhile('load'),
      },
    },
    admitting: {
      entry: [
        assign({ waiting: ({ context }) => context.fitted.map(({ worker }) => worker) }),
        ...answerTimer,
        {
          type: 'loadWorkers',
          params: ({ context }) => ({
            load: context.load,
            workers: context.fitted.map(({ worker }) => worker),
            rejected: untakable(context).map(({ key }) => key),
          }),
        },
      ],
      exit: [{ type: 'cancelTimer', params: { timer: 'answer' } }, assign({ fitted: [] })],
      always: { guard: 'allAnswered', target: 'idle' },
      on: {
        'worker.loaded': [
          { guard: 'stale', actions: because('stale_answer') },
          { guard: 'unasked', actions: because('stale_answer') },
          {
            actions: [
              assign(({ context, event }) => ({
                ...without(context, [event.worker]),
                workers: [...drop(context.workers, event.worker), event.worker],
              })),
              because('worker_loaded'),
            ],
          },
        ],
        'worker.left': [
          { guard: 'unknown', actions: because('worker_unknown') },
          { ...loadWithout, guard: 'endedByLoad' },
          { actions: [leave, because('worker_left')] },
        ],
        'timer.fired': timersWhile('load'),
      },
    },
    preparing: {
      entry: [
        assign(({ context }) => ({
          rollout: context.rollout + 1,
          failures: [],
          pending: false,
          carried: { nonce: context.nonce, version: context.version },
        })),
        assign(({ context }) => ahead(context)),
        { type: 'takeChanges', params: ({ context }) => ({ rollout: context.rollout }) },
        ...prepareWaiting,
      ],
      exit: { type: 'cancelTimer', params: { timer: 'answer' } },
      always: [
        { guard: 'nobody', target: 'idle', actions: [returnChanges, assign({ pending: true })] },
        { guard: 'cameThrough', actions: [follow, ...prepareWaiting] },
        { guard: 'allAnswered', target: 'committing' },
      ],
      on: {
        'worker.prepared': [
          { guard: 'stale', actions: tooLate },
          { guard: 'unasked', actions: because('stale_answer') },
          {
            guard: ({ event }) => event.failures.length > 0,
            actions: [
              assign(({ context, event }) => ({
                waiting: drop(context.waiting, event.worker),
                proven: true,
                failures: merge(context.failures, event.failures),
              })),
              because('worker_cannot_prepare_all'),
            ],
          },
          {
            actions: [
              assign({ waiting: ({ context, event }) => drop(context.waiting, event.worker), proven: true }),
              because('worker_prepared'),
            ],
          },
        ],
        'worker.left': [
          { guard: 'unknown', actions: because('worker_unknown') },
          { ...beginAgain, guard: 'endedByChange' },
          { actions: [leave, because('worker_left')] },
        ],
        'timer.fired': timersWhile('prepare'),
      },
    },
    committing: {
      entry: [assign(({ context }) => ahead(context)), ...commitWaiting],
      exit: { type: 'cancelTimer', params: { timer: 'answer' } },
      always: [
        // It may never have been in use anywhere, so it is not called good.
        { guard: 'nobody', target: 'idle', actions: [returnChanges, assign({ pending: true })] },
        { guard: 'cameThrough', actions: [follow, ...commitWaiting] },
        { guard: 'allAnswered', target: 'settling' },
      ],
      on: {
        'worker.committed': [
          { guard: 'stale', actions: tooLate },
          { guard: 'unasked', actions: because('stale_answer') },
          {
            actions: [
              assign({ waiting: ({ context, event }) => drop(context.waiting, event.worker), proven: true }),
              because('worker_committed'),
            ],
          },
        ],
        'worker.left': [
          { guard: 'unknown', actions: because('worker_unknown') },
          // Once a worker has it in use, the others follow: the lost one is given all of it when it comes back.
          { ...beginAgain, guard: and(['endedByChange', 'nobodyCommitted']) },
          { actions: [leave, because('worker_left')] },
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
            guard: ({ event }) => event.more,
            target: 'idle',
            actions: [
              assign(({ event }) => ({ standing: event.standing, pending: true })),
              because('last_good_settled'),
            ],
          },
          {
            guard: ({ event }) => event.standing.length > 0,
            target: 'idle',
            actions: [
              assign(({ context, event }) => ({ standing: event.standing, finished: context.carried })),
              tellStream,
              because('settled_with_failures'),
            ],
          },
          {
            target: 'idle',
            actions: [
              assign(({ context }) => ({ standing: [], finished: context.carried })),
              tellStream,
              because('settled'),
            ],
          },
        ],
      },
    },
    stopped: { type: 'final' },
  },
});
