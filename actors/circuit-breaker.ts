import { assign, setup } from 'xstate';
import type { Tag } from './vocabulary.ts';
import { named, reasons } from './vocabulary.ts';

/**
 * The limits of one cluster as one dataplane worker meets them. The dataplane refuses by itself, per request;
 * this says since when and why, and lets the journal show it. Open while any limit is reached.
 */
export type State = 'closed' | 'open' | 'stopped';

export type Limit = 'maxConnections' | 'maxPendingRequests';

export type Event =
  | { readonly type: 'limit.reached'; readonly limit: Limit }
  | { readonly type: 'limit.cleared'; readonly limit: Limit }
  | { readonly type: 'stop' };

export const REASONS = [
  'limit_reached',
  'another_limit_reached',
  'already_reached',
  'limit_cleared',
  'another_limit_holds',
  'not_reached',
  'stopped',
] as const;
export type Reason = (typeof REASONS)[number];

export interface Input {
  readonly cluster: string;
}

export interface Context extends Input {
  readonly reached: readonly Limit[];
}

// biome-ignore lint/complexity/noBannedTypes: it names no effects
export type Effects = {};

const because = reasons<Reason>();

export const machine = setup({
  types: {} as { context: Context; events: Event; input: Input; tags: Tag },
  actions: named<Effects, Reason>(),
  guards: {
    known: ({ context }, params: { limit: Limit }) => context.reached.includes(params.limit),
    last: ({ context }, params: { limit: Limit }) =>
      context.reached.length === 1 && context.reached[0] === params.limit,
  },
}).createMachine({
  id: 'circuit-breaker',
  context: ({ input }) => ({ ...input, reached: [] }),
  initial: 'closed',
  states: {
    closed: {
      on: {
        'limit.reached': {
          target: 'open',
          actions: [assign({ reached: ({ event }) => [event.limit] }), because('limit_reached')],
        },
        'limit.cleared': { actions: because('not_reached') },
        stop: { target: 'stopped', actions: because('stopped') },
      },
    },
    open: {
      on: {
        'limit.reached': [
          {
            guard: { type: 'known', params: ({ event }) => ({ limit: event.limit }) },
            actions: because('already_reached'),
          },
          {
            actions: [
              assign({ reached: ({ context, event }) => [...context.reached, event.limit] }),
              because('another_limit_reached'),
            ],
          },
        ],
        'limit.cleared': [
          {
            guard: { type: 'last', params: ({ event }) => ({ limit: event.limit }) },
            target: 'closed',
            actions: [assign({ reached: [] }), because('limit_cleared')],
          },
          {
            guard: { type: 'known', params: ({ event }) => ({ limit: event.limit }) },
            actions: [
              assign({
                reached: ({ context, event }) => context.reached.filter((limit) => limit !== event.limit),
              }),
              because('another_limit_holds'),
            ],
          },
          { actions: because('not_reached') },
        ],
        stop: { target: 'stopped', actions: because('stopped') },
      },
    },
    stopped: { type: 'final' },
  },
});
