import { assign, setup } from 'xstate';
import type { Tag, TimerEffects, TimerFired } from './vocabulary.ts';
import { named, reasons } from './vocabulary.ts';

/**
 * One dataplane worker thread, seen from the main thread. A thread that dies ends the actor in `lost`; its
 * supervisor starts a new one, which starts a new thread.
 *
 *     starting ──ready──> ready ──stop──> draining ──drained|timer──> terminating ──exited|timer──> stopped
 *         └─hung|timer─> killing <─hung─┘          any ──exited──> lost
 *                          └──exited|timer──> lost
 *
 * A thread that a system call holds cannot be ended: after a moment it is abandoned, and a new one started beside it.
 */
export type State = 'starting' | 'ready' | 'draining' | 'terminating' | 'killing' | 'stopped' | 'lost';

export type Event =
  | { readonly type: 'worker.ready' }
  /** `doing`: what the thread was at, as far as it is known; empty is nothing in particular. */
  | {
      readonly type: 'worker.exited';
      readonly code: number;
      readonly message: string;
      readonly doing: string;
    }
  /**
   * It did not answer in time. `call`: what it did not answer; `heartbeat`: its event loop does not turn, for
   * `silentMs`; `start`: it did not come up, though threads did that were started after it.
   */
  | {
      readonly type: 'worker.hung';
      readonly call: string;
      readonly silentMs?: number;
      readonly doing?: string;
    }
  /** It cannot take what other workers serve, or is in no known state since a call into it failed. */
  | { readonly type: 'worker.unfit'; readonly message: string; readonly doing: string }
  | { readonly type: 'worker.drained'; readonly cut: number }
  /** Its own supervision gave up. */
  | { readonly type: 'child.exited'; readonly reason: string; readonly message?: string }
  | { readonly type: 'stop' }
  | TimerFired<Timer>;

export type Timer = 'start' | 'drain' | 'end';

export const REASONS = [
  'started',
  'start_timeout',
  'exited',
  'hung',
  'unfit',
  'gave_up',
  'drain_requested',
  'stopped_while_starting',
  'drained',
  'drain_timeout',
  'terminated',
  'cannot_be_ended',
  'going_away',
  'late_answer',
  'late_timer',
] as const;
export type Reason = (typeof REASONS)[number];

export interface Input {
  readonly worker: number;
  readonly startTimeoutMs: number;
  /** How long the worker may take to drain by itself before it is ended. */
  readonly drainTimeoutMs: number;
}

export interface Context extends Input {
  readonly cut: number;
  readonly code: string;
  readonly message: string;
  /** What the thread was at when it ended or hung. */
  readonly doing: string;
}

export interface Effects extends TimerEffects<Timer> {
  startWorker: { readonly worker: number };
  drainWorker: { readonly worker: number };
  terminateWorker: { readonly worker: number };
  /** Lets go of a thread that does not end, so that another one can take its place. */
  abandonWorker: { readonly worker: number };
  /** Tells the rollout that the worker can take configuration, or no longer can. */
  joinRollout: { readonly worker: number };
  leaveRollout: { readonly worker: number; readonly message: string; readonly doing: string };
}

const because = reasons<Reason>();
const worker = ({ context }: { context: Context }) => ({ worker: context.worker });
const leave = {
  type: 'leaveRollout' as const,
  params: ({ context }: { context: Context }) => ({
    worker: context.worker,
    message: context.message,
    doing: context.doing,
  }),
};

type From<T extends Event['type']> = Extract<Event, { type: T }>;
const noteExit = assign<Context, From<'worker.exited'>, undefined, Event, never>({
  code: ({ event }) => String(event.code),
  message: ({ event }) => event.message,
  doing: ({ event }) => event.doing,
});
const noteHung = assign<Context, From<'worker.hung'>, undefined, Event, never>({
  message: ({ event }) => hungMessage(event),
  doing: ({ event }) => event.doing ?? '',
});

function hungMessage({ call, silentMs }: From<'worker.hung'>): string {
  if (call === 'heartbeat') return `did not answer for ${silentMs} ms`;
  if (call === 'start') return 'did not come up, though threads did that were started after it';
  return `did not answer ${call} in time`;
}

/** What happened to a thread, and what it was at. */
export function whileAt(what: string, doing: string): string {
  return doing === '' ? what : `${what}, while it was at: ${doing}`;
}

/** Room for the worker's own deadline to pass before the thread is ended from outside. */
const DRAIN_GRACE_MS = 1_000;
/**
 * A thread that can be ended ends within some milliseconds, with a large heap on a busy machine within some hundred.
 * To give up on it too early does no harm: if it ends after all, it is forgotten.
 */
const END_MS = 2_000;
const endTimer = { type: 'startTimer' as const, params: { timer: 'end' as const, ms: END_MS } };
const noEndTimer = { type: 'cancelTimer' as const, params: { timer: 'end' as const } };
const abandon = { type: 'abandonWorker' as const, params: worker };

export const machine = setup({
  types: {} as { context: Context; events: Event; input: Input; tags: Tag },
  actions: named<Effects, Reason>(),
  guards: { endTimer: ({ event }) => event.type === 'timer.fired' && event.timer === 'end' },
}).createMachine({
  id: 'dataplane-worker',
  context: ({ input }) => ({ ...input, cut: 0, code: '', message: '', doing: '' }),
  initial: 'starting',
  states: {
    starting: {
      entry: [
        { type: 'startWorker', params: worker },
        { type: 'startTimer', params: ({ context }) => ({ timer: 'start', ms: context.startTimeoutMs }) },
      ],
      exit: { type: 'cancelTimer', params: { timer: 'start' } },
      on: {
        'worker.ready': {
          target: 'ready',
          actions: [{ type: 'joinRollout', params: worker }, because('started')],
        },
        'worker.exited': {
          target: 'lost',
          actions: [noteExit, leave, because('exited')],
        },
        'worker.hung': { target: 'killing', actions: [noteHung, leave, because('hung')] },
        'worker.unfit': { actions: because('late_answer') },
        'child.exited': {
          target: 'killing',
          actions: [
            assign({ message: ({ event }) => event.message ?? event.reason }),
            leave,
            because('gave_up'),
          ],
        },
        'timer.fired': {
          target: 'killing',
          actions: [assign({ message: 'did not start in time' }), leave, because('start_timeout')],
        },
        stop: { target: 'terminating', actions: because('stopped_while_starting') },
      },
    },
    ready: {
      on: {
        'worker.exited': {
          target: 'lost',
          actions: [noteExit, leave, because('exited')],
        },
        'worker.hung': { target: 'killing', actions: [noteHung, leave, because('hung')] },
        'worker.unfit': {
          target: 'killing',
          actions: [
            assign({ message: ({ event }) => event.message, doing: ({ event }) => event.doing }),
            leave,
            because('unfit'),
          ],
        },
        'child.exited': {
          target: 'killing',
          actions: [
            assign({ message: ({ event }) => event.message ?? event.reason }),
            leave,
            because('gave_up'),
          ],
        },
        'timer.fired': { actions: because('late_timer') },
        stop: { target: 'draining', actions: [leave, because('drain_requested')] },
      },
    },
    draining: {
      entry: [
        { type: 'drainWorker', params: worker },
        {
          type: 'startTimer',
          params: ({ context }) => ({ timer: 'drain', ms: context.drainTimeoutMs + DRAIN_GRACE_MS }),
        },
      ],
      exit: { type: 'cancelTimer', params: { timer: 'drain' } },
      on: {
        'worker.drained': {
          target: 'terminating',
          actions: [assign({ cut: ({ event }) => event.cut }), because('drained')],
        },
        'worker.exited': {
          target: 'stopped',
          actions: [assign({ message: ({ event }) => event.message }), because('exited')],
        },
        'timer.fired': { target: 'terminating', actions: because('drain_timeout') },
        'worker.hung': { actions: because('going_away') },
        'worker.unfit': { actions: because('going_away') },
        'child.exited': { actions: because('going_away') },
        stop: { actions: because('going_away') },
      },
    },
    terminating: {
      entry: [{ type: 'terminateWorker', params: worker }, endTimer],
      exit: noEndTimer,
      on: {
        'worker.exited': { target: 'stopped', actions: because('terminated') },
        'worker.ready': { actions: because('late_answer') },
        'worker.drained': { actions: because('late_answer') },
        'worker.hung': { actions: because('going_away') },
        'worker.unfit': { actions: because('going_away') },
        'child.exited': { actions: because('going_away') },
        'timer.fired': [
          {
            guard: 'endTimer',
            target: 'stopped',
            actions: [abandon, because('cannot_be_ended')],
          },
          { actions: because('late_timer') },
        ],
        stop: { actions: because('going_away') },
      },
    },
    killing: {
      entry: [{ type: 'terminateWorker', params: worker }, endTimer],
      exit: noEndTimer,
      on: {
        'worker.exited': { target: 'lost', actions: because('terminated') },
        'worker.ready': { actions: because('late_answer') },
        'worker.hung': { actions: because('going_away') },
        'worker.unfit': { actions: because('going_away') },
        'child.exited': { actions: because('going_away') },
        'timer.fired': [
          {
            guard: 'endTimer',
            target: 'lost',
            actions: [abandon, because('cannot_be_ended')],
          },
          { actions: because('late_timer') },
        ],
        // The supervisor is going away itself: what follows is no longer a failure.
        stop: { target: 'terminating', actions: because('going_away') },
      },
    },
    stopped: { type: 'final' },
    lost: { type: 'final', tags: 'abnormal' },
  },
  output: ({ context }) => whileAt(context.message, context.doing),
});
