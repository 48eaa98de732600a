import { assign, setup } from 'xstate';
import type { Tag, TimerEffects, TimerFired } from './vocabulary.ts';
import { named, reasons } from './vocabulary.ts';

/**
 * One dataplane worker thread, seen from the main thread. A thread that dies ends the actor in `lost`; its
 * supervisor starts a new one, which starts a new thread.
 *
 *     starting ──ready──> ready ──stop──> draining ──drained|timer──> terminating ──exited──> stopped
 *         └─timer──> killing <──hung──┘       any ──exited──> lost
 */
export type State = 'starting' | 'ready' | 'draining' | 'terminating' | 'killing' | 'stopped' | 'lost';

export type Event =
  | { readonly type: 'worker.ready' }
  | { readonly type: 'worker.exited'; readonly code: number; readonly message: string }
  /** It cannot take what other workers serve. */
  | { readonly type: 'worker.unfit'; readonly message: string }
  /** It did not answer in time. */
  | { readonly type: 'worker.hung'; readonly call: string }
  | { readonly type: 'worker.drained'; readonly cut: number }
  /** Its own supervision gave up. */
  | { readonly type: 'child.exited'; readonly reason: string }
  | { readonly type: 'stop' }
  | TimerFired<'start' | 'drain'>;

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
}

export interface Effects extends TimerEffects<'start' | 'drain'> {
  startWorker: { readonly worker: number };
  drainWorker: { readonly worker: number };
  terminateWorker: { readonly worker: number };
  /** Tells the rollout that the worker can take configuration, or no longer can. */
  joinRollout: { readonly worker: number };
  leaveRollout: { readonly worker: number; readonly message: string };
}

const because = reasons<Reason>();
const worker = ({ context }: { context: Context }) => ({ worker: context.worker });
const leave = {
  type: 'leaveRollout' as const,
  params: ({ context }: { context: Context }) => ({ worker: context.worker, message: context.message }),
};

/** Room for the worker's own deadline to pass before the thread is ended from outside. */
const DRAIN_GRACE_MS = 1_000;

export const machine = setup({
  types: {} as { context: Context; events: Event; input: Input; tags: Tag },
  actions: named<Effects, Reason>(),
}).createMachine({
  id: 'dataplane-worker',
  context: ({ input }) => ({ ...input, cut: 0, code: '', message: '' }),
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
          actions: [
            assign({ code: ({ event }) => String(event.code), message: ({ event }) => event.message }),
            leave,
            because('exited'),
          ],
        },
        'worker.hung': { target: 'killing', actions: [leave, because('hung')] },
        'worker.unfit': { actions: because('late_answer') },
        'child.exited': {
          target: 'killing',
          actions: [assign({ message: ({ event }) => event.reason }), leave, because('gave_up')],
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
          actions: [
            assign({ code: ({ event }) => String(event.code), message: ({ event }) => event.message }),
            leave,
            because('exited'),
          ],
        },
        'worker.hung': {
          target: 'killing',
          actions: [
            assign({ message: ({ event }) => `did not answer ${event.call} in time` }),
            leave,
            because('hung'),
          ],
        },
        'worker.unfit': {
          target: 'killing',
          actions: [assign({ message: ({ event }) => event.message }), leave, because('unfit')],
        },
        'child.exited': {
          target: 'killing',
          actions: [assign({ message: ({ event }) => event.reason }), leave, because('gave_up')],
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
      entry: { type: 'terminateWorker', params: worker },
      on: {
        'worker.exited': { target: 'stopped', actions: because('terminated') },
        'worker.ready': { actions: because('late_answer') },
        'worker.drained': { actions: because('late_answer') },
        'worker.hung': { actions: because('going_away') },
        'worker.unfit': { actions: because('going_away') },
        'child.exited': { actions: because('going_away') },
        'timer.fired': { actions: because('late_timer') },
        stop: { actions: because('going_away') },
      },
    },
    killing: {
      entry: { type: 'terminateWorker', params: worker },
      on: {
        'worker.exited': { target: 'lost', actions: because('terminated') },
        'worker.ready': { actions: because('late_answer') },
        'worker.hung': { actions: because('going_away') },
        'worker.unfit': { actions: because('going_away') },
        'child.exited': { actions: because('going_away') },
        'timer.fired': { actions: because('late_timer') },
        // The supervisor is going away itself: what follows is no longer a failure.
        stop: { target: 'terminating', actions: because('going_away') },
      },
    },
    stopped: { type: 'final' },
    lost: { type: 'final', tags: 'abnormal' },
  },
});
