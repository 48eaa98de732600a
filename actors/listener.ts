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
 */
export type State =
  | 'binding'
  | 'abandoning'
  | 'bound'
  | 'listening'
  | 'draining'
  | 'closing'
  | 'closed'
  | 'refused'
  | 'failed';

export type Event =
  | { readonly type: 'listener.bound' }
  | { readonly type: 'listener.refused'; readonly code: string; readonly message: string }
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

export const machine = setup({
  types: {} as { context: Context; events: Event; input: Input; tags: Tag },
  actions: named<Effects, Reason>(),
  guards: { committed: ({ context }) => context.committed },
}).createMachine({
  id: 'listener',
  context: ({ input }) => ({ ...input, cut: 0, code: '', message: '' }),
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
          {
            target: 'refused',
            actions: [
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
        ],
        changed: {
          actions: [assign({ listener: ({ event }) => event.listener }), because('changed')],
        },
        commit: { actions: [assign({ committed: true }), because('committed')] },
        discard: { target: 'abandoning', actions: because('bind_abandoned') },
        stop: { target: 'abandoning', actions: because('bind_abandoned') },
      },
    },
    // The bind is under way and cannot be taken back: its outcome must be seen before the socket can be closed.
    abandoning: {
      on: {
        'listener.bound': { target: 'closing', actions: because('bind_abandoned') },
        'listener.refused': { target: 'closed', actions: because('bind_refused') },
        'listener.failed': { actions: because('going_away') },
        discard: { actions: because('going_away') },
        stop: { actions: because('going_away') },
        changed: { actions: because('going_away') },
      },
    },
    bound: {
      on: {
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
        'listener.failed': {
          target: 'failed',
          actions: [
            assign({ code: ({ event }) => event.code, message: ({ event }) => event.message }),
            { type: 'closeListener', params: name },
            because('socket_failed'),
          ],
        },
      },
    },
    listening: {
      on: {
        commit: { actions: because('already_committed') },
        changed: {
          actions: [assign({ listener: ({ event }) => event.listener }), because('changed')],
        },
        stop: {
          target: 'draining',
          actions: [{ type: 'drainListener', params: name }, because('drain_requested')],
        },
        'listener.failed': {
          target: 'failed',
          actions: [
            assign({ code: ({ event }) => event.code, message: ({ event }) => event.message }),
            { type: 'closeListener', params: name },
            because('socket_failed'),
          ],
        },
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
        'timer.fired': { target: 'closing', actions: because('drain_timeout') },
        'listener.failed': { target: 'closing', actions: because('socket_failed') },
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
});
