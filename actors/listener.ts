import { assign, setup } from 'xstate';
import type { Listener } from '../src/model/gateway.ts';
import type { Tag, TimerEffects, TimerFired } from './vocabulary.ts';
import { named, reasons } from './vocabulary.ts';

/**
 * One listener on one dataplane worker.
 *
 *     binding ──bound──> bound ──commit──> listening ──remove──> draining ──drained|timer──> closing ──> closed
 *        │                 └──discard──────────────────────────────────────────────────────────┘
 *        └─refused──> refused (answers the preparation)   or   failed (was in use: its supervisor restarts it)
 *
 * A listener that moves to another port is bound there while it serves on the old one:
 *
 *     listening ──prepare──> rebinding ──bound──> rebound ──commit|discard──> listening
 *                                └─refused──> listening
 *
 * and one that is wished again while it drains is bound anew: draining ──prepare──> binding ──refused──> draining.
 */
export type State =
  | 'binding'
  | 'abandoning'
  | 'bound'
  | 'listening'
  | 'rebinding'
  | 'rebound'
  | 'draining'
  | 'closing'
  | 'closed'
  | 'refused'
  | 'failed';

export type Event =
  | { readonly type: 'listener.bound' }
  | { readonly type: 'listener.refused'; readonly code: string; readonly message: string }
  /** Bind it as it is to be, for a change that is being prepared. */
  | { readonly type: 'prepare'; readonly listener: Listener }
  | { readonly type: 'commit' }
  | { readonly type: 'discard' }
  | { readonly type: 'changed'; readonly listener: Listener }
  | { readonly type: 'stop' }
  | { readonly type: 'listener.drained' }
  | { readonly type: 'listener.failed'; readonly code: string; readonly message: string }
  | { readonly type: 'listener.closed'; readonly cut: number }
  | TimerFired<'drain'>;

export const REASONS = [
  'bound',
  'bound_again',
  'moves_to_another_port',
  'wished_again',
  'bind_refused',
  'bind_abandoned',
  'committed',
  'already_committed',
  'discarded',
  'changed',
  'drain_requested',
  'already_draining',
  'drained',
  'drain_timeout',
  'socket_failed',
  'closed',
  'late_answer',
  'late_timer',
  'going_away',
] as const;
export type Reason = (typeof REASONS)[number];

export interface Input {
  readonly listener: Listener;
  readonly drainTimeoutMs: number;
  /** True when it was in use before: it serves as soon as it is bound. */
  readonly committed: boolean;
}

export interface Context extends Input {
  /** As it will be once the change is committed; null: no change is prepared. */
  readonly candidate: Listener | null;
  /** What still has to be closed of the socket before, where it is bound anew while it drains. */
  readonly before: 'nothing' | 'draining' | 'drained';
  /** Connections cut at the end. */
  readonly cut: number;
  /** The system's code of the last failure; empty is none. */
  readonly code: string;
  readonly message: string;
}

export interface Effects extends TimerEffects<'drain'> {
  bindListener: { readonly listener: Listener };
  activateListener: { readonly name: string };
  drainListener: { readonly name: string };
  closeListener: { readonly name: string };
  /** Tells whoever prepared it; `code` empty: it is bound. */
  answerPreparation: { readonly name: string; readonly code: string; readonly message: string };
}

const because = reasons<Reason>();
const name = ({ context }: { context: Context }) => ({ name: context.listener.name });

const failed = {
  target: 'failed' as const,
  actions: [
    assign<Context, Extract<Event, { type: 'listener.failed' }>, undefined, Event, never>({
      code: ({ event }) => event.code,
      message: ({ event }) => event.message,
    }),
    { type: 'closeListener' as const, params: name },
    because('socket_failed'),
  ],
};

const refusal = [
  {
    type: 'answerPreparation' as const,
    params: ({
      context,
      event,
    }: {
      context: Context;
      event: Extract<Event, { type: 'listener.refused' }>;
    }) => ({ name: context.listener.name, code: event.code, message: event.message }),
  },
  because('bind_refused'),
];

export const machine = setup({
  types: {} as { context: Context; events: Event; input: Input; tags: Tag },
  actions: named<Effects, Reason>(),
  guards: {
    committed: ({ context }) => context.committed,
    stillDrains: ({ context }) => context.before === 'draining',
    hasDrained: ({ context }) => context.before === 'drained',
  },
}).createMachine({
  id: 'listener',
  context: ({ input }) => ({ ...input, candidate: null, before: 'nothing', cut: 0, code: '', message: '' }),
  initial: 'binding',
  states: {
    binding: {
      entry: { type: 'bindListener', params: ({ context }) => ({ listener: context.listener }) },
      on: {
        'listener.bound': [
          {
            guard: 'committed',
            target: 'listening',
            actions: [{ type: 'activateListener', params: name }, because('bound_again')],
          },
          {
            target: 'bound',
            actions: [
              assign({ before: 'nothing' }),
              {
                type: 'answerPreparation',
                params: ({ context }) => ({ name: context.listener.name, code: '', message: '' }),
              },
              because('bound'),
            ],
          },
        ],
        'listener.refused': [
          {
            guard: 'committed',
            target: 'failed',
            actions: [
              assign({ code: ({ event }) => event.code, message: ({ event }) => event.message }),
              because('bind_refused'),
            ],
          },
          { guard: 'stillDrains', target: 'draining', actions: refusal },
          { guard: 'hasDrained', target: 'closing', actions: refusal },
          { target: 'refused', actions: refusal },
        ],
        changed: {
          actions: [assign({ listener: ({ event }) => event.listener }), because('changed')],
        },
        commit: { actions: [assign({ committed: true }), because('committed')] },
        // Of the socket before, when it was wished again while it drained.
        'listener.drained': { actions: [assign({ before: 'drained' }), because('drained')] },
        'listener.failed': [
          {
            guard: ({ context }) => context.before !== 'nothing',
            actions: [assign({ before: 'drained' }), because('socket_failed')],
          },
          { actions: because('late_answer') },
        ],
        discard: { target: 'abandoning', actions: because('bind_abandoned') },
        stop: { target: 'abandoning', actions: because('bind_abandoned') },
      },
    },
    // The bind is under way and cannot be taken back: its outcome must be seen before the socket can be closed.
    abandoning: {
      on: {
        'listener.bound': { target: 'closing', actions: because('bind_abandoned') },
        'listener.refused': [
          {
            guard: ({ context }) => context.before !== 'nothing',
            target: 'closing',
            actions: because('bind_refused'),
          },
          { target: 'closed', actions: because('bind_refused') },
        ],
        'listener.drained': { actions: because('late_answer') },
        'listener.failed': { actions: because('going_away') },
        discard: { actions: because('going_away') },
        stop: { actions: because('going_away') },
        changed: { actions: because('going_away') },
      },
    },
    bound: {
      on: {
        'listener.drained': { actions: because('late_answer') },
        commit: {
          target: 'listening',
          actions: [
            assign({ committed: true }),
            { type: 'activateListener', params: name },
            because('committed'),
          ],
        },
        discard: { target: 'closing', actions: because('discarded') },
        stop: { target: 'closing', actions: because('discarded') },
        'listener.failed': failed,
      },
    },
    listening: {
      on: {
        commit: { actions: because('already_committed') },
        prepare: {
          target: 'rebinding',
          actions: [assign({ candidate: ({ event }) => event.listener }), because('moves_to_another_port')],
        },
        changed: {
          actions: [assign({ listener: ({ event }) => event.listener }), because('changed')],
        },
        stop: {
          target: 'draining',
          actions: [{ type: 'drainListener', params: name }, because('drain_requested')],
        },
        'listener.failed': failed,
        // Of a move that was dropped before it was bound.
        'listener.bound': { actions: because('late_answer') },
        'listener.refused': { actions: because('late_answer') },
      },
    },
    rebinding: {
      entry: {
        type: 'bindListener',
        params: ({ context }) => ({ listener: context.candidate ?? context.listener }),
      },
      on: {
        'listener.bound': {
          target: 'rebound',
          actions: [
            {
              type: 'answerPreparation',
              params: ({ context }) => ({ name: context.listener.name, code: '', message: '' }),
            },
            because('bound'),
          ],
        },
        'listener.refused': {
          target: 'listening',
          actions: [
            assign({ candidate: null }),
            {
              type: 'answerPreparation',
              params: ({ context, event }) => ({
                name: context.listener.name,
                code: event.code,
                message: event.message,
              }),
            },
            because('bind_refused'),
          ],
        },
        // The dataplane drops the socket with the preparation.
        discard: { target: 'listening', actions: [assign({ candidate: null }), because('discarded')] },
        changed: { actions: because('going_away') },
        stop: {
          target: 'draining',
          actions: [{ type: 'drainListener', params: name }, because('drain_requested')],
        },
        // Whoever prepared the move is told now: its supervisor starts it anew where it was, and that knows of no move.
        'listener.failed': {
          ...failed,
          actions: [
            {
              type: 'answerPreparation',
              params: ({ context, event }) => ({
                name: context.listener.name,
                code: 'BUSY',
                message: event.message,
              }),
            },
            ...failed.actions,
          ],
        },
      },
    },
    rebound: {
      on: {
        commit: {
          target: 'listening',
          actions: [
            assign(({ context }) => ({ listener: context.candidate ?? context.listener, candidate: null })),
            { type: 'activateListener', params: name },
            because('committed'),
          ],
        },
        discard: { target: 'listening', actions: [assign({ candidate: null }), because('discarded')] },
        stop: {
          target: 'draining',
          actions: [{ type: 'drainListener', params: name }, because('drain_requested')],
        },
        'listener.failed': failed,
      },
    },
    draining: {
      entry: {
        type: 'startTimer',
        params: ({ context }) => ({ timer: 'drain', ms: context.drainTimeoutMs }),
      },
      exit: { type: 'cancelTimer', params: { timer: 'drain' } },
      on: {
        'listener.drained': { target: 'closing', actions: because('drained') },
        prepare: {
          target: 'binding',
          actions: [
            assign({ listener: ({ event }) => event.listener, committed: false, before: 'draining' }),
            because('wished_again'),
          ],
        },
        'listener.bound': { actions: because('late_answer') },
        'listener.refused': { actions: because('late_answer') },
        'timer.fired': { target: 'closing', actions: because('drain_timeout') },
        'listener.failed': { target: 'closing', actions: because('socket_failed') },
        // Of a preparation that was refused here.
        discard: { actions: because('going_away') },
        stop: { actions: because('already_draining') },
        changed: { actions: because('going_away') },
      },
    },
    closing: {
      entry: { type: 'closeListener', params: name },
      on: {
        'listener.closed': {
          target: 'closed',
          actions: [assign({ cut: ({ event }) => event.cut }), because('closed')],
        },
        'listener.drained': { actions: because('late_answer') },
        'listener.bound': { actions: because('late_answer') },
        'listener.refused': { actions: because('late_answer') },
        'listener.failed': { actions: because('going_away') },
        'timer.fired': { actions: because('late_timer') },
        stop: { actions: because('going_away') },
        discard: { actions: because('going_away') },
        changed: { actions: because('going_away') },
      },
    },
    closed: { type: 'final' },
    refused: { type: 'final' },
    failed: { type: 'final', tags: 'abnormal' },
  },
  output: ({ context }) => context.message,
});
